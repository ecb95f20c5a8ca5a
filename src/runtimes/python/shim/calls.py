"""Asks the server for something and waits for the answer."""

import posix

from inbox import Waiting
from json_text import NotJson, dumps, loads
from output import WORKER_PID

MOST_WAITING = 64


class Error(Exception):
    """The server refused a call. `code` says why: `KV_KEY_TOO_LONG`, `NO_FUNCTION`, `RUN_OVER`."""

    __module__ = "cloche"

    def __init__(self, code, message):
        super().__init__("%s (%s)" % (message, code))
        self.code = code
        self.message = message

    def __reduce__(self):
        return type(self), (self.code, self.message)


class Call(Waiting):
    def __init__(self, inbox):
        self.inbox = inbox
        self.header = self.body = None

    def ready(self):
        return self.header is not None

    def answer(self, header, body):
        self.body = body
        self.header = header
        self.inbox.wake(self)


class Calls(Waiting):
    """As a Waiting it is room for one more call."""

    def __init__(self, inbox, current_run_id):
        """`current_run_id()` gives None outside of every run."""
        self.inbox = inbox
        self.current_run_id = current_run_id
        self.last_id = 0

    def ready(self):
        return len(self.inbox.calls) < MOST_WAITING

    def __call__(self, name, arguments):
        """The answer as a value. Any thread may call. Raises Error; TypeError where `arguments` cannot be JSON."""
        if posix.getpid() != WORKER_PID:
            raise Error("UNAVAILABLE", "%s: a forked child cannot ask the server" % name)
        try:
            body = dumps(arguments)
        except NotJson as failure:
            raise TypeError("%s: %s" % (name, reworded(str(failure.error)))) from None
        call = Call(self.inbox)
        channel = self.inbox.channel
        while True:
            with channel.lock:  # the numbers must go out in their order
                if self.ready():
                    run_id = self.current_run_id()
                    if run_id is None:
                        raise Error("RUN_OVER", "%s outside of a run" % name)
                    self.last_id += 1
                    self.inbox.calls[self.last_id] = call
                    channel.send({"t": "call", "id": self.last_id, "run": run_id, "name": name}, body)
                    break
            self.inbox.wait(self)
        self.inbox.wait(call)
        if self.sleepers:
            self.inbox.wake(self)
        error = call.header.get("error")
        if error is not None:
            raise Error(error["code"], error["message"])
        return loads(call.body.decode()) if call.body else {}


def reworded(message):
    """`dumps` speaks of returned values."""
    for old, new in (("the returned value", "the value"), ("returned ", "got "), ("; return ", "; pass ")):
        message = message.replace(old, new)
    return message
