import assert from "node:assert/strict";
import { test } from "node:test";

import { FunctionUnderTest, memory } from "./function-under-test.ts";

const COUNT = 8;

/** Each prints its number, waits until all eight have come, prints again and answers with its number. */
const ALL_AT_ONCE: readonly (readonly [string, string])[] = [
  [
    "asynchronous handlers",
    `
import asyncio
there, all_there = 0, asyncio.Event()
async def handler(event, context):
  global there
  print("in", event["query"]["n"])
  there += 1
  if there == ${COUNT}: all_there.set()
  await all_there.wait()
  print("out", event["query"]["n"])
  return event["query"]["n"]`,
  ],
  [
    "handlers in threads",
    `
import threading
barrier = threading.Barrier(${COUNT})
def handler(event, context):
  print("in", event["query"]["n"])
  barrier.wait()
  print("out", event["query"]["n"])
  return event["query"]["n"]`,
  ],
  [
    "WSGI in threads",
    `
import threading
barrier = threading.Barrier(${COUNT})
def app(environ, start):
  n = environ["QUERY_STRING"][2:]
  print("in", n)
  barrier.wait()
  print("out", n)
  start("200 OK", [])
  return [n.encode()]`,
  ],
  [
    "ASGI",
    `
import asyncio
there, all_there = 0, asyncio.Event()
async def app(scope, receive, send):
  assert scope["type"] == "http"
  global there
  n = scope["query_string"][2:].decode()
  print("in", n)
  there += 1
  if there == ${COUNT}: all_there.set()
  await all_there.wait()
  print("out", n)
  await send({"type": "http.response.start", "status": 200})
  await send({"type": "http.response.body", "body": n.encode()})`,
  ],
];

for (const [what, code] of ALL_AT_ONCE) {
  test(`${COUNT} runs of ${what} go on at the same time, each with its own lines`, async (t) => {
    const underTest = new FunctionUnderTest(t, code, { concurrency: COUNT });
    const runs = Array.from({ length: COUNT }, (_, n) => underTest.startRequest({ query: `n=${n}` }));

    for (const [n, run] of runs.entries()) {
      await run.done();
      assert.equal(run.status === undefined ? run.value : run.text, String(n));
      assert.equal(underTest.printed(run), `in ${n}\nout ${n}\n`);
    }
  });
}

for (const prefix of ["", "async "]) {
  test(`with a concurrency of 1 ${prefix}handlers run one after the other, although sent ahead`, async (t) => {
    const wait = prefix === "" ? "time.sleep(0.01)" : "await asyncio.sleep(0.01)";
    const code = `import asyncio, time\nbusy = 0\n${prefix}def handler(n):\n  global busy\n  busy += 1\n  assert busy == 1\n  ${wait}\n  busy -= 1\n  return n`;
    const underTest = new FunctionUnderTest(t, code);
    const runs = Array.from({ length: 10 }, (_, n) => underTest.start(n));

    for (const [n, run] of runs.entries()) assert.equal((await run.done()).value, n);
  });

  test(`calls of ${prefix}handlers at the same time name their run and get their own answers`, async (t) => {
    const code = `from cloche import kv\n${prefix}def handler(n):\n  return [kv.incr("k", n), n]`;
    const underTest = new FunctionUnderTest(t, code, { concurrency: COUNT });
    underTest.answer = (_name, given) => ({ value: { value: Number(given["by"]) * 10 } });
    const runs = Array.from({ length: 50 }, (_, n) => underTest.start(n));

    for (const [n, run] of runs.entries()) assert.deepEqual((await run.done()).value, [n * 10, n]);
    for (const call of underTest.calls) assert.equal(call.run, Number(call.arguments["by"]) + 1);
  });
}

test("a thread or pool that an asynchronous handler waits for may call, even while it blocks the loop", async (t) => {
  const code = `
import asyncio
from concurrent.futures import ThreadPoolExecutor
from cloche import kv
pool = ThreadPoolExecutor(4)
async def handler(n):
  a = await asyncio.to_thread(kv.incr, "a")
  b = pool.submit(kv.incr, "b").result()
  c = kv.incr("c")
  return [a, b, c]`;
  for (const concurrency of [1, COUNT]) {
    const underTest = new FunctionUnderTest(t, code, { concurrency });
    underTest.answer = memory();
    const runs = Array.from({ length: COUNT }, (_, n) => underTest.start(n));

    const sums = [0, 0, 0];
    for (const run of runs) {
      for (const [at, value] of ((await run.done()).value as number[]).entries()) sums[at]! += value;
    }
    assert.deepEqual(sums, [36, 36, 36]);
  }
});

test("threads of a handler and of a script may call at the same time, more of them than calls may wait", async (t) => {
  const code = (end: string) => `
import threading
from cloche import kv
def all_at_once(n):
  threads = [threading.Thread(target=kv.incr, args=("k",)) for _ in range(n)]
  for thread in threads: thread.start()
  for thread in threads: thread.join()
  return kv.incr("k")
${end}`;
  for (const end of ["def handler(n): return all_at_once(n)", "return all_at_once(event)"]) {
    const underTest = new FunctionUnderTest(t, code(end));
    const answer = memory();
    let waiting = 0;
    let most = 0;
    underTest.answer = async (name, given) => {
      most = Math.max(most, ++waiting);
      await new Promise(setImmediate);
      waiting -= 1;
      return answer(name, given);
    };

    assert.equal((await underTest.run(100)).value, 101);
    assert.ok(most > 1 && most <= 64, `${most} calls waited`);
  }
});

test("a cancelled asynchronous handler is cancelled and ends; the others go on", async (t) => {
  const code = `
import asyncio
async def handler(event):
  try:
    print("started")
    await asyncio.sleep(event)
  finally:
    print("ended")
  return "slept"`;
  const underTest = new FunctionUnderTest(t, code, { concurrency: 2 });
  const other = underTest.start(0.1);
  const run = underTest.start(60);
  await underTest.started(run);

  underTest.worker.send({ t: "cancel", id: run.id });

  assert.equal((await run.done()).error.name, "CancelledError");
  assert.equal(underTest.printed(run), "started\nended\n");
  assert.equal((await other.done()).value, "slept");
});

test("a run that is cancelled before it has been started is not started", async (t) => {
  for (const prefix of ["", "async "]) {
    const code = `import time\ntime.sleep(0.1)\n${prefix}def handler(event):\n  print(event)`;
    const underTest = new FunctionUnderTest(t, code, { concurrency: 3 });
    const first = underTest.start("a");
    const value = underTest.start("b");
    const request = underTest.startRequest();
    for (const { id } of [value, request]) underTest.worker.send({ t: "cancel", id });

    await Promise.all([first.done(), value.done(), request.done()]);

    assert.equal(underTest.printed(), "a\n");
  }
});

test("a cancelled stream in a thread stops at its next piece, also when it waits for credit", async (t) => {
  const code = 'def handler(event):\n  try:\n    while True: yield "x" * 100_000\n  finally:\n    print("closed")';
  const underTest = new FunctionUnderTest(t, code, { concurrency: 2 });
  underTest.givesCredit = false;
  const run = underTest.startRequest();
  await run.until(() => run.receivedBytes === 262_144);

  underTest.worker.send({ t: "cancel", id: run.id });

  assert.equal((await run.done()).end?.header.t, "body");
  assert.equal(underTest.printed(run), "closed\n");
});

test("a cancelled ASGI application hears of it and cannot send any more", async (t) => {
  const code = `
async def app(scope, receive, send):
  assert scope["type"] == "http"
  await receive()
  print("started")
  print((await receive())["type"])
  try:
    await send({"type": "http.response.start", "status": 200})
  except OSError as error:
    print(error)`;
  const underTest = new FunctionUnderTest(t, code, { concurrency: 2 });
  const run = underTest.startRequest();
  await underTest.started(run);

  underTest.worker.send({ t: "cancel", id: run.id });
  await run.done();

  assert.equal(underTest.printed(run), "started\nhttp.disconnect\nnobody waits for this response any more\n");
});
