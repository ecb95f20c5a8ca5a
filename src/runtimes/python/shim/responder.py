"""Sends a response piece by piece, never more than the server has room for.

What has to wait is a generator of what it waits for, so that code that blocks and code that awaits share it: see
`drive` here and `drive` in async_server.py.
"""

from json_text import dumps, loads

PIECE_BYTES = 65_536
HEAD_MAX_BYTES = 60_000


def drive(inbox, steps):
    """Blocks at every step. Returns what `steps` returns."""
    if steps is None:
        return None
    try:
        while True:
            inbox.wait(next(steps))
    except StopIteration as stop:
        return stop.value


def body_of(run):
    """The whole body of the request as bytes where it has come, else None: then `read_all` gets it."""
    return run.exchange.incoming.at_hand() if run.is_request else b""


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
        status, pairs = status_of(status), pairs_of(headers)
        if len(pairs) > HEAD_MAX_BYTES:
            raise ValueError("the headers of the response are longer than %d bytes" % HEAD_MAX_BYTES)
        self.head = b'"status":%d,"headers":%b' % (status, pairs)

    def write(self, data, end=False):
        """Sends `data`, or returns the steps to all of it being sent."""
        outgoing = self.run.exchange.outgoing
        is_free = not self.ended and not outgoing.cancelled
        if is_free and type(data) is bytes and len(data) <= PIECE_BYTES and len(data) < outgoing.room():
            self._send(data, end)
            return None
        return self._write(data, end)

    def _write(self, data, end):
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
        run = self.run
        header = b'{"t":"body","end":%b' % (b"true" if end else b"false")
        if not self.started:
            header = b'{"t":"response",%b,"end":%b' % (self.head, b"true" if end else b"false")
            self.started = True
        run.exchange.outgoing.sent += len(data)
        if end:
            self.ended = True
            run.end(header, data)
        elif not run.over:
            run.worker.inbox.channel.send_encoded(b'%b,"id":%d}' % (header, run.id), data)


class Collector:
    """Where a value is wanted: keeps the body and makes one of it."""

    def __init__(self, run):
        self.run = run
        self.head = None
        self.started = False
        self.chunks = []

    def start(self, status, headers):
        self.head = {"status": status_of(status), "headers": texts_of(headers)}

    def write(self, data, end=False):
        self.started = True
        self.chunks.append(bytes(data))
        if end:
            body = b"".join(self.chunks)
            types = [value for name, value in self.head["headers"] if name.lower() == "content-type"]
            self.run.end_with(value_of(body, types[0] if types else ""))


def value_of(body, content_type):
    text = body.decode("utf-8", "replace")
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith(("/json", "+json")):
        try:
            return loads(text)
        except (ValueError, RecursionError):
            pass  # it only says so
    return text


MOST_KNOWN = 16
known_pairs = {}  # JSON text, by headers that are tuples of bytes or text alone: a program mostly answers with the same ones


def pairs_of(headers):
    headers = tuple(headers)
    try:
        known = known_pairs.get(headers)
    except TypeError:
        return dumps(texts_of(headers))  # lists, mostly
    if known is None:
        known = dumps(texts_of(headers))
        if all(type(part) in (bytes, str) for pair in headers for part in pair):
            if len(known_pairs) >= MOST_KNOWN:
                known_pairs.clear()
            known_pairs[headers] = known
    return known


def texts_of(headers):
    return [[text_of(name), text_of(value)] for name, value in headers]


def status_of(value):
    status = int(value)
    if not 100 <= status <= 999:
        raise ValueError("the status %d is not between 100 and 999" % status)
    return status


def text_of(value):
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)
