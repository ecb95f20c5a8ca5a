"""A mirror for testing HTTP clients: /headers, /status/<code> and /delay/<ms> answer what they are asked for."""

import json
import time
from http import HTTPStatus
from wsgiref.headers import Headers

LONGEST_DELAY_MS = 5000


def app(environ, start_response):
    _, name, *rest = environ["PATH_INFO"].split("/")
    page = PAGES.get(name)
    status, value = page(environ, *rest) if page and len(rest) == PARAMETERS[name] else not_found(environ)
    body = b"" if status in (204, 304) else json.dumps(value).encode()
    headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    start_response(f"{status} {phrase(status)}", headers.items())
    return [body]


def show_headers(environ):
    prefix = "HTTP_"
    found = {key.removeprefix(prefix).replace("_", "-").title(): environ[key] for key in environ if key.startswith(prefix)}
    return 200, dict(sorted(found.items()))


def answer_status(environ, text):
    if not text.isdecimal() or not 200 <= int(text) <= 599:
        return 400, {"error": "a status is a number from 200 to 599"}
    return int(text), {"status": int(text), "meaning": phrase(int(text))}


def wait(environ, text):
    if not text.isdecimal() or int(text) > LONGEST_DELAY_MS:
        return 400, {"error": f"a delay is a number of milliseconds up to {LONGEST_DELAY_MS}"}
    time.sleep(int(text) / 1000)
    return 200, {"waitedMs": int(text)}


def not_found(environ):
    return 404, {"error": f"there is nothing at {environ['PATH_INFO']}"}


def phrase(status):
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


PAGES = {"headers": show_headers, "status": answer_status, "delay": wait}
PARAMETERS = {"headers": 0, "status": 1, "delay": 1}
