"""One run in progress."""

import posix

from exchange import Exchange
from inbox import Waiting
from json_text import NotJson, dumps, loads
from output import WORKER_PID
from worker import RESULT, end_of, with_id


class Run(Waiting):
    """As a Waiting it is its end, or that nobody waits for it any more."""

    over = False
    task = None  # that works on it, where there is an event loop

    def __init__(self, worker, header, payload, output):
        self.worker = worker
        self.id = header["id"]
        self.header = header
        self.is_request = header["t"] == "request"
        self.input = b"" if self.is_request else payload
        self.exchange = payload if self.is_request else Exchange(worker.inbox, header)
        self.output = output
        worker.inbox.exchanges[self.id] = self.exchange
        if self.id in worker.inbox.cancelled_early:
            worker.inbox.cancelled_early.remove(self.id)
            self.exchange.take({"t": "cancel"}, b"")

    def ready(self):
        return self.over or self.exchange.cancelled

    def value(self):
        """The input."""
        return loads(self.input.decode()) if self.input else None

    def end(self, header=RESULT, body=b"", exit_code=0):
        """Sends the frame that ends the run, unless it is over.

        `header` is JSON text without the id and the last brace; `exit_code` that of a forked child which came to the end.
        """
        if self.over:
            return
        self.output.flush()
        if posix.getpid() != WORKER_PID:
            posix._exit(exit_code)
        header = with_id(header, self.id, self.worker.raw)
        inbox = self.worker.inbox
        with inbox.channel.lock:
            self.output.stop()
            self.over = True
            inbox.channel.send_with_usage(header, body)
        self.worker.forget(self)
        self.exchange.on_cancel = None
        self.exchange.incoming.cancelled = True  # who still reads the body shall stop
        inbox.wake(self, self.exchange.incoming)

    def end_with(self, value):
        try:
            self.end(RESULT, dumps(value))
        except NotJson as failure:
            self.fail(failure.error)

    def fail(self, error):
        self.end(*end_of(error, self.worker.binding.program))
