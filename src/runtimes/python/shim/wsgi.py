"""WSGI as PEP 3333 has it."""

import sys
from io import BufferedReader, RawIOBase

from request_event import Remembered
from request_facts import RequestFacts, as_request
from responder import drive, responder_of


def answer(run, app):
    inbox = run.worker.inbox
    exchange = as_request(run)
    response = Response(run, inbox)
    result = app(environ_of(run, exchange), response.start)
    try:
        only = len(result) == 1 if hasattr(type(result), "__len__") else False
        last = b""
        for chunk in result:
            if only:
                last = checked(chunk)
            elif chunk:
                response.write(chunk)
            if run.exchange.cancelled:
                break
    finally:
        if hasattr(result, "close"):
            result.close()
    response.finish(last)


class Response:
    def __init__(self, run, inbox):
        self.responder = responder_of(run)
        self.inbox = inbox

    def start(self, status, headers, exc_info=None):
        try:
            if self.responder.started and exc_info:
                raise exc_info[1].with_traceback(exc_info[2])
            if self.responder.head is not None and not exc_info:
                raise AssertionError("start_response was called twice without exc_info")
        finally:
            exc_info = None  # a traceback that holds this frame would hold itself
        self.responder.start(status.split(" ", 1)[0], headers)
        return self.write

    def write(self, data):
        self._must_have_started()
        drive(self.inbox, self.responder.write(checked(data)))

    def finish(self, data):
        self._must_have_started()
        drive(self.inbox, self.responder.write(data, end=True))

    def _must_have_started(self):
        if self.responder.head is None:
            raise AssertionError("the application did not call start_response before its first piece of the body")


def checked(data):
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError("a WSGI application gives bytes, not %s" % type(data).__name__)
    return data


def environ_of(run, exchange):
    environ = known_environ.of(exchange.header, run).copy()
    environ["wsgi.input"] = BufferedReader(Input(exchange.incoming), 65_536)
    environ["wsgi.errors"] = sys.stderr
    environ["cloche.execution_id"] = run.header.get("executionId", "")
    environ["cloche.request_id"] = run.header.get("requestId", "")
    return environ


def read_environ(header, run):
    facts = RequestFacts(run, header)
    environ = {
        "REQUEST_METHOD": facts.method,
        "SCRIPT_NAME": latin(facts.root_path),
        "PATH_INFO": latin(facts.path[len(facts.root_path) :]),
        "QUERY_STRING": facts.query,
        "REQUEST_URI": facts.raw_path + ("?" + facts.query if facts.query else ""),
        "SERVER_NAME": facts.server[0],
        "SERVER_PORT": str(facts.server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": facts.client or "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": facts.scheme,
        "wsgi.input_terminated": True,
        "wsgi.multithread": run.worker.variable is not None,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in facts.headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        if key in environ:
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
        environ[key] = value
    return environ


known_environ = Remembered(read_environ)


def latin(text):
    """UTF-8 as PEP 3333 wants it: bytes that look like text."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


class Input(RawIOBase):
    """The body of the request, read as it comes."""

    def __init__(self, incoming):
        self.incoming = incoming
        self.rest = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        rest = self.rest or self.incoming.read_chunk()
        size = min(len(rest), len(buffer))
        buffer[:size] = rest[:size]
        self.rest = rest[size:]
        return size
