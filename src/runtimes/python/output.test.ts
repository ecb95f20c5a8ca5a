import assert from "node:assert/strict";
import { test } from "node:test";

import { timesAsLong } from "../printing.fixture.ts";
import { WorkerUnderTest, encode, python, runOnce } from "./worker-under-test.ts";

test("each printed line is one frame, at once", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("import sys, time\nprint('a', 1)\nprint('b', file=sys.stderr)\ntime.sleep(60)");
  worker.send({ t: "run", id: 1 }, "{}");

  const frames = [await worker.receive(), await worker.receive(), await worker.receive()];

  assert.deepEqual(frames, [
    { header: { t: "ready" }, body: "" },
    { header: { t: "log", level: "info", stream: "stdout" }, body: "a 1\n" },
    { header: { t: "log", level: "error", stream: "stderr" }, body: "b\n" },
  ]);
});

test("an unfinished line is sent by a flush and by the end of the run", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("print('a', end='', flush=True)\nprint('b', end='')");
  worker.send({ t: "run", id: 1 }, "{}");
  await worker.receive();

  assert.equal((await worker.receive()).body, "a");
  assert.equal((await worker.receive()).body, "b");
  assert.equal((await worker.receive()).header.t, "result");
});

test("a hundred thousand lines arrive in order, and take at most twelve times as long as without us", async (t) => {
  const times = await timesAsLong(
    async () => {
      const { stdout } = await runOnce(t, "for i in range(100_000): print(i)");
      const lines = stdout.split("\n");
      assert.equal(lines.length, 100_001);
      assert.equal(lines[99_999], "99999");
    },
    [python, "-c", "for i in range(100_000): print(i, flush=True)"],
    12, // two to three are usual
  );

  assert.ok(times < 12, `${times} times as long`);
});

test("a print of megabytes is cut between characters", async (t) => {
  const { stdout } = await runOnce(t, "print('€' * 500_000)");

  assert.equal(stdout, `${"€".repeat(500_000)}\n`);
});

test("the streams are real text streams", async (t) => {
  const code = `
import sys
sys.stdout.buffer.write(b"bytes\\n")
sys.stdout.buffer.flush()
sys.stdout.writelines(["x\\n", "\\ud800\\n"])
sys.__stdout__.write("dunder\\n")
return [sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout.isatty(), sys.stdout.encoding, sys.stdin.read()]`;

  const { end, stdout } = await runOnce(t, code);

  assert.equal(stdout, "bytes\nx\n\\ud800\ndunder\n");
  assert.equal(end.body, '[1,2,false,"utf-8",""]');
});

test("a run that closes its streams does not silence the next", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("import sys\nprint('x')\nsys.stdout.close()\nreturn 1");

  await worker.run();
  const second = await worker.run();

  assert.equal(second.stdout, "x\n");
  assert.equal(second.end.body, "1");
});

test("logging and warnings go to stderr, in every run", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(
    "import logging, warnings\nlogging.basicConfig(level='INFO')\nlogging.info('hi')\nwarnings.warn('careful')",
  );

  for (let round = 0; round < 3; round += 1) {
    const { stderr } = await worker.run();
    assert.match(stderr, /^INFO:root:hi\nscript.py:4: UserWarning: careful\n/);
  }
});

test("what a finalizer prints after the end of a run is dropped", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("class A:\n  def __del__(self): print('late')\na = A()\nreturn 1");

  await worker.run();

  assert.equal(await worker.whyRetired(), undefined);
});

test("frames may arrive byte by byte, and runs and pings are answered in their order", async (t) => {
  const worker = new WorkerUnderTest(t);
  const frames = Buffer.concat([
    encode({ t: "bind", language: "python", options: { file: "script.py" } }, "return event"),
    encode({ t: "run", id: 1 }, '"ä"'),
    encode({ t: "ping", id: 2 }, ""),
    encode({ t: "run", id: 3 }, "[]"),
    encode({ t: "unknown" }, "?"),
  ]);
  worker.channel.setNoDelay(true);
  for (const byte of frames) {
    worker.channel.write(Buffer.of(byte));
    if (byte % 8 === 0) await new Promise(setImmediate);
  }

  const answers = [];
  for (let count = 0; count < 4; count += 1) answers.push(await worker.receive());

  assert.deepEqual(answers, [
    { header: { t: "ready" }, body: "" },
    { header: { t: "result", id: 1 }, body: '"ä"' },
    { header: { t: "pong", id: 2 }, body: "" },
    { header: { t: "result", id: 3 }, body: "[]" },
  ]);
});

test("runs sent ahead are all answered", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("return event");
  for (let id = 1; id <= 1_000; id += 1) worker.send({ t: "run", id }, String(id));
  await worker.receive();

  for (let id = 1; id <= 1_000; id += 1) assert.equal((await worker.receive()).body, String(id));
});

test("the child of a fork neither reads frames nor answers the run", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("import os\npid = os.fork()\nprint('x')\nif pid: os.waitpid(pid, 0)\nreturn pid > 0");

  const { end, stdout } = await worker.run();

  assert.equal(stdout, "x\n");
  assert.equal(end.body, "true");
  assert.equal(await worker.whyRetired(), "it started a process");
});

test("the worker ends when its channel is closed", async (t) => {
  const worker = new WorkerUnderTest(t);
  await worker.receive();
  const ended = new Promise((resolve) => {
    worker.process.once("exit", resolve);
  });

  worker.channel.destroy();

  assert.equal(await ended, 0);
});

test("a script that closes the channel ends its worker, and quietly", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("import os\nos.close(3)\nreturn 1");
  const ended = new Promise((resolve) => {
    worker.process.once("exit", resolve);
  });
  worker.send({ t: "run", id: 1 }, "{}");

  assert.equal(await ended, 1);
});
