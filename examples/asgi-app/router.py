"""Finds the handler for a request, and turns what it returns into a response."""

import json
import re

MAX_BODY_BYTES = 64 * 1024


class Refusal(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Request:
    def __init__(self, receive):
        self._receive = receive

    async def json(self):
        """The body, which must be a JSON object."""
        try:
            value = json.loads(await self._body())
        except ValueError:
            raise Refusal(400, "the body is not JSON") from None
        if not isinstance(value, dict):
            raise Refusal(400, "the body is not a JSON object")
        return value

    async def _body(self):
        body, is_more = b"", True
        while is_more:
            message = await self._receive()
            body += message.get("body", b"")
            is_more = message.get("more_body", False)
            if len(body) > MAX_BODY_BYTES:
                raise Refusal(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
        return body


class Router:
    def __init__(self):
        self._routes = []  # (method, pattern, handler)

    def route(self, method, path):
        """`{name}` in the path matches one segment and is handed over under that name."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

        def add(handler):
            self._routes.append((method, pattern, handler))
            return handler

        return add

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])  # so a server learns that there is no lifespan to wait for
        headers = []
        try:
            status, value = await self._answer(scope, Request(receive), headers)
        except Refusal as refusal:
            status, value = refusal.status, {"error": str(refusal)}
        headers.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(value).encode()})

    async def _answer(self, scope, request, headers):
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        allowed = []
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and method == scope["method"]:
                return await handler(request, **match.groupdict())
            if match:
                allowed.append(method)
        if not allowed:
            raise Refusal(404, f"there is nothing at {path}")
        headers.append((b"allow", ", ".join(allowed).encode()))
        raise Refusal(405, f"{scope['method']} is not possible here")
