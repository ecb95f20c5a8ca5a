import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import { exited, type FakeProcess, FakeSandbox, turn, until, version } from "./fake-sandbox.fixture.ts";
import { Pool, type PoolSettings } from "./pool.ts";
import type { RunHandle, RunReport } from "./run.ts";

const SETTINGS: PoolSettings = {
  bases: ["node"],
  maxWorkers: 4,
  outputLimitBytes: 1000,
  maxQueue: 100,
  queueTimeoutMs: 5_000,
  baseUrl: () => "http://here",
};

/** A worker that does what the input of each run says, at no cost: returns it, `crash`, `retire` afterwards, or `hang`. */
function echo(process: FakeProcess): void {
  process.onFrame = ({ t, id, body }) => {
    if (t === "ping") process.send([{ t: "pong", id }]);
    if (t !== "run" || body === '"hang"') return;
    if (body === '"crash"') process.die(exited(139));
    else if (body === '"retire"') {
      process.onFrame = () => {};
      process.send([{ t: "result", id }, body], [{ t: "retire", why: "asked to" }]);
    } else process.send([{ t: "result", id, cpuUs: 0 }, body]);
  };
  process.send([{ t: "ready" }]);
}

class PoolUnderTest {
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly sandbox: FakeSandbox;
  readonly pool: Pool;

  constructor(t: TestContext | undefined, settings: Partial<PoolSettings> = {}, program = echo) {
    this.sandbox = new FakeSandbox(program);
    this.pool = new Pool(this.sandbox, { ...SETTINGS, ...settings }, this.clock, (line) => this.log.push(line));
    t?.after(() => this.close());
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.sandbox.close();
  }

  run(id: string, input: unknown = 1, timeoutMs = 60_000): RunHandle {
    const handle = this.pool.run({
      version: version(id),
      executionId: "e",
      input: { kind: "value", json: JSON.stringify(input) },
      timeoutMs,
      onLog: () => {},
      onCall: () => Promise.resolve("{}"),
    });
    handle.report.catch(() => {});
    return handle;
  }

  /** A run of 20 ms on a version's warm worker. */
  async slowly(id: string): Promise<void> {
    const { report } = this.run(id, "hang");
    await this.pass(20);
    for (const process of this.sandbox.alive) {
      const { t, id: runId } = process.received.at(-1) ?? {};
      if (t === "run") process.send([{ t: "result", id: runId }, "1"]);
    }
    await this.settle(report);
  }

  /** Lets time pass in small steps, with the events that it brings about. */
  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 5) {
      this.clock.advance(Math.min(5, ms - passedMs));
      await turn();
    }
  }

  /** Resolves as `promise` does, while time passes. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): boolean => (settled = true);
    promise.then(note, note);
    await until(() => {
      if (!settled) this.clock.advance(1);
      return settled;
    });
    return await promise;
  }

  report(handle: RunHandle): Promise<RunReport> {
    return this.settle(handle.report);
  }
}

/** Processes that were ever bound, with the runs that each was sent. */
function served(sandbox: FakeSandbox): string[][] {
  return sandbox.processes
    .map(({ received }) => received.filter(({ t }) => t === "run" || t === "bind").map(({ body }) => body))
    .filter((bodies) => bodies.length > 0);
}

suite("a pool", () => {
  test("boots one idle worker of each base before it is asked", async (t) => {
    const { pool, sandbox, settle } = bound(new PoolUnderTest(t, { bases: ["node", "python"] }));

    await settle(pool.warmUp());

    const { workers } = await pool.report();
    assert.deepEqual(workers.map(({ base, state }) => `${base} ${state}`).toSorted(), ["node idle", "python idle"]);
    assert.equal(sandbox.launches, 2);
  });

  test("keeps a version on its worker", async (t) => {
    const { run, report, sandbox } = bound(new PoolUnderTest(t));
    const first = await report(run("v", 1));
    const second = await report(run("v", 2));

    assert.deepEqual(
      [first.outcome, second.outcome],
      [
        { kind: "ok", json: "1" },
        { kind: "ok", json: "2" },
      ],
    );
    assert.deepEqual([first.coldStart, second.coldStart], [true, false]);
    assert.deepEqual(served(sandbox), [["code of v", "1", "2"]]);
  });

  test("never lets two versions share a worker", async (t) => {
    const { run, report, sandbox } = bound(new PoolUnderTest(t));
    for (const id of ["a", "b", "c", "a", "d", "e", "b", "f"]) await report(run(id, id));

    for (const [code, ...inputs] of served(sandbox)) {
      assert.deepEqual(new Set(inputs), new Set([JSON.stringify(code?.slice(-1))]));
    }
  });

  test("never has more workers than it may, whatever is asked of it", async (t) => {
    const { run, report, sandbox } = bound(new PoolUnderTest(t, { maxWorkers: 3 }));
    const handles = Array.from({ length: 40 }, (_, index) => run(`v${index % 7}`, index));
    await Promise.all(handles.map(report));

    assert.ok(sandbox.mostAlive <= 3, `${sandbox.mostAlive} lived at once`);
  });

  test("serves a slow version with several workers at once", async (t) => {
    const { run, pass, sandbox } = bound(new PoolUnderTest(t));
    for (let count = 0; count < 3; count++) run("v", "hang");
    await pass(200);

    assert.equal(served(sandbox).length, 3);
  });

  test("serves a fast version with one worker, its runs sent ahead", async (t) => {
    const { run, report, sandbox } = bound(new PoolUnderTest(t));
    for (let count = 0; count < 10; count++) await report(run("v", count));
    const before = sandbox.processes.map(({ received }) => received.length);

    const together = Array.from({ length: 8 }, (_, index) => run("v", index));
    await until(() => sandbox.processes.some(({ received }, index) => received.length - (before[index] ?? 0) === 8));
    const reports = await Promise.all(together.map(report));

    assert.ok(reports.every(({ outcome, coldStart }) => outcome.kind === "ok" && !coldStart));
    assert.equal(served(sandbox).length, 1);
  });

  test("lets a version go first that is known to be quick, until it no longer is", async (t) => {
    const { run, report, slowly, sandbox } = bound(new PoolUnderTest(t));
    const own = (): FakeProcess | undefined => sandbox.processes.find(({ received }) => received.length > 0);
    for (let count = 0; count < 8; count++) await report(run("v"));
    const unknown = own()?.background;
    await report(run("v"));
    const quick = own()?.background;
    for (let count = 0; count < 20; count++) await slowly("v");

    assert.deepEqual([unknown, quick, own()?.background], [true, false, true]);
  });

  test("sends a run to the background that takes long, however quick its version was; the next one goes first again", async (t) => {
    const { run, report, pass, sandbox } = bound(new PoolUnderTest(t));
    for (let count = 0; count < 10; count++) await report(run("v"));
    const own = sandbox.processes.find(({ received }) => received.length > 0) ?? assert.fail();
    const long = run("v", "hang");
    const before = own.background;
    await pass(1_000);
    const during = own.background;
    own.send([{ t: "result", id: own.received.at(-1)?.id }, "1"]);
    await report(long);

    assert.deepEqual([before, during, own.background], [false, true, false]);
  });

  test("looks after workers in the background that are at something for long", async (t) => {
    const { run, report, pass, sandbox } = bound(new PoolUnderTest(t));
    await report(run("resting"));
    run("busy", "hang", 60_000);
    await pass(2_100);

    const reliefs = sandbox.processes.map(({ received, reliefs }) => [received.at(-1)?.body, reliefs]);
    assert.deepEqual(
      reliefs.filter(([, count]) => count !== 0),
      [['"hang"', 4]],
    );
  });

  test("serves the first burst of a quick version with one worker", async (t) => {
    const { run, settle, sandbox } = bound(new PoolUnderTest(t));
    const burst = Array.from({ length: 32 }, (_, index) => run("v", index));
    const reports = await settle(Promise.all(burst.map((handle) => handle.report)));

    assert.ok(reports.every(({ outcome }) => outcome.kind === "ok"));
    assert.equal(served(sandbox).length, 1);
  });

  test("gives the runs of a fast version to one of its workers, and to the next where that has too much to do", async (t) => {
    const { run, report, pass, settle, sandbox } = bound(new PoolUnderTest(t));
    const held = Array.from({ length: 3 }, () => run("v", "hang"));
    await pass(200);
    const own = sandbox.processes.filter(({ received }) => received.length > 0);
    for (const process of own) process.send([{ t: "result", id: process.received.at(-1)?.id, cpuUs: 0 }, "1"]);
    await settle(Promise.all(held.map((handle) => handle.report)));
    for (let count = 0; count < 100; count++) await report(run("v")); // the memory of what those cost is gone
    const before = own.map(({ received }) => received.length);
    for (let count = 0; count < 40; count++) run("v", "hang");
    await pass(50);

    assert.equal(own.length, 3);
    assert.deepEqual(
      own.map(({ received }, index) => received.length - (before[index] ?? 0)),
      [32, 8, 0],
    );
  });

  test("lets runs of a version that is known to be slow wait for no worker of its own", async (t) => {
    const { run, report, slowly, pass, sandbox } = bound(new PoolUnderTest(t));
    await report(run("v"));
    for (let count = 0; count < 10; count++) await slowly("v");
    for (let count = 0; count < 2; count++) run("v", "hang");
    await pass(10);

    assert.equal(served(sandbox).length, 2);
  });

  test("runs what was sent ahead of a worker that retires on another one, once each", async (t) => {
    const { run, report, sandbox } = bound(new PoolUnderTest(t));
    for (let count = 0; count < 10; count++) await report(run("v", count));
    const together = ["retire", "x", "y"].map((input) => run("v", input));
    const reports = await Promise.all(together.map(report));

    assert.deepEqual(
      reports.map(({ outcome }) => outcome),
      ['"retire"', '"x"', '"y"'].map((json) => ({ kind: "ok", json })),
    );
    assert.equal(served(sandbox).length, 2);
  });

  test("gives up a resting worker for a version that has none", async (t) => {
    const { run, report, sandbox } = bound(new PoolUnderTest(t, { maxWorkers: 1 }));
    await report(run("a"));
    const { outcome } = await report(run("b", 2));

    assert.deepEqual(outcome, { kind: "ok", json: "2" });
    assert.equal(sandbox.mostAlive, 1);
  });

  test("keeps warm workers rather than idle ones: one that nobody has wanted goes first", async (t) => {
    const settings = { bases: ["node", "python"], maxWorkers: 3 };
    const { pool, run, report, pass, settle, sandbox } = bound(new PoolUnderTest(t, settings));
    await settle(pool.warmUp());
    const ids = ["a", "b", "c"];
    for (const id of ids) {
      for (let count = 0; count < 2; count++) await report(run(id));
      await pass(500);
    }
    await pass(5_000);
    const again: boolean[] = [];
    for (const id of ids) again.push((await report(run(id))).coldStart);

    assert.deepEqual(again, [false, false, false]);
    assert.equal(served(sandbox).length, 3);
    assert.deepEqual(
      (await pool.report()).workers.map(({ base }) => base),
      ["node", "node", "node"],
    );
  });

  test("gives up a worker that was used once, to have an idle one ready, and keeps the idle ones of other bases", async (t) => {
    const settings = { bases: ["node", "python"], maxWorkers: 4 };
    const { pool, run, report, pass, settle } = bound(new PoolUnderTest(t, settings));
    await settle(pool.warmUp());
    for (const id of ["a", "b", "c", "d", "e"]) {
      await report(run(id));
      await pass(500);
    }

    const states = (await pool.report()).workers.map(({ base, state }) => `${base} ${state}`);
    assert.deepEqual(states.toSorted(), ["node idle", "node warm", "node warm", "python idle"]);
  });

  test("gives up a worker that has rested for long, to have an idle one ready where they are taken", async (t) => {
    const { run, report, pass, pool } = bound(new PoolUnderTest(t, { maxWorkers: 2 }));
    for (let count = 0; count < 2; count++) await report(run("old"));
    await pass(30_000);
    await report(run("new"));
    await pass(500);

    const states = (await pool.report()).workers.map(({ state, version }) => `${state} ${version}`);
    assert.deepEqual(states.toSorted(), ["idle undefined", "warm new@1"]);
  });

  test("finds a resting worker that no longer answers, and replaces it", async (t) => {
    const { run, report, pass, pool, sandbox } = bound(new PoolUnderTest(t));
    await report(run("v"));
    const mute = sandbox.processes.find(({ received }) => received.length > 0);
    assert.ok(mute);
    mute.onFrame = () => {};
    await pass(12_500);

    assert.ok(mute.killed);
    assert.ok((await pool.report()).workers.every(({ id }) => id !== mute.id));
    assert.equal((await report(run("v", 3))).outcome.kind, "ok");
  });

  test("replaces a resting worker that holds almost all of its memory", async (t) => {
    const { run, report, pass, sandbox } = bound(new PoolUnderTest(t));
    await report(run("v"));
    const fat = sandbox.processes.find(({ received }) => received.length > 0);
    assert.ok(fat);
    fat.memory = sandbox.limits.memoryBytes * 0.9;
    await pass(10_100);

    assert.ok(fat.killed);
  });
});

suite("a run in line", () => {
  test("is refused when the line is full", async (t) => {
    const { run, report, pass } = bound(new PoolUnderTest(t, { maxWorkers: 1, maxQueue: 2 }));
    run("v", "hang");
    await pass(100);
    run("v");
    run("v");

    await assert.rejects(report(run("v")), {
      code: "POOL_SATURATED",
      message: "2 runs wait in line already (setting MAX_QUEUE)",
    });
  });

  test("is refused when it has waited too long, and says for what", async (t) => {
    const { run, report } = bound(new PoolUnderTest(t, { maxWorkers: 1 }));
    run("v", "hang");

    await assert.rejects(report(run("v")), {
      code: "POOL_SATURATED",
      message: "waited 5000 ms for a worker (1 of 1 busy, setting MAX_CONTAINERS)",
    });
  });

  test("can be cancelled, and never reaches a worker then", async (t) => {
    const { run, report, pass, pool, sandbox } = bound(new PoolUnderTest(t, { maxWorkers: 1 }));
    const running = run("v", "hang", 500);
    await pass(100);
    const waiting = run("v", "never");
    waiting.cancel();
    const { outcome } = await report(waiting);
    await report(running);
    await pass(200);

    assert.deepEqual(outcome, { kind: "cancelled" });
    assert.equal((await pool.report()).waiting, 0);
    assert.ok(served(sandbox).every((bodies) => !bodies.includes('"never"')));
  });
});

suite("a boot that fails", () => {
  test("is logged, is tried again after a pause only, and then serves", async (t) => {
    const { run, report, pass, sandbox, log } = bound(new PoolUnderTest(t));
    sandbox.refusal = "no more processes";
    const waiting = run("v");
    await pass(900);
    const launchesInPause = sandbox.launches;
    sandbox.refusal = undefined;
    const { outcome } = await report(waiting);

    assert.ok(launchesInPause <= 2, `${launchesInPause} launches in one second`);
    assert.equal(outcome.kind, "ok");
    assert.equal(log[0], "a node sandbox did not start: no more processes");
  });

  test("is what a run that waited too long is told", async (t) => {
    const { run, report, sandbox } = bound(new PoolUnderTest(t));
    sandbox.refusal = "no more processes";

    await assert.rejects(report(run("v")), { message: "waited 5000 ms for a worker (no more processes)" });
  });

  test("fails the warm-up", async (t) => {
    const { pool, settle } = bound(
      new PoolUnderTest(t, {}, (process) => {
        process.inside.stderr.write("no interpreter");
        process.die(exited(1));
      }),
    );

    await assert.rejects(settle(pool.warmUp()), {
      code: "SANDBOX_START_FAILED",
      message: "a node sandbox does not start: no interpreter",
    });
  });
});

suite("a pool that stops", () => {
  test("finishes what it has accepted and takes no more", async (t) => {
    const { run, report, pool, settle } = bound(new PoolUnderTest(t, { maxWorkers: 1 }));
    const accepted = ["a", "b", "c"].map((id) => run(id));
    const drained = pool.drain();

    await assert.rejects(run("d").report, { code: "DRAINING" });
    await settle(drained);
    for (const handle of accepted) assert.equal((await report(handle)).outcome.kind, "ok");
  });

  test("ends every worker and refuses who waits", async (t) => {
    const { run, pass, pool, settle, sandbox } = bound(new PoolUnderTest(t, { maxWorkers: 1 }));
    const running = run("v", "hang");
    await pass(100);
    const waiting = run("w");
    await settle(pool.end());

    await assert.rejects(waiting.report, { code: "DRAINING" });
    assert.equal((await running.report).outcome.kind, "crashed");
    assert.deepEqual(sandbox.alive, []);
  });
});

test("every run is settled exactly once, on a worker of its own version, whatever happens", async () => {
  const step = fc.record({
    id: fc.constantFrom("a", "b", "c"),
    input: fc.constantFrom("one", "two", "crash", "retire", "hang"),
    cancelled: fc.boolean(),
    pauseMs: fc.nat(40),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const { run, report, pass, close, sandbox, clock } = bound(new PoolUnderTest(undefined, { maxWorkers: 2 }));
      const handles: RunHandle[] = [];
      for (const { id, input, cancelled, pauseMs } of steps) {
        const handle = run(id, input, 300);
        handles.push(handle);
        await pass(pauseMs);
        if (cancelled) handle.cancel();
      }

      const settled = await Promise.allSettled(handles.map(report));

      settled.forEach((result, index) => {
        const { input, cancelled } = steps[index] ?? assert.fail();
        const kind = result.status === "fulfilled" ? result.value.outcome.kind : "refused";
        const expected = { one: "ok", two: "ok", retire: "ok", crash: "crashed", hang: "timed-out" }[input];
        assert.ok(kind === expected || kind === "refused" || (cancelled && kind === "cancelled"), `${input}: ${kind}`);
      });
      assert.ok(sandbox.mostAlive <= 2);
      await close();
      assert.deepEqual(sandbox.alive, []);
      assert.ok(clock.pending <= 1, "no run's timer is left");
    }),
    { numRuns: 25 },
  );
});

/** The same object with its methods bound, to be taken apart. */
function bound(pool: PoolUnderTest) {
  return {
    pool: pool.pool,
    sandbox: pool.sandbox,
    clock: pool.clock,
    log: pool.log,
    run: pool.run.bind(pool),
    report: pool.report.bind(pool),
    slowly: pool.slowly.bind(pool),
    pass: pool.pass.bind(pool),
    settle: <T>(promise: Promise<T>): Promise<T> => pool.settle(promise),
    close: pool.close.bind(pool),
  };
}
