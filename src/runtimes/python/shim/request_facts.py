"""What ASGI and WSGI tell an application about a request."""

from exchange import Exchange
from request_event import unquoted


def as_request(run):
    """The exchange of the run. A value comes as the JSON body of a POST to `/`."""
    if run.is_request:
        return run.exchange
    headers = [["host", "localhost"], ["content-type", "application/json"], ["content-length", str(len(run.input))]]
    header = {"id": run.id, "method": "POST", "path": "/", "relativePath": "/", "query": "", "headers": headers, "end": True}
    exchange = Exchange(run.worker.inbox, header, run.input)
    exchange.outgoing = run.exchange.outgoing
    return exchange


MOST_KNOWN = 16
servers = {}  # by what is asked for: a program is mostly called by one name


class RequestFacts:
    """`path` is `root_path` and what is behind the function's name, decoded; `raw_path` is as it came."""

    def __init__(self, run, header):
        self.method = header["method"]
        self.raw_path = header["path"]
        self.query = header["query"]
        self.headers = header["headers"]
        relative, whole = header["relativePath"], unquoted(header["path"])
        if whole.endswith(relative):
            self.root_path = whole[: len(whole) - len(relative)]
        else:
            self.root_path = whole if relative == "/" else ""
        self.path = self.root_path + relative
        found = dict(reversed(self.headers))  # the first of each
        base = run.worker.binding.function.get("baseUrl", "")
        scheme = found.get("x-forwarded-proto") or base.partition("://")[0]
        self.scheme = scheme if scheme in ("http", "https") else "http"
        self.server = server_of(found.get("host") or "localhost", 443 if self.scheme == "https" else 80)
        self.client = found.get("x-forwarded-for", "").partition(",")[0].strip() or None


def server_of(host, port):
    server = servers.get((host, port))
    if server is None:
        if len(servers) >= MOST_KNOWN:
            servers.clear()
        server = servers[host, port] = read_server(host, port)
    return server


def read_server(host, port):
    name, colon, number = host.rpartition(":")
    if colon and number.isdigit() and (name.endswith("]") or ":" not in name):
        return name.strip("[]"), int(number)
    return host.strip("[]"), port
