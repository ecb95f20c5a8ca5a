// The module `cloche`, with the test as the server.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { test } from "node:test";

import { FunctionUnderTest, memory } from "./function-under-test.ts";

const EVERYTHING = `
  result = [kv.get("none"), kv.get("none", 7)]
  kv.set("a", {"x": [1, None]})
  kv.set("b", "text", ttl=1.5)
  result += [kv.get("a"), kv.list(), kv.all(prefix="a"), kv.delete("a"), kv.delete("a")]
  result += [kv.incr("n"), kv.incr("n", 5), kv.cas("n", 6, 7), kv.cas("n", 6, 8), kv.cas("new", None, 1)]
  kv.shared.set("s", 1)
  result += [kv.shared.get("s"), kv.get("s"), kv.list(), kv.list("n")]
  env.set("A", "1")
  result += [env.get("A"), env.get("B"), env.get("B", "d"), env.delete("A")]
  return result`;
const EXPECTED = [
  ...[null, 7, { x: [1, null] }, ["a", "b"], { a: { x: [1, null] } }, true, false],
  ...[1, 6, true, false, true, 1, null, ["b", "n", "new"], ["n", "new"], "1", null, "d", true],
];

for (const [what, code] of [
  ["a handler", `from cloche import kv, env\ndef handler(event, context):${EVERYTHING}`],
  ["an asynchronous handler", `from cloche import kv, env\nasync def handler(event, context):${EVERYTHING}`],
  ["a context", `def handler(event, context):\n  kv, env = context.kv, context.env${EVERYTHING}`],
  ["a script", `from cloche import kv, env\ndef all():${EVERYTHING}\nreturn all()`],
] as const) {
  test(`${what} reaches kv and env`, async (t) => {
    const underTest = new FunctionUnderTest(t, code);
    underTest.answer = memory();

    assert.deepEqual((await underTest.run()).value, EXPECTED);
    assert.ok(underTest.calls.every((call) => call.run === 1));
    const set = underTest.calls.filter((call) => call.name === "kv.set").map((call) => call.arguments);
    assert.deepEqual(set, [
      { key: "a", value: { x: [1, null] } },
      { key: "b", value: "text", ttlMs: 1500 },
      { key: "s", value: 1, global: true },
    ]);
  });
}

for (const [what, code] of [
  ["an innocent script", "from cloche import kv, log\nlog.info('hi')\nreturn kv.incr('n')"],
  ["a script that is looked at", "import os, cloche\ncloche.log.info(os.name)\nreturn cloche.kv.incr('n')"],
] as const) {
  test(`${what} that uses cloche stays quiet`, async (t) => {
    const underTest = new FunctionUnderTest(t, code);
    underTest.answer = memory();

    for (const expected of [1, 2, 3]) assert.equal((await underTest.run()).value, expected);

    await underTest.check();
    assert.deepEqual(underTest.retired, []);
  });
}

test("a script that changes cloche retires its worker", async (t) => {
  const underTest = new FunctionUnderTest(t, "import cloche\ncloche.kv = 1");

  await underTest.run();
  await new Promise<void>((resolve) => {
    underTest.worker.process.once("exit", () => {
      resolve();
    });
    underTest.worker.channel.end();
  });

  assert.match(underTest.retired.join(), /module cloche/);
});

test("a refusal is an Error with its code, at the line of the call", async (t) => {
  const code = `
import cloche
def handler(event):
  try:
    cloche.kv.get("k")
  except cloche.Error as error:
    print(error.code, error.message, error)
  cloche.kv.get("k")`;
  const underTest = new FunctionUnderTest(t, code);
  underTest.answer = () => ({ code: "KV_FULL" });

  const { error } = await underTest.run();

  assert.equal(underTest.printed(), "KV_FULL refused refused (KV_FULL)\n");
  assert.deepEqual([error.name, error.message, error.line], ["Error", "refused (KV_FULL)", 8]);
  assert.match(error.stack, /line 8, in handler\n {4}cloche\.kv\.get\("k"\)\n(?: +[~^]+\n)?cloche\.Error: refused/);
  assert.doesNotMatch(error.stack, /shim/);
});

test("a value that cannot be JSON is refused before it is sent", async (t) => {
  const underTest = new FunctionUnderTest(t, "from cloche import kv\ndef handler(e): kv.set('a', {1})");

  assert.equal(
    (await underTest.run()).error.message,
    "kv.set: the value holds a set, which cannot be JSON; pass list(...) instead",
  );
  assert.deepEqual(underTest.calls, []);
});

test("a call outside of a run is refused", async (t) => {
  const code = `
import threading, cloche
go, seen = threading.Event(), []
def later():
  go.wait()
  while True:
    try:
      cloche.kv.get("k")
    except cloche.Error as error:
      seen.append(error.code)
      return
def handler(event):
  if event == 1:
    threading.Thread(target=later, daemon=True).start()
    go.set()
    return None
  while not seen: pass
  return seen`;
  const underTest = new FunctionUnderTest(t, code);
  let isOver = false;
  underTest.answer = () => (isOver ? { code: "RUN_OVER" } : { value: {} });
  await underTest.run(1);
  isOver = true;

  assert.deepEqual((await underTest.run(2)).value, ["RUN_OVER"]);
});

test("the lines of log have their level and stream", async (t) => {
  const code =
    "from cloche import log\ndef handler(e):\n  log.debug('a', 1)\n  log.info('b')\n  log.warn('c')\n  log.error('d')";
  for (const concurrency of [1, 2]) {
    const underTest = new FunctionUnderTest(t, code, { concurrency });

    await underTest.run();

    const run = concurrency === 1 ? undefined : 1;
    assert.deepEqual(underTest.logs, [
      { level: "debug", stream: "stdout", run, text: "a 1\n" },
      { level: "info", stream: "stdout", run, text: "b\n" },
      { level: "warn", stream: "stderr", run, text: "c\n" },
      { level: "error", stream: "stderr", run, text: "d\n" },
    ]);
  }
});

test("ai and email ask the server", async (t) => {
  const code = `
from cloche import ai, email
def handler(e):
  answer = ai.chat("openai", "small", [{"role": "user", "content": "hi"}], max_tokens=5)
  return [answer["content"], email.send(from_="a@b.c", to="d@e.f", subject="s")["id"], email.send({"from": "x"})["id"]]`;
  const underTest = new FunctionUnderTest(t, code);
  underTest.answer = (name) => ({ value: name === "ai.chat" ? { content: "hello" } : { id: "m1" } });

  assert.deepEqual((await underTest.run()).value, ["hello", "m1", "m1"]);
  assert.deepEqual(
    underTest.calls.map((call) => call.arguments),
    [
      { provider: "openai", model: "small", messages: [{ role: "user", content: "hi" }], max_tokens: 5 },
      { from: "a@b.c", to: "d@e.f", subject: "s" },
      { from: "x" },
    ],
  );
});

test("http sends what it is told; any status is an answer", async (t) => {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const type = request.headers["content-type"] ?? "none";
      response.writeHead(request.url === "/gone" ? 410 : 200, { "x-a": ["1", "2"] });
      response.end(JSON.stringify([request.method, request.url, type, request.headers["x-b"] ?? "", body]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // There is no gate here: the test undoes what the shim does to sockets.
  const code = `
import socket, _socket
socket.socket.connect = lambda self, address: None
from cloche import http
import http.client
def connect(self):
  plain = _socket.socket(_socket.AF_INET)
  plain.connect((self.host, self.port))
  self.sock = socket.socket(_socket.AF_UNIX, fileno=plain.detach())
http.client.HTTPConnection.connect = connect
from cloche import http
def handler(url):
  got = [http.get(url + "/a?x=1", query={"y": [1, 2]}, headers={"X-B": "b"}), http.post(url, json={"n": 1}),
         http.put(url, body="t"), http.patch(url, body=b"b"), http.delete(url + "/gone")]
  return [[r.status_code, r.ok, r.json(), r.headers["x-a"]] for r in got] + [http.head(url).body.decode()]`;
  const run = await new FunctionUnderTest(t, code).run(url);

  assert.deepEqual(run.value, [
    [200, true, ["GET", "/a?x=1&y=1&y=2", "none", "b", ""], "1, 2"],
    [200, true, ["POST", "/", "application/json", "", '{"n": 1}'], "1, 2"],
    [200, true, ["PUT", "/", "text/plain; charset=utf-8", "", "t"], "1, 2"],
    [200, true, ["PATCH", "/", "application/octet-stream", "", "b"], "1, 2"],
    [410, false, ["DELETE", "/gone", "none", "", ""], "1, 2"],
    "",
  ]);
});

test("a forked child cannot ask the server", async (t) => {
  const code = `
import os, cloche
def handler(e):
  pid = os.fork()
  if pid == 0:
    try:
      cloche.kv.get("k")
    except cloche.Error as error:
      os._exit(42 if error.code == "UNAVAILABLE" else 1)
  return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])`;

  assert.equal((await new FunctionUnderTest(t, code).run()).value, 42);
});
