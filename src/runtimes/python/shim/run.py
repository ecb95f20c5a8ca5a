"""One run in progress."""

import posix

from exchange import Exchange
from inbox import Waiting
from json_text import NotJson, dumps, loads
from output import WORKER_PID
from worker import end_of


class Run(Waiting):
    """As a Waiting it is its end, or that nobody waits for it any more."""

    def __init__(self, worker, header, payload, output):
        Waiting.__init__(self)
        self.worker = worker
        self.id = header["id"]
        self.header = header
        self.is_request = header["t"] == "request"
        self.input = b"" if self.is_request else payload
        self.exchange = payload if self.is_request else Exchange(worker.inbox, header)
        self.output = output
        self.over = False
        worker.inbox.exchanges[self.id] = self.exchange
        if self.id in worker.inbox.cancelled_early:
            worker.inbox.cancelled_early.remove(self.id)
            self.exchange.take({"t": "cancel"}, b"")

    def ready(self):
        return self.over or self.exchange.cancelled

    def value(self):
        """The input."""
        return loads(self.input.decode()) if self.input else None

    def end(self, header, body=b""):
        """Sends the frame that ends the run, unless it is over."""
        if self.over:
            return
        self.output.flush()
        if posix.getpid() != WORKER_PID:
            posix._exit(header.get("code", 1 if header["t"] == "error" else 0))  # a forked child that came to the end
        header["id"] = self.id
        if not self.worker.binding.is_innocent and header["t"] != "exit":
            header["raw"] = True  # such code can write to fd 1 and 2 itself; the server looks there before it answers
        inbox = self.worker.inbox
        with inbox.channel.lock:
            self.output.stop()
            self.over = True
            inbox.channel.send_with_usage(header, body)
        self.worker.forget(self)
        inbox.wake(self)
        self.exchange.incoming.cancelled = True  # who still reads the body shall stop
        inbox.wake(self.exchange.incoming)

    def end_with(self, value):
        try:
            self.end({"t": "result"}, dumps(value))
        except NotJson as failure:
            self.fail(failure.error)

    def fail(self, error):
        header, body = end_of(error, self.worker.binding.program)
        self.end(header, body)
