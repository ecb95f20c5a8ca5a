import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import type { Outcome } from "../core/outcome.ts";
import { exited, FakeProcess, KILLED, SocketPairs, turn, until, version } from "./fake-sandbox.fixture.ts";
import { Run } from "./run.ts";
import { Worker } from "./worker.ts";

const OUTPUT_LIMIT_BYTES = 100;
const MEMORY_LIMIT_BYTES = 1_000_000;
const TIMEOUT_MS = 1_000;
const MORE_THAN_A_FRAME = 70_000;

/** A worker whose process is played by the test, and all that it told. */
class Stage {
  readonly clock = new ManualClock();
  readonly process: FakeProcess;
  readonly worker: Worker;
  readonly over: Run[] = [];
  readonly unstarted: Run[] = [];
  readonly printed: string[] = [];
  retired = 0;
  readonly gone: (string | undefined)[] = [];

  constructor(process: FakeProcess) {
    this.process = process;
    const options = {
      clock: this.clock,
      outputLimitBytes: OUTPUT_LIMIT_BYTES,
      memoryLimitBytes: MEMORY_LIMIT_BYTES,
      baseUrl: () => "http://here",
    };
    this.worker = new Worker("node", process, options, {
      onReady: () => {},
      onOver: (run) => this.over.push(run),
      onRetired: (runs) => {
        this.retired++;
        this.unstarted.push(...runs);
      },
      onGone: (bootFailure) => this.gone.push(bootFailure),
    });
  }

  /** Gives the worker a run; what it prints is noted as `name:text`. */
  take(name = "a"): Run {
    const run = new Run(
      {
        version: version("v"),
        executionId: "e",
        input: { kind: "value", json: `"${name}"` },
        timeoutMs: TIMEOUT_MS,
        onCall: () => Promise.resolve("{}"),
        onLog: ({ text }) => this.printed.push(`${name}:${text}`),
      },
      this.clock.monotonicMs(),
    );
    this.worker.take(run);
    return run;
  }
}

async function booting(t: TestContext): Promise<Stage> {
  const pairs = new SocketPairs();
  const process = new FakeProcess(1, await Promise.all([pairs.make(), pairs.make(), pairs.make()]));
  t.after(() => {
    process.die(KILLED);
    pairs.close();
  });
  return new Stage(process);
}

/** A worker that is bound to a version and warm. */
async function warm(t: TestContext): Promise<Stage> {
  const stage = await booting(t);
  stage.process.send([{ t: "ready" }]);
  await until(() => stage.worker.state === "idle");
  stage.worker.bind(version("v"));
  return stage;
}

async function outcomeOf(run: Run): Promise<Outcome> {
  return (await run.report).outcome;
}

const OK_1 = { kind: "ok", json: "1" } as const;

suite("a worker's life", () => {
  test("goes from booting to idle, warm, busy and back to warm", async (t) => {
    const stage = await booting(t);
    const states = [stage.worker.state];
    stage.clock.advance(30);
    stage.process.send([{ t: "ready", cpuUs: 40_000 }]);
    await until(() => stage.worker.state === "idle");
    states.push(stage.worker.state);
    stage.worker.bind(version("v"));
    states.push(stage.worker.state);
    const run = stage.take();
    states.push(stage.worker.state);
    stage.clock.advance(7);
    stage.process.send([{ t: "result", id: 1, cpuUs: 43_500, peakKib: 9 }, "1"]);
    const report = await run.report;
    states.push(stage.worker.state);
    await until(() => stage.process.received.length === 2);

    assert.deepEqual(states, ["booting", "idle", "warm", "busy", "warm"]);
    assert.deepEqual(report, {
      outcome: OK_1,
      ...{ coldStart: false, waitMs: 0, runMs: 7, cpuMs: 3.5, peakMemoryBytes: 9216 },
    });
    assert.equal(stage.worker.bootMs, 30);
    assert.equal(stage.worker.runsServed, 1);
    assert.equal(stage.clock.pending, 0, "no timer is left");
    assert.deepEqual(
      stage.process.received.map(({ t, body }) => `${t} ${body}`),
      ["bind code of v", 'run "a"'],
    );
  });

  test("that ends before it is ready tells what it printed", async (t) => {
    const stage = await booting(t);
    stage.process.inside.stderr.write("no such interpreter\n");
    stage.process.die(exited(127));
    await until(() => stage.gone.length > 0);

    assert.deepEqual(stage.gone, ["no such interpreter"]);
  });

  test("that ends before it is ready without a word tells its exit status", async (t) => {
    const stage = await booting(t);
    stage.process.die(exited(125));
    await until(() => stage.gone.length > 0);

    assert.deepEqual(stage.gone, ["it ended with exit status 125"]);
  });

  test("that ends later is no failure of the boot", async (t) => {
    const stage = await warm(t);
    stage.process.die(exited(0));
    await until(() => stage.gone.length > 0);

    assert.deepEqual(stage.gone, [undefined]);
    assert.equal(stage.retired, 1);
  });
});

suite("the end of a run", () => {
  const endings: { readonly [what: string]: { frame: [object, string?]; outcome: Outcome } } = {
    "a value": { frame: [{ t: "result", id: 1 }, '{"a":1}'], outcome: { kind: "ok", json: '{"a":1}' } },
    "nothing returned": { frame: [{ t: "result", id: 1 }], outcome: { kind: "ok", json: undefined } },
    "a thrown error": {
      frame: [{ t: "error", id: 1 }, '{"name":"E","message":"m","stack":"s"}'],
      outcome: { kind: "failed", name: "E", message: "m", stack: "s" },
    },
    "an exit code": { frame: [{ t: "exit", id: 1, code: 3 }], outcome: { kind: "exited", exitCode: 3 } },
    "exit code 0": { frame: [{ t: "exit", id: 1, code: 0 }], outcome: { kind: "ok", json: undefined } },
    "a value over the limit": {
      frame: [{ t: "result", id: 1 }, `"${"x".repeat(OUTPUT_LIMIT_BYTES)}"`],
      outcome: { kind: "output-limit", limitBytes: OUTPUT_LIMIT_BYTES },
    },
    "a frame over every limit": {
      frame: [{ t: "result", id: 1 }, `"${"x".repeat(MORE_THAN_A_FRAME)}"`],
      outcome: { kind: "output-limit", limitBytes: OUTPUT_LIMIT_BYTES },
    },
    "a value that is not JSON": {
      frame: [{ t: "result", id: 1 }, "nope"],
      outcome: { kind: "crashed", detail: "it sent a result that is not JSON" },
    },
    "the end of another run": {
      frame: [{ t: "result", id: 2 }, "1"],
      outcome: { kind: "crashed", detail: "it sent the end of run 2, which is not running" },
    },
    "the exit of another run": {
      frame: [{ t: "exit", id: 7, code: 0 }],
      outcome: { kind: "crashed", detail: "it sent the exit of run 7, which is not running" },
    },
    "a second ready": {
      frame: [{ t: "ready" }],
      outcome: { kind: "crashed", detail: "it sent a second ready" },
    },
    "an error that is not JSON": {
      frame: [{ t: "error", id: 1 }, "nope"],
      outcome: { kind: "crashed", detail: "it sent an error that is not JSON" },
    },
    "an error that is null": {
      frame: [{ t: "error", id: 1 }, "null"],
      outcome: { kind: "crashed", detail: "it sent an error that is not an object" },
    },
    "an error without a stack": {
      frame: [{ t: "error", id: 1 }, '{"name":"E","message":"m"}'],
      outcome: { kind: "crashed", detail: "it sent an error without name, message and stack" },
    },
  };
  for (const [what, { frame, outcome }] of Object.entries(endings)) {
    test(`by ${what} is ${outcome.kind}`, async (t) => {
      const stage = await warm(t);
      const run = stage.take();
      stage.process.send(frame);

      assert.deepEqual(await outcomeOf(run), outcome);
    });
  }

  const deaths = {
    "by the kernel for memory": {
      ending: { ...KILLED, outOfMemory: true },
      outcome: { kind: "out-of-memory", limitBytes: MEMORY_LIMIT_BYTES },
    },
    "by a signal": { ending: KILLED, outcome: { kind: "crashed", detail: "signal SIGKILL" } },
    "by a signal inside the box": { ending: exited(139), outcome: { kind: "crashed", detail: "signal SIGSEGV" } },
    "by an unnamed signal": { ending: exited(128 + 40), outcome: { kind: "crashed", detail: "signal 40" } },
    "with an exit code": { ending: exited(3), outcome: { kind: "exited", exitCode: 3 } },
    "with exit code 0": { ending: exited(0), outcome: { kind: "ok", json: undefined } },
    "with nothing known": {
      ending: { ...KILLED, signal: null },
      outcome: { kind: "crashed", detail: "no exit code" },
    },
  } as const;
  for (const [how, { ending, outcome }] of Object.entries(deaths)) {
    test(`by a process that dies ${how} is ${outcome.kind}`, async (t) => {
      const stage = await warm(t);
      const run = stage.take();
      stage.process.die(ending);

      assert.deepEqual(await outcomeOf(run), outcome);
    });
  }

  test("by an interpreter that says its heap is full is out of memory", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.process.inside.stderr.write("FATAL ERROR: JavaScript heap out of memory\n");
    stage.process.die(exited(134));

    assert.equal((await outcomeOf(run)).kind, "out-of-memory");
  });

  test("by a closed channel alone kills the process after a grace", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.process.inside.control.end();
    await until(() => stage.worker.state === "ending");
    const killedAtOnce = stage.process.killed;
    stage.clock.advance(250);

    assert.equal(killedAtOnce, false);
    assert.deepEqual(await outcomeOf(run), { kind: "crashed", detail: "it closed its control channel" });
  });
});

suite("the first cause of an end wins:", () => {
  test("a timeout, then the crash that its kill causes", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.clock.advance(TIMEOUT_MS);

    assert.deepEqual(await outcomeOf(run), { kind: "timed-out", limitMs: TIMEOUT_MS });
    assert.ok(stage.process.killed);
  });

  test("a timeout, then a result that was on its way", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.process.slowToDie = true;
    stage.clock.advance(TIMEOUT_MS);
    stage.process.send([{ t: "result", id: 1 }, "1"]);
    await turn();
    stage.process.die(KILLED);

    assert.equal((await outcomeOf(run)).kind, "timed-out");
  });

  test("too much output, then the exit", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    const log = { t: "log", level: "info", stream: "stdout" };
    stage.process.slowToDie = true;
    stage.process.send([log, "x".repeat(OUTPUT_LIMIT_BYTES)], [log, "y"], [{ t: "exit", id: 1, code: 0 }]);
    await until(() => stage.process.killed);
    stage.process.die(exited(0));

    assert.deepEqual(await outcomeOf(run), { kind: "output-limit", limitBytes: OUTPUT_LIMIT_BYTES });
    assert.deepEqual(stage.printed, [`a:${"x".repeat(OUTPUT_LIMIT_BYTES)}`]);
  });

  test("an exit, then the signal that ends the process", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.process.send([{ t: "exit", id: 1, code: 4 }]);

    assert.deepEqual(await outcomeOf(run), { kind: "exited", exitCode: 4 });
  });

  test("a broken protocol, then all else that it sends", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.process.slowToDie = true;
    stage.process.send([{ t: "what" }], [{ t: "result", id: 1 }, "1"]);
    stage.process.send([{ t: "log", level: "info", stream: "stdout" }, "late"]);
    await until(() => stage.process.killed);
    await turn();
    stage.process.die(exited(0));

    assert.equal((await outcomeOf(run)).kind, "crashed");
    assert.deepEqual(stage.printed, []);
  });

  test("a result that says where to look for text, then the process's death", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.process.inside.stdout.write("raw\n");
    stage.process.send([{ t: "result", id: 1, raw: true }, "1"]);
    stage.process.die(exited(9));

    assert.deepEqual(await outcomeOf(run), OK_1);
    assert.deepEqual(stage.printed, ["a:raw\n"]);
  });
});

suite("text", () => {
  test("of frames and of the raw streams goes to the run that prints it", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.process.inside.stderr.write("raw");
    await until(() => stage.printed.length === 1);
    stage.process.send([{ t: "log", level: "warn", stream: "stderr" }, "log"], [{ t: "result", id: 1 }, "1"]);
    await run.report;

    assert.deepEqual(stage.printed, ["a:raw", "a:log"]);
  });

  test("between two runs goes to nobody", async (t) => {
    const stage = await warm(t);
    stage.process.onFrame = ({ t, id }) => {
      if (t === "ping")
        stage.process.send([{ t: "log", level: "info", stream: "stdout" }, "ghost"], [{ t: "pong", id }]);
    };
    await stage.worker.ping(100);
    const run = stage.take();
    stage.process.send([{ t: "result", id: 1 }, "1"]);

    assert.deepEqual(await outcomeOf(run), OK_1);
    assert.deepEqual(stage.printed, []);
  });

  test("of the next run is not taken for that of a run whose raw text is still being read", async (t) => {
    const stage = await warm(t);
    const runs = [stage.take("a"), stage.take("b")];
    stage.process.send(
      [{ t: "result", id: 1, raw: true }, "1"],
      [{ t: "log", level: "info", stream: "stdout" }, "secret"],
      [{ t: "result", id: 2, raw: true }, "2"],
    );
    const outcomes = await Promise.all(runs.map(outcomeOf));

    assert.deepEqual(outcomes, [OK_1, { kind: "ok", json: "2" }]);
    assert.deepEqual(stage.printed, ["b:secret"]);
    assert.notEqual(stage.worker.state, "ending");
  });
});

suite("runs sent ahead", () => {
  test("are run one after the other, each with its own time", async (t) => {
    const stage = await warm(t);
    const [first, second] = [stage.take("a"), stage.take("b")];
    stage.clock.advance(TIMEOUT_MS - 1);
    stage.process.send([{ t: "result", id: 1 }, "1"]);
    await first.report;
    stage.clock.advance(TIMEOUT_MS - 1);
    stage.process.send([{ t: "result", id: 2 }, "2"]);
    const report = await second.report;

    assert.deepEqual(report.outcome, { kind: "ok", json: "2" });
    assert.deepEqual([report.waitMs, report.runMs], [TIMEOUT_MS - 1, TIMEOUT_MS - 1]);
    assert.deepEqual(stage.over, [first, second]);
  });

  test("go back unstarted when the worker retires after a run", async (t) => {
    const stage = await warm(t);
    const [first, second, third] = [stage.take("a"), stage.take("b"), stage.take("c")];
    stage.process.send([{ t: "result", id: 1 }, "1"], [{ t: "retire", why: "a timer" }]);
    await until(() => stage.gone.length > 0);

    assert.deepEqual(await outcomeOf(first), OK_1);
    assert.deepEqual(stage.unstarted, [second, third]);
    assert.deepEqual([second.settled, third.settled], [false, false]);
  });

  test("go back, but not the finished run, when it retires while raw text is being read", async (t) => {
    const stage = await warm(t);
    const [first, second] = [stage.take("a"), stage.take("b")];
    stage.process.send([{ t: "result", id: 1, raw: true }, "1"], [{ t: "retire", why: "a timer" }]);
    await until(() => stage.gone.length > 0);

    assert.deepEqual(await outcomeOf(first), OK_1);
    assert.deepEqual(stage.unstarted, [second]);
  });

  test("go back at once when the running one times out", async (t) => {
    const stage = await warm(t);
    stage.process.slowToDie = true;
    const [first, second] = [stage.take("a"), stage.take("b")];
    stage.clock.advance(TIMEOUT_MS);

    assert.deepEqual(stage.unstarted, [second]);
    assert.equal(first.settled, false, "the caller learns it when nothing is left");
  });

  test("go back when the process dies of the running one", async (t) => {
    const stage = await warm(t);
    const [first, second] = [stage.take("a"), stage.take("b")];
    stage.process.die(exited(139));

    assert.equal((await outcomeOf(first)).kind, "crashed");
    assert.deepEqual(stage.unstarted, [second]);
  });
});

suite("cancelling", () => {
  test("the running run ends the worker, when it has not ended 50 ms later", async (t) => {
    const stage = await warm(t);
    const run = stage.take();
    stage.worker.cancel(run);
    stage.clock.advance(49);
    const early = stage.process.killed;
    stage.clock.advance(1);

    assert.deepEqual(await outcomeOf(run), { kind: "cancelled" });
    assert.deepEqual([early, stage.process.killed], [false, true]);
  });

  test("a run that ends by itself leaves the worker to the next one", async (t) => {
    const stage = await warm(t);
    const [first, second] = [stage.take("a"), stage.take("b")];
    first.settle({ kind: "cancelled" }, 0); // as the pool does
    stage.worker.cancel(first);
    stage.process.send([{ t: "result", id: 1 }, "1"]);
    await until(() => stage.over.length === 1);
    stage.clock.advance(50);
    stage.process.send([{ t: "result", id: 2 }, "1"]);

    assert.deepEqual(await Promise.all([first, second].map(outcomeOf)), [{ kind: "cancelled" }, OK_1]);
    assert.equal(stage.process.killed, false);
  });

  test("a run that was sent ahead leaves the worker and its neighbours alone, for good", async (t) => {
    const stage = await warm(t);
    const [first, second, third] = [stage.take("a"), stage.take("b"), stage.take("c")];
    second.settle({ kind: "cancelled" }, 0); // as the pool does
    stage.worker.cancel(second);
    stage.process.send([{ t: "result", id: 1 }, "1"], [{ t: "result", id: 2 }, "2"]);
    await until(() => stage.over.length === 2);
    stage.clock.advance(1);
    stage.process.send([{ t: "result", id: 3 }, "1"]);

    assert.deepEqual(await Promise.all([first, second, third].map(outcomeOf)), [OK_1, { kind: "cancelled" }, OK_1]);
    assert.equal(stage.clock.pending, 0, "the time limit of the cancelled run must not meet a later one");
  });
});

suite("a ping", () => {
  test("is answered by a worker that lives", async (t) => {
    const stage = await warm(t);
    stage.process.onFrame = ({ t, id }) => {
      if (t === "ping") stage.process.send([{ t: "pong", id: id + 1 }], [{ t: "pong", id }]);
    };

    assert.equal(await stage.worker.ping(100), true);
    assert.equal(stage.clock.pending, 0);
  });

  test("fails when nothing comes in time", async (t) => {
    const stage = await warm(t);
    const answered = stage.worker.ping(100);
    stage.clock.advance(100);

    assert.equal(await answered, false);
  });

  test("does not fail a worker that got a run meanwhile", async (t) => {
    const stage = await warm(t);
    const answered = stage.worker.ping(100);
    stage.take();
    stage.clock.advance(100);

    assert.equal(await answered, true);
  });
});

test("ending a worker twice kills and retires it once", async (t) => {
  const stage = await warm(t);
  stage.worker.end({ kind: "retired", why: "first" });
  stage.worker.end({ kind: "timed-out", limitMs: 1 });
  await until(() => stage.gone.length > 0);
  await turn();

  assert.equal(stage.retired, 1);
  assert.deepEqual(stage.gone, [undefined]);
});
