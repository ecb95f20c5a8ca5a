import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { WorkerUnderTest, encode } from "./worker-under-test.ts";

test("a worker is ready at once, and small while it waits", async (t) => {
  const worker = new WorkerUnderTest(t);

  assert.deepEqual(await worker.receive(), { header: { t: "ready" }, body: "" });
  const memory = readFileSync(`/proc/${worker.process.pid}/smaps_rollup`, "utf8");
  const ownKib = Number(/^Private_Dirty: +(\d+) kB$/m.exec(memory)?.[1]);
  assert.ok(ownKib > 0 && ownKib <= 1_024, `${ownKib} KiB`);
});

test("frames may arrive byte by byte, and runs and pings are answered in their order", async (t) => {
  const worker = new WorkerUnderTest(t);
  const frames = Buffer.concat([
    encode({ t: "bind", language: "lua", options: { file: "script.lua" } }, "return event"),
    encode({ t: "run", id: 1 }, '"ä"'),
    encode({ t: "ping", id: 2 }, ""),
    encode({ t: "run", id: 3 }, "[]"),
    encode({ t: "unknown", more: { a: [1] } }, "?"),
    encode({ t: "ping", id: 4 }, ""),
  ]);
  worker.channel.setNoDelay(true);
  for (const byte of frames) {
    worker.channel.write(Buffer.of(byte));
    if (byte % 8 === 0) await new Promise(setImmediate);
  }

  const answers = [];
  for (let count = 0; count < 5; count += 1) answers.push(await worker.receive());

  assert.deepEqual(answers, [
    { header: { t: "ready" }, body: "" },
    { header: { t: "result", id: 1 }, body: '"ä"' },
    { header: { t: "pong", id: 2 }, body: "" },
    { header: { t: "result", id: 3 }, body: "[]" },
    { header: { t: "pong", id: 4 }, body: "" },
  ]);
});

test("runs sent ahead are all answered", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("return event");
  for (let id = 1; id <= 1_000; id += 1) worker.send({ t: "run", id }, String(id));
  await worker.receive();

  for (let id = 1; id <= 1_000; id += 1) {
    assert.deepEqual(await worker.receive(), { header: { t: "result", id }, body: String(id) });
  }
});

test("a log is sent before what the code does next", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("print('first') while true do end");
  worker.send({ t: "run", id: 1 }, "{}");
  await worker.receive();

  assert.deepEqual(await worker.receive(), {
    header: { t: "log", level: "info", stream: "stdout" },
    body: "first\n",
  });
});

for (const [what, code] of [
  ["a loop without an end", "while true do end"],
  ["a loop that protects itself", "while true do pcall(error) end"],
  ["a pattern of exponential time", "return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')"],
  ["a sleep", "time.sleep(1e9)"],
] as const) {
  test(`${what} ends when the worker is killed`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(`print('on') ${code}`);
    worker.send({ t: "run", id: 1 }, "{}");
    await worker.receive();
    await worker.receive();
    const ended = once(worker.process, "exit");

    worker.process.kill("SIGKILL");

    assert.deepEqual(await ended, [null, "SIGKILL"]);
  });
}

test("the worker ends when its channel is closed", async (t) => {
  const worker = new WorkerUnderTest(t);
  await worker.receive();
  const ended = once(worker.process, "exit");

  worker.channel.destroy();

  assert.deepEqual(await ended, [0, null]);
});
