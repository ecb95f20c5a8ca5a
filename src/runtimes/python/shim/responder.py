"""Sends a response piece by piece, never more than the server has room for.

What has to wait is a generator of what it waits for, so that code that blocks and code that awaits share it: see
`drive` here and `drive` in async_server.py.
"""

from json_text import dumps, loads

PIECE_BYTES = 65_536
HEAD_MAX_BYTES = 60_000


def drive(inbox, steps):
    """Blocks at every step. Returns what `steps` returns."""
    try:
        while True:
            inbox.wait(next(steps))
    except StopIteration as stop:
        return stop.value


def read_all(run):
    """Steps to the whole body of the request."""
    incoming, chunks = run.exchange.incoming, []
    while not incoming.exhausted and not incoming.cancelled:
        if incoming.chunks:
            chunks.append(incoming.take_chunk())
        else:
            yield incoming
    return b"".join(chunks)


def responder_of(run):
    return Responder(run) if run.is_request else Collector(run)


class Responder:
    def __init__(self, run):
        self.run = run
        self.head = None
        self.started = False
        self.ended = False

    def start(self, status, headers):
        """`headers` are pairs of text. Nothing is sent before the first piece of the body."""
        head = {"status": status_of(status), "headers": [[text_of(name), text_of(value)] for name, value in headers]}
        if len(dumps(head)) > HEAD_MAX_BYTES:
            raise ValueError("the headers of the response are longer than %d bytes" % HEAD_MAX_BYTES)
        self.head = head

    def write(self, data, end=False):
        """Steps to all of `data` being sent."""
        outgoing, view = self.run.exchange.outgoing, memoryview(data).cast("B")
        while not self.ended:
            if outgoing.cancelled:
                view = view[:0]  # nobody reads it, and no credit will come
                if not end:
                    return
            size = min(len(view), PIECE_BYTES, outgoing.room())
            if size > 0 or not view:
                self._send(bytes(view[:size]), end and size == len(view))
                view = view[size:]
                if not view:
                    return
            else:
                yield outgoing

    def _send(self, data, end):
        if self.started and not data and not end:
            return
        header = {"t": "body", "id": self.run.id, "end": end}
        if not self.started:
            header = {"t": "response", "id": self.run.id, **self.head, "end": end}
            self.started = True
        self.run.exchange.outgoing.sent += len(data)
        if end:
            self.ended = True
            self.run.end(header, data)
        elif not self.run.over:
            self.run.worker.inbox.channel.send(header, data)


class Collector:
    """Where a value is wanted: keeps the body and makes one of it."""

    def __init__(self, run):
        self.run = run
        self.head = None
        self.started = False
        self.chunks = []

    def start(self, status, headers):
        self.head = {"status": status_of(status), "headers": [[text_of(name), text_of(value)] for name, value in headers]}

    def write(self, data, end=False):
        self.started = True
        self.chunks.append(bytes(data))
        if end:
            body = b"".join(self.chunks)
            types = [value for name, value in self.head["headers"] if name.lower() == "content-type"]
            self.run.end_with(value_of(body, types[0] if types else ""))
        return iter(())


def value_of(body, content_type):
    text = body.decode("utf-8", "replace")
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith(("/json", "+json")):
        try:
            return loads(text)
        except (ValueError, RecursionError):
            pass  # it only says so
    return text


def status_of(value):
    status = int(value)
    if not 100 <= status <= 999:
        raise ValueError("the status %d is not between 100 and 999" % status)
    return status


def text_of(value):
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)
