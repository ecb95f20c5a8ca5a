"""ASGI 3: `http` and `lifespan`."""

from request_event import Remembered
from request_facts import RequestFacts, as_request
from responder import responder_of

VERSION = {"version": "3.0", "spec_version": "2.4"}


async def answer(run, app, server):
    """Ends when the application does, or fails. `server` waits on its event loop: see AsyncServer."""
    exchange = as_request(run)
    exchange_body_is_read = False
    responder = responder_of(run)

    async def receive():
        nonlocal exchange_body_is_read
        incoming = exchange.incoming
        while not exchange_body_is_read:
            if not incoming.ready():
                await server.wait_for(incoming)
            if incoming.cancelled:
                break
            chunks = []
            while incoming.chunks:
                chunks.append(incoming.take_chunk())
            exchange_body_is_read = incoming.exhausted
            if chunks or exchange_body_is_read:
                return {"type": "http.request", "body": b"".join(chunks), "more_body": not exchange_body_is_read}
        await server.wait_for(run)
        return {"type": "http.disconnect"}

    async def send(message):
        kind = message["type"]
        if run.exchange.cancelled:
            raise OSError("nobody waits for this response any more")
        if kind == "http.response.start":
            if responder.head is not None:
                raise RuntimeError("http.response.start was sent twice")
            responder.start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body":
            if responder.head is None:
                raise RuntimeError("http.response.body was sent before http.response.start")
            steps = responder.write(message.get("body", b""), end=not message.get("more_body", False))
            if steps is not None:
                await server.drive(steps)

    await app(scope_of(run, exchange, server.state), receive, send)
    if not run.over:
        raise RuntimeError("the application ended without a complete response")


def scope_of(run, exchange, state):
    known = known_scope.of(exchange.header, run)
    scope = known.copy()
    scope["asgi"] = VERSION.copy()
    scope["headers"] = known["headers"].copy()
    scope["extensions"] = {}
    if state is not None:
        scope["state"] = state.copy()
    return scope


def read_scope(header, run):
    facts = RequestFacts(run, header)
    return {
        "type": "http",
        "asgi": VERSION,
        "http_version": "1.1",
        "method": facts.method,
        "scheme": facts.scheme,
        "path": facts.path,
        "raw_path": facts.raw_path.encode("latin-1", "replace"),
        "query_string": facts.query.encode("latin-1", "replace"),
        "root_path": facts.root_path,
        "headers": [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in facts.headers],
        "client": None if facts.client is None else (facts.client, 0),
        "server": facts.server,
        "extensions": {},
    }


known_scope = Remembered(read_scope)


class Lifespan:
    """Tells the application of its start and its end, if it wants to know."""

    def __init__(self, app, asyncio):
        self.app = app
        self.asyncio = asyncio
        self.state = {}
        self.task = None

    async def start(self):
        """Raises RuntimeError where the application refuses to start. Sets `state`: None if it does not care."""
        self.inbox, self.outbox = self.asyncio.Queue(), self.asyncio.Queue()
        self.inbox.put_nowait({"type": "lifespan.startup"})
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self.task = self.asyncio.ensure_future(self._live(scope))
        message = await self.outbox.get()
        if message is None:
            self.task = self.state = None  # an application without it raises, or ends at once
        elif message["type"] == "lifespan.startup.failed":
            raise RuntimeError("the application failed to start: %s" % message.get("message", ""))

    async def _live(self, scope):
        try:
            await self.app(scope, self.inbox.get, self.outbox.put)
        except Exception:
            pass
        finally:
            self.outbox.put_nowait(None)

    async def stop(self):
        if self.task is not None:
            self.inbox.put_nowait({"type": "lifespan.shutdown"})
            await self.outbox.get()
