// Bodies both ways: in pieces, within the credit, in constant memory.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { FunctionUnderTest } from "./function-under-test.ts";

const WINDOW_BYTES = 262_144;
const MIB = 1_048_576;
const LONG_ENOUGH_MS = 150; // for a worker that would send more than it may
const ASGI_START = 'await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})';

/** Each gives ten MiB in pieces of 100,000 bytes and more. */
const DOWNLOADS: readonly (readonly [string, string])[] = [
  ["a generator", 'def handler(e):\n  for _ in range(10):\n    yield b"x" * (1 << 20)'],
  ["an asynchronous generator", 'async def handler(e):\n  for _ in range(10):\n    yield b"x" * (1 << 20)'],
  [
    "a WSGI application",
    'def app(environ, start):\n  start("200 OK", [("a", "b")])\n  return (b"x" * (1 << 20) for _ in range(10))',
  ],
  [
    "the write function of WSGI",
    'def app(environ, start):\n  write = start("200 OK", [])\n  for _ in range(10): write(b"x" * (1 << 20))\n  return []',
  ],
  [
    "an ASGI application",
    `async def app(scope, receive, send):
  assert scope["type"] == "http"
  ${ASGI_START}
  for left in range(9, -1, -1):
    await send({"type": "http.response.body", "body": b"x" * (1 << 20), "more_body": left > 0})`,
  ],
];

for (const [what, code] of DOWNLOADS) {
  test(`${what} sends no more than it has credit for, and all of it with credit`, async (t) => {
    for (const concurrency of [1, 4]) {
      const underTest = new FunctionUnderTest(t, code, { concurrency });
      underTest.givesCredit = false;
      const run = underTest.startRequest();
      await run.until(() => run.receivedBytes >= WINDOW_BYTES);
      await sleep(LONG_ENOUGH_MS);
      assert.equal(run.receivedBytes, WINDOW_BYTES);

      underTest.credit(run, 1000);
      await run.until(() => run.receivedBytes > WINDOW_BYTES);
      await sleep(LONG_ENOUGH_MS);
      assert.equal(run.receivedBytes, WINDOW_BYTES + 1000);

      underTest.givesCredit = true;
      underTest.credit(run, WINDOW_BYTES);
      await run.done();
      assert.equal(run.receivedBytes, 10 * MIB);
      assert.equal(run.end?.header.t, "body");
    }
  });
}

/** Each counts the bytes of its request and answers with the number. */
const UPLOADS: readonly (readonly [string, string])[] = [
  [
    "a WSGI application",
    `def app(environ, start):
  total = 0
  while True:
    piece = environ["wsgi.input"].read(50_000)
    if not piece: break
    total += len(piece)
  start("200 OK", [])
  return [str(total).encode()]`,
  ],
  [
    "an ASGI application",
    `async def app(scope, receive, send):
  assert scope["type"] == "http"
  total, more = 0, True
  while more:
    message = await receive()
    total += len(message["body"])
    more = message["more_body"]
  ${ASGI_START}
  await send({"type": "http.response.body", "body": str(total).encode()})`,
  ],
];

for (const [what, code] of UPLOADS) {
  test(`${what} reads ten MiB as they come, and gives credit for what it has read`, async (t) => {
    for (const concurrency of [1, 4]) {
      const underTest = new FunctionUnderTest(t, code, { concurrency });
      const run = underTest.startRequest({ method: "POST" }, "", false);

      await underTest.upload(run, Buffer.alloc(10 * MIB));

      assert.equal((await run.done()).text, String(10 * MIB));
    }
  });
}

test("WSGI and ASGI give no credit for what nobody reads, and may end without reading", async (t) => {
  for (const code of [
    "def app(environ, start):\n  start('200 OK', [])\n  return [b'no']",
    `async def app(scope, receive, send):\n  assert scope["type"] == "http"\n  ${ASGI_START}\n  await send({"type": "http.response.body", "body": b"no"})`,
  ]) {
    const underTest = new FunctionUnderTest(t, code);
    const run = underTest.startRequest({ method: "POST" }, "x".repeat(60_000), false);

    assert.equal((await run.done()).text, "no");
    underTest.worker.send({ t: "body", id: run.id, end: true }, "too late");
    assert.equal(run.creditBytes, 0);
    assert.equal((await underTest.request()).text, "no");
  }
});

const ECHOES: readonly (readonly [string, string])[] = [
  [
    "WSGI",
    `def app(environ, start):
  start("200 OK", [])
  return iter(lambda: environ["wsgi.input"].read1(65536), b"")`,
  ],
  [
    "ASGI",
    `async def app(scope, receive, send):
  assert scope["type"] == "http"
  ${ASGI_START}
  more = True
  while more:
    message = await receive()
    more = message["more_body"]
    await send({"type": "http.response.body", "body": message["body"], "more_body": more})`,
  ],
];

for (const [what, code] of ECHOES) {
  test(`${what} passes 40 MiB through in constant memory`, async (t) => {
    const underTest = new FunctionUnderTest(t, code);
    await underTest.request({ method: "POST" }, "warm");
    const before = peakMemoryBytes(underTest.worker.process.pid);
    const run = underTest.startRequest({ method: "POST" }, "", false);

    await underTest.upload(run, Buffer.alloc(40 * MIB, "abc"));

    assert.equal((await run.done()).receivedBytes, 40 * MIB);
    assert.ok(peakMemoryBytes(underTest.worker.process.pid) - before < 8 * MIB);
  });
}

function peakMemoryBytes(pid: number | undefined): number {
  const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

test("a request that was sent ahead with a part of its body waits, and loses nothing", async (t) => {
  const underTest = new FunctionUnderTest(
    t,
    "import time\ndef handler(e):\n  time.sleep(0.05)\n  return len(e['body'])",
  );
  const first = underTest.startRequest({ method: "POST" }, "ab");
  const second = underTest.startRequest({ method: "POST" }, "abc", false);
  underTest.worker.send({ t: "body", id: second.id, end: true }, "de");

  assert.equal((await first.done()).value, 2);
  assert.equal((await second.done()).value, 5);
});

test("a piece that is yielded arrives before the next is made", async (t) => {
  for (const prefix of ["", "async "]) {
    const code = `
from cloche import kv
${prefix}def handler(e):
  yield "first"
  yield kv.get("second")`;
    const underTest = new FunctionUnderTest(t, code);
    const run = underTest.startRequest();
    underTest.answer = async () => {
      await run.until(() => run.text === "first");
      return { value: { value: "second" } };
    };

    assert.equal((await run.done()).text, "firstsecond");
  }
});
