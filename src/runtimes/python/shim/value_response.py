"""What a handler has returned, or yields, becomes the end of its run."""

from binascii import b2a_base64

from responder import responder_of

BYTES = (bytes, bytearray, memoryview)


def is_stream(value):
    return hasattr(type(value), "__next__") or is_async_stream(value)


def is_async_stream(value):
    return hasattr(type(value), "__anext__")


def end_with_value(run, value):
    """Ends the run, or returns the steps to its end. Only bytes need a response: of all else the server makes one."""
    if isinstance(value, BYTES):
        if not run.is_request:
            try:
                value = bytes(value).decode()
            except UnicodeDecodeError:
                pass  # is refused as what it is
        else:
            value = {"statusCode": 200, "headers": {"content-type": "application/octet-stream"}, "body": value}
    if isinstance(value, dict) and "statusCode" in value and isinstance(value.get("body"), BYTES):
        body = value["body"]
        if value.get("isBase64Encoded"):
            value = {**value, "body": bytes(body).decode("ascii")}
        elif run.is_request:
            responder = responder_of(run)
            responder.start(value["statusCode"], header_pairs(value))
            return responder.write(body, end=True)
        else:
            value = {**value, "body": b2a_base64(body, newline=False).decode(), "isBase64Encoded": True}
    run.end_with(value)
    return None


class Stream:
    """The pieces that a generator yields. The first may be a dict with the head."""

    def __init__(self, run):
        self.responder = responder_of(run)

    def piece(self, value):
        """Sends `value`, or returns the steps to it being sent."""
        responder = self.responder
        if isinstance(value, dict) and responder.head is None and ("statusCode" in value or "headers" in value):
            responder.start(value.get("statusCode", 200), header_pairs(value))
            return responder.write(data_of(value["body"]) if value.get("body") else b"")
        data = data_of(value)
        if responder.head is None:
            kind = "text/plain; charset=utf-8" if isinstance(value, str) else "application/octet-stream"
            responder.start(200, [("content-type", kind)])
        return responder.write(data)

    def end(self):
        if self.responder.head is None:
            self.responder.start(200, ())
        return self.responder.write(b"", end=True)


def data_of(value):
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace")
    if isinstance(value, BYTES):
        return value
    raise TypeError("a generator yields str or bytes (or first a dict with statusCode or headers), not %s" % type(value).__name__)


def header_pairs(response):
    pairs = []
    for name, value in (response.get("headers") or {}).items():
        pairs += [(name, item) for item in (value if isinstance(value, (list, tuple)) else [value])]
    return pairs + [("set-cookie", cookie) for cookie in response.get("cookies") or ()]
