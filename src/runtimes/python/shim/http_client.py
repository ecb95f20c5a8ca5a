"""`cloche.http`, over urllib."""

import json as json_module
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 30


class Response:
    """`headers` have names in lower case; `body` is bytes."""

    __module__ = "cloche"

    def __init__(self, status_code, headers, body, url):
        self.status_code = status_code
        self.headers = headers
        self.body = body
        self.url = url

    @property
    def ok(self):
        return 200 <= self.status_code < 300

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json_module.loads(self.body)

    def __repr__(self):
        return "<Response %d of %s>" % (self.status_code, self.url)


def request(method, url, headers=None, query=None, body=None, json=None, timeout=TIMEOUT_S):
    headers = {name.lower(): str(value) for name, value in (headers or {}).items()}
    if query:
        text = query if isinstance(query, str) else urllib.parse.urlencode(query, doseq=True)
        url += ("&" if "?" in url else "?") + text
    if json is not None:
        body = json_module.dumps(json)
        headers.setdefault("content-type", "application/json")
    elif body is not None:
        headers.setdefault("content-type", "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream")
    headers.setdefault("user-agent", "cloche")
    data = body.encode() if isinstance(body, str) else body
    question = urllib.request.Request(url, data, headers, method=method)
    if question.type not in ("http", "https"):
        raise ValueError("only http and https, not %s:" % question.type)
    try:
        answer = urllib.request.urlopen(question, timeout=timeout)
    except urllib.error.HTTPError as error:
        answer = error  # a response like any other
    with answer:
        found = {}
        for name, value in answer.headers.items():
            name = name.lower()
            found[name] = found[name] + ", " + value if name in found else value
        return Response(answer.status if hasattr(answer, "status") else answer.code, found, answer.read(), answer.url)
