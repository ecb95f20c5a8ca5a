import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { FunctionUnderTest } from "./function-under-test.ts";

/** Of the shape that Starlette has: middleware around a router, lifespan with state, background tasks, exceptions told twice. */
const APPLICATION = `
import asyncio, json

class Response:
  def __init__(self, body, status=200, headers=(), background=None):
    self.body, self.status, self.background = body, status, background
    self.headers = [(b"content-type", b"application/json"), *headers]
  async def __call__(self, scope, receive, send):
    await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
    await send({"type": "http.response.body", "body": self.body})
    if self.background: await self.background()

class Streaming(Response):
  async def stream(self, send):
    await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
    async for piece in self.body:
      await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
  async def __call__(self, scope, receive, send):
    async def disconnected():
      while (await receive())["type"] != "http.disconnect": pass
    tasks = [asyncio.ensure_future(self.stream(send)), asyncio.ensure_future(disconnected())]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest: task.cancel()
    for task in done: task.result()

class Middleware:
  def __init__(self, app): self.app = app
  async def __call__(self, scope, receive, send):
    if scope["type"] != "http": return await self.app(scope, receive, send)
    sent = False
    async def watched(message):
      nonlocal sent
      sent = sent or message["type"] == "http.response.start"
      await send(message)
    try:
      await self.app(scope, receive, watched)
    except Exception:
      if not sent: await Response(b'"oh"', 500)(scope, receive, send)
      raise

class Router:
  def __init__(self): self.routes = {}
  def route(self, path):
    def add(function):
      self.routes[path] = function
      return function
    return add
  async def __call__(self, scope, receive, send):
    if scope["type"] == "lifespan":
      await receive()
      print("startup")
      scope["state"]["pool"] = ["connection"]
      await send({"type": "lifespan.startup.complete"})
      assert (await receive())["type"] == "lifespan.shutdown"
      open(MARK, "w").close()
      await send({"type": "lifespan.shutdown.complete"})
      return
    path = scope["path"][len(scope["root_path"]):]
    response = await self.routes[path](scope, receive)
    await response(scope, receive, send)

class Application:
  def __init__(self):
    self.router = Router()
    self.stack = Middleware(self.router)
    self.route = self.router.route
  async def __call__(self, scope, receive, send):
    scope["app"] = self
    await self.stack(scope, receive, send)

app = Application()
import os
MARK = os.environ["TMPDIR"] + "/stopped"

@app.route("/scope")
async def scope_of(scope, receive):
  shown = {key: value for key, value in scope.items() if key not in ("app",)}
  return Response(json.dumps(shown, default=lambda b: b.decode("latin-1")).encode(), headers=[(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")])

@app.route("/stream")
async def main(scope, receive):
  async def pieces():
    for n in range(3):
      await asyncio.sleep(0)
      yield b"%d," % n
  return Streaming(pieces())

@app.route("/fails")
async def handler(scope, receive):
  raise ValueError("no")

later = asyncio.Event()
@app.route("/background")
async def background(scope, receive):
  async def work():
    await later.wait()
    print("worked")
  return Response(b"1", background=work)

@app.route("/set")
async def set_later(scope, receive):
  later.set()
  await asyncio.sleep(0)
  return Response(b"2")

@app.route("/echo")
async def echo(scope, receive):
  return Response((await receive())["body"], 201)
`;

function at(relativePath: string) {
  return { path: `/fn/greet${relativePath}`, relativePath };
}

test("an ASGI application gets a complete scope", async (t) => {
  const underTest = new FunctionUnderTest(t, APPLICATION);
  const headers = [
    ["host", "example.com:8443"],
    ["x-forwarded-for", "10.1.2.3, 10.0.0.1"],
    ["x-a", "1"],
    ["x-a", "2"],
  ] as const;

  const run = await underTest.request({ ...at("/scope"), path: "/fn/greet/sc%6Fpe", query: "a=%20", headers });

  const scope = JSON.parse(run.text) as Record<string, unknown>;
  assert.deepEqual(scope, {
    type: "http",
    asgi: { version: "3.0", spec_version: "2.4" },
    http_version: "1.1",
    method: "GET",
    scheme: "https",
    path: "/fn/greet/scope",
    raw_path: "/fn/greet/sc%6Fpe",
    query_string: "a=%20",
    root_path: "/fn/greet",
    headers,
    client: ["10.1.2.3", 0],
    server: ["example.com", 8443],
    extensions: {},
    state: { pool: ["connection"] },
  });
  assert.deepEqual(run.headers, [
    ["content-type", "application/json"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ]);
});

test("an ASGI application streams while it listens for the end", async (t) => {
  const run = await new FunctionUnderTest(t, APPLICATION).request(at("/stream"));

  assert.deepEqual([run.status, run.text, run.end?.header.t], [200, "0,1,2,", "body"]);
});

test("an ASGI application that has answered an exception itself has answered", async (t) => {
  const run = await new FunctionUnderTest(t, APPLICATION).request(at("/fails"));

  assert.deepEqual([run.status, run.text], [500, '"oh"']);
});

test("an ASGI application that just raises fails the run with its line", async (t) => {
  const underTest = new FunctionUnderTest(t, "async def app(scope, receive, send):\n  raise KeyError(1)");

  assert.equal((await underTest.request()).error.line, 2);
  assert.equal((await underTest.request()).error.line, 2);
});

test("the response of an ASGI application does not wait for what it does afterwards, nor do the next runs", async (t) => {
  const underTest = new FunctionUnderTest(t, APPLICATION);

  assert.equal((await underTest.request(at("/background"))).text, "1");
  assert.equal((await underTest.request(at("/set"))).text, "2");
});

test("an ASGI application is started once, and told of its end", async (t) => {
  const underTest = new FunctionUnderTest(t, APPLICATION, { concurrency: 4 });
  await Promise.all([1, 2, 3].map(() => underTest.request(at("/stream"))));
  assert.equal(underTest.printed(), "startup\n");
  const mark = join(underTest.worker.tmp, "stopped");

  underTest.worker.channel.end();

  while (!existsSync(mark)) await sleep(5);
});

test("an ASGI application that refuses to start fails its runs with its words", async (t) => {
  const code = `
async def app(scope, receive, send):
  await receive()
  await send({"type": "lifespan.startup.failed", "message": "no database"})`;

  assert.match((await new FunctionUnderTest(t, code).request()).error.message, /failed to start: no database/);
});

test("an ASGI application that ends without an answer, or answers out of order, is an error", async (t) => {
  const none = "async def app(scope, receive, send): pass";
  const early = 'async def app(scope, receive, send): await send({"type": "http.response.body"})';
  const twice =
    'async def app(scope, receive, send):\n  for _ in 1, 2: await send({"type": "http.response.start", "status": 200})';

  assert.match((await new FunctionUnderTest(t, none).request()).error.message, /ended without a complete response/);
  assert.match((await new FunctionUnderTest(t, early).request()).error.message, /before http\.response\.start/);
  assert.match((await new FunctionUnderTest(t, twice).request()).error.message, /sent twice/);
});

test("a value goes to an ASGI application as the JSON body of a POST, and its body comes back", async (t) => {
  const code = APPLICATION.replace('"/echo"', '"/"');

  const run = await new FunctionUnderTest(t, code).run({ n: [1] });

  assert.deepEqual(run.value, { n: [1] });
});
