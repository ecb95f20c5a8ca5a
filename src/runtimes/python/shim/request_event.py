"""The `event` of a script or handler that answers an HTTP request."""

from binascii import b2a_base64


def read_event(exchange):
    """Waits for the whole body."""
    return event_of(exchange.header, exchange.incoming.read_all())


class Remembered:
    """What `read(header, ...)` gives, kept for the next request: where all but the ids is the same, the channel gives the same list
    of headers. Who gets it must not change it."""

    def __init__(self, read):
        self.read = read
        self.last = None, None  # in one piece: several threads may ask

    def of(self, header, *more):
        headers, value = self.last
        if headers is not header["headers"]:
            value = self.read(header, *more)
            self.last = header["headers"], value
        return value


def event_of(header, body):
    known = known_event.of(header)
    event = known.copy()
    event["headers"] = known["headers"].copy()
    event["query"] = known["query"].copy()
    try:
        event["body"] = body.decode()
    except UnicodeDecodeError:
        event["body"] = b2a_base64(body, newline=False).decode()
        event["isBase64Encoded"] = True
    return event


def read_without_body(header):
    return {
        "method": header["method"],
        "path": header["path"],
        "relativePath": header["relativePath"],
        "headers": headers_of(header["headers"]),
        "query": first_values(header["query"]),
    }


known_event = Remembered(read_without_body)


def headers_of(pairs):
    """As a dict. What comes several times is joined as HTTP says."""
    headers = {}
    for name, value in pairs:
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    return headers


def first_values(query):
    values = {}
    for pair in query.split("&") if query else ():
        if pair:
            name, _, value = pair.partition("=")
            values.setdefault(unquoted(name.replace("+", " ")), unquoted(value.replace("+", " ")))
    return values


def unquoted(text):
    """Without its percent escapes; what is none stays, what is no UTF-8 becomes U+FFFD."""
    if "%" not in text and text.isascii():
        return text
    return unquoted_bytes(text).decode("utf-8", "replace")


def unquoted_bytes(text):
    first, *rest = text.encode("utf-8", "surrogateescape").split(b"%")
    pieces = [first]
    for part in rest:
        try:
            if not part[:2].isalnum():
                raise ValueError("a sign or a space")
            pieces += bytes((int(part[:2], 16),)), part[2:]
        except ValueError:
            pieces += b"%", part
    return b"".join(pieces)
