import assert from "node:assert/strict";
import { afterEach, beforeEach, suite, test } from "node:test";
import { PlatformError } from "../core/errors.ts";
import type { Schedule } from "../core/function.ts";
import type { Job } from "../queue/queue.ts";
import { type Begun, type Node, quiet, until, World } from "./background.fixture.ts";
import type { StoredFunction } from "./catalog.ts";

const OK = { kind: "ok", json: '"done"' } as const;
const FAILED = { kind: "failed", name: "Error", message: "no", stack: "" } as const;
const VALUE = { kind: "value", json: "{}" } as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const EVERY_MINUTE: Schedule = {
  ...{ cron: "* * * * *", timeZone: "UTC", overlap: "allow", missed: "skip", paused: false, input: undefined },
};

let world: World;
let node: Node;
beforeEach(async () => {
  world = await World.open();
  node = await world.addNode();
});
afterEach(() => world.close());

async function begun(count: number, on = node): Promise<Begun> {
  return await until(`run ${count}`, () => on.begun[count - 1]);
}

async function inState(id: string, status: Job["status"]): Promise<Job> {
  return await until(`${id} to be ${status}`, async () => {
    const job = await node.jobs.find(id);
    return job.status === status ? job : undefined;
  });
}

suite("a job", () => {
  test("waits a random share of twice as long after each failure, and is dead after the last", async () => {
    const retry = { attempts: 4, backoffMs: 1_000, maxBackoffMs: 3_000 };
    const stored = await world.addFunction(node, { retry });
    const { jobId } = await node.jobs.submit({ stored, input: VALUE });

    for (const [index, mostMs] of [1_000, 2_000, 3_000].entries()) {
      const run = await begun(index + 1);
      run.end(FAILED);
      const { runAtMs } = await inState(jobId, "queued");
      const waitMs = runAtMs - world.clock.now();
      assert.ok(waitMs >= 0 && waitMs <= mostMs, `${waitMs} of ${mostMs} ms`);
      if (waitMs > 1) {
        await world.pass(waitMs - 1);
        assert.equal(node.begun.length, index + 1, "it does not come before its time");
      }
      await world.pass(1);
    }
    (await begun(4)).end(FAILED);
    const { attemptsMade, error } = await inState(jobId, "dead");
    assert.deepEqual([attemptsMade, error], [4, "no"]);
  });

  test("that found no worker goes back with all its attempts, and gives callers a second", async () => {
    const stored = await world.addFunction(node, { retry: { attempts: 1, backoffMs: 0, maxBackoffMs: 0 } });
    const { jobId } = await node.jobs.submit({ stored, input: VALUE });

    for (let n = 1; n <= 3; n++) {
      (await begun(n)).refuse(new PlatformError("POOL_SATURATED", "all busy"));
      const { runAtMs, attemptsMade } = await inState(jobId, "queued");
      assert.deepEqual([runAtMs - world.clock.now(), attemptsMade], [1_000, 0]);
      await world.pass(1_000);
    }
    (await begun(4)).end(OK);
    assert.equal((await inState(jobId, "completed")).result, '{"value":"done"}');
  });

  test("that its function's faults keep from running is dead at once", async () => {
    const stored = await world.addFunction(node);
    const { jobId } = await node.jobs.submit({ stored, input: VALUE, delayMs: 1_000 });
    await node.functions.update(stored.id, { settings: { disabled: true } });
    await world.pass(1_000);

    assert.match((await inState(jobId, "dead")).error ?? "", /disabled/);
    await assert.rejects(node.jobs.submit({ stored: node.catalog.require(stored.id), input: VALUE }), {
      code: "FUNCTION_DISABLED",
    });
  });

  test("has the time limit that it asks for, but no more than its function", async () => {
    const stored = await world.addFunction(node, { timeoutMs: 2_000 });
    await node.jobs.submit({ stored, input: VALUE, timeoutMs: 500 });
    await node.jobs.submit({ stored, input: VALUE, timeoutMs: 50_000 });

    await begun(2);
    const limits = new Set(node.begun.map(({ invocation }) => invocation.timeoutMs));
    assert.deepEqual(limits, new Set([500, 2_000]));
  });

  test("is kept by its holder for as long as it runs", async () => {
    const stored = await world.addFunction(node);
    const { jobId } = await node.jobs.submit({ stored, input: VALUE });
    const run = await begun(1);

    for (let n = 0; n < 12; n++) {
      await world.pass(10_000);
      await quiet();
    }
    run.end(OK);
    assert.equal((await inState(jobId, "completed")).attemptsMade, 1);
    assert.equal(node.begun.length, 1);
  });

  test("is refused where it is too large, or too many wait", async () => {
    const stored = await world.addFunction(node);
    const large = { kind: "value", json: JSON.stringify("x".repeat(1_001)) } as const;
    await assert.rejects(node.jobs.submit({ stored, input: large }), { code: "BODY_TOO_LARGE" });

    await Promise.all(
      Array.from({ length: 1_000 }, () => node.jobs.submit({ stored, input: VALUE, delayMs: HOUR_MS })),
    );
    await world.pass(2_000); // the count is of a second ago at most
    await assert.rejects(node.jobs.submit({ stored, input: VALUE }), {
      code: "QUEUE_FULL",
      message: /JOBS_MAX_QUEUED/,
    });
  });
});

suite("an idle node", () => {
  test("waits without a timer until there is something to do", async () => {
    await quiet();
    assert.equal(world.clock.pending, 0);

    const stored = await world.addFunction(node);
    await node.jobs.submit({ stored, input: VALUE, delayMs: HOUR_MS });
    await until("one timer", () => (world.clock.pending === 1 ? true : undefined));
    await world.pass(HOUR_MS);
    (await begun(1)).end(OK);
    await until("none", () => (world.clock.pending === 0 ? true : undefined));
  });
});

suite("a schedule", () => {
  /** To a moment of which every schedule here knows what comes after it. */
  function goTo(text: string): void {
    world.clock.advance(Date.parse(text) - world.clock.now());
  }

  async function scheduled(changes: Partial<Schedule> = {}): Promise<StoredFunction> {
    return await world.addFunction(node, { schedule: { ...EVERY_MINUTE, ...changes } });
  }

  const firesOf = (on = node): string[] =>
    on.begun.map(({ invocation }) => {
      assert.equal(invocation.trigger, "cron");
      const { input } = invocation;
      return input.kind === "value"
        ? (JSON.parse(input.json) as { scheduledAt: string }).scheduledAt.slice(11, 19)
        : "";
    });

  test("fires at its times, with the input that it has then", async () => {
    goTo("2027-03-01T10:00:30Z");
    const { id } = await scheduled();
    await quiet();
    assert.deepEqual(firesOf(), []);
    await world.pass(30_000);
    (await begun(1)).end(OK);
    await until("the next", async () => ((await world.queue.stats()).completed === 1 ? true : undefined));
    await world.pass(MINUTE_MS);
    (await begun(2)).end(OK);
    assert.deepEqual(firesOf(), ["10:01:00", "10:02:00"]);

    await node.functions.update(id, { settings: { schedule: { ...EVERY_MINUTE, input: '{"mine":true}' } } });
    await world.pass(MINUTE_MS);
    const third = await begun(3);
    assert.deepEqual(third.invocation.input, { kind: "value", json: '{"mine":true}' });
  });

  test("fires once however many nodes there are, and each node may take it", async () => {
    goTo("2027-03-01T10:00:30Z");
    await scheduled();
    const others = [await world.addNode(), await world.addNode()];
    const all = [node, ...others];
    for (let fires = 1; fires <= 5; fires++) {
      await world.pass(fires === 1 ? 30_000 : MINUTE_MS);
      await until(`fire ${fires}`, () => (all.flatMap((each) => each.begun).length === fires ? true : undefined));
      await quiet();
      const runs = all.flatMap((each) => each.begun);
      assert.equal(runs.length, fires);
      for (const run of runs) run.end(OK);
      await until("its end", async () => ((await world.queue.stats()).running === 0 ? true : undefined));
    }
  });

  test("leaves out fires while it is paused, and goes on when it is resumed", async () => {
    goTo("2027-03-01T10:00:30Z");
    const { id } = await scheduled();
    await node.functions.update(id, { settings: { schedule: { ...EVERY_MINUTE, paused: true } } });
    assert.deepEqual(await node.schedules.next(node.catalog.require(id)), []);
    await world.pass(5 * MINUTE_MS);
    await quiet();
    assert.deepEqual(firesOf(), []);

    await node.functions.update(id, { settings: { schedule: EVERY_MINUTE } });
    await world.pass(MINUTE_MS);
    await begun(1);
    assert.deepEqual(firesOf(), ["10:06:00"]);
  });

  test("runs now on demand, paused or not", async () => {
    const { id } = await scheduled({ paused: true, input: '"mine"' });
    const jobId = await node.schedules.runNow(node.catalog.require(id));

    const run = await begun(1);
    assert.deepEqual([run.invocation.trigger, run.invocation.input], ["cron", { kind: "value", json: '"mine"' }]);
    run.end(OK);
    await inState(jobId, "completed");
    const without = await world.addFunction(node);
    await assert.rejects(node.schedules.runNow(without), { code: "NOT_FOUND" });
  });

  test("that was changed or removed does not fire as it was", async () => {
    goTo("2027-03-01T10:00:30Z");
    const { id } = await scheduled();
    await node.functions.update(id, { settings: { schedule: { ...EVERY_MINUTE, cron: "30 * * * *" } } });
    await world.pass(5 * MINUTE_MS);
    await quiet();
    assert.deepEqual(firesOf(), []);
    await world.pass(24.5 * MINUTE_MS);
    (await begun(1)).end(OK);
    assert.deepEqual(firesOf(), ["10:30:00"]);

    await node.functions.update(id, { settings: { schedule: undefined } });
    await world.pass(2 * HOUR_MS);
    await quiet();
    assert.equal(node.begun.length, 1);
    const removed = await scheduled();
    await node.functions.remove(removed.id);
    await world.pass(HOUR_MS);
    await quiet();
    assert.equal(node.begun.length, 1);
  });

  test("whose next fire was cancelled fires the time after", async () => {
    goTo("2027-03-01T10:00:30Z");
    await scheduled();
    const { items } = await node.jobs.list({ kind: "cron", status: "queued", limit: 10 });
    assert.equal(items.length, 1);
    await node.jobs.cancel(items[0]?.id ?? "");
    await world.pass(MINUTE_MS);
    await quiet();
    assert.deepEqual(firesOf(), []);
    await world.pass(MINUTE_MS);
    await begun(1);
    assert.deepEqual(firesOf(), ["10:02:00"]);
  });

  suite("whose run of before goes on", () => {
    async function twoFires(overlap: Schedule["overlap"]): Promise<Begun> {
      goTo("2027-03-01T10:00:30Z");
      await scheduled({ overlap });
      await world.pass(30_000);
      const first = await begun(1);
      await until("the second fire is queued", async () =>
        (await world.queue.stats()).queued === 1 ? true : undefined,
      );
      await world.pass(MINUTE_MS);
      return first;
    }

    test("runs beside it where that is allowed", async () => {
      const first = await twoFires("allow");
      await begun(2);
      assert.equal(first.isCancelled(), false);
    });

    test("is left out where that is forbidden, and fires when it is over", async () => {
      const first = await twoFires("forbid");
      const { items } = await until("it is left out", async () => {
        const page = await node.jobs.list({ kind: "cron", status: "cancelled", limit: 10 });
        return page.items.length === 1 ? page : undefined;
      });
      assert.match(items[0]?.error ?? "", /the run before goes on \(job cron:/);
      first.end(OK);
      await until("its end", async () => ((await world.queue.stats()).completed === 1 ? true : undefined));
      await world.pass(MINUTE_MS);
      await begun(2);
      assert.deepEqual(firesOf(), ["10:01:00", "10:03:00"]);
    });

    test("ends it and runs where that is wanted", async () => {
      const first = await twoFires("replace");
      await begun(2);
      await until("the first is ended", () => (first.isCancelled() ? true : undefined));
      const page = await node.jobs.list({ kind: "cron", status: "cancelled", limit: 10 });
      assert.equal(page.items.length, 1);
    });
  });

  suite("of which fires were missed", () => {
    async function missed(changes: Partial<Schedule>, downMs: number): Promise<Node> {
      goTo("2027-03-01T10:00:30Z");
      await scheduled({ ...changes, cron: "*/10 * * * *" });
      return await world.restartAfter(downMs);
    }

    test("runs none of them", async () => {
      node = await missed({ missed: "skip" }, HOUR_MS + 5 * MINUTE_MS);
      await quiet();
      assert.deepEqual(firesOf(), []);
      await world.pass(5 * MINUTE_MS);
      await begun(1);
      assert.deepEqual(firesOf(), ["11:10:00"]);
    });

    test("runs one for all of them", async () => {
      node = await missed({ missed: "once" }, HOUR_MS + 5 * MINUTE_MS);
      await begun(1);
      await quiet();
      assert.deepEqual(firesOf(), ["10:10:00"]);
      await world.pass(5 * MINUTE_MS);
      await begun(2);
      assert.deepEqual(firesOf(), ["10:10:00", "11:10:00"]);
    });

    test("runs each of them", async () => {
      node = await missed({ missed: "all" }, HOUR_MS + 5 * MINUTE_MS);
      await begun(6);
      await quiet();
      const tens = ["10:10:00", "10:20:00", "10:30:00", "10:40:00", "10:50:00", "11:00:00"];
      assert.deepEqual(firesOf().toSorted(), tens);
    });

    test("runs each of them where a server took the first one and was lost before it had seen to the others", async () => {
      goTo("2027-03-01T10:00:30Z");
      await scheduled({ missed: "all", cron: "*/10 * * * *" });
      node = await world.restartAfter(HOUR_MS + 5 * MINUTE_MS, async () => {
        const { claims } = await world.queue.claim({ count: 1, leaseMs: 1_000, limits: new Map() });
        assert.equal(claims.length, 1);
        world.clock.advance(2_000);
      });
      await begun(6);
      await quiet();
      const tens = ["10:10:00", "10:20:00", "10:30:00", "10:40:00", "10:50:00", "11:00:00"];
      assert.deepEqual(firesOf().toSorted(), tens);
    });

    test("runs each of them one after the other where they must not overlap", async () => {
      node = await missed({ missed: "all", overlap: "forbid" }, 25 * MINUTE_MS);
      const first = await begun(1);
      await world.pass(1_000);
      await world.pass(1_000);
      assert.deepEqual(firesOf(), ["10:10:00"]);
      first.end(OK);
      // Whether it was looked at before or after the end of the first: it comes at once, or a second later.
      const second = await until("the second", async () => {
        await world.pass(1_000);
        return node.begun[1];
      });
      second.end(OK);
      assert.deepEqual(firesOf(), ["10:10:00", "10:20:00"]);
    });

    test("runs a hundred of them at most", async () => {
      node = await missed({ missed: "all" }, 48 * HOUR_MS);
      await until("they are queued", async () => {
        const { queued, running } = await world.queue.stats();
        return queued + running === 101 ? true : undefined; // and the next
      });
    });

    test("is only late where the server was away for less than a minute", async () => {
      goTo("2027-03-01T10:09:55Z");
      await scheduled({ cron: "*/10 * * * *" });
      node = await world.restartAfter(30_000);
      await begun(1);
      assert.deepEqual(firesOf(), ["10:10:00"]);
    });
  });

  test("keeps to the clocks of its zone across the changes of daylight saving", async () => {
    goTo("2027-03-27T12:00:00Z");
    await scheduled({ cron: "30 2 * * *", timeZone: "Europe/Berlin" });
    const moments: string[] = [];
    for (let day = 0; day < 3; day++) {
      const dueMs = await until("the next fire", async () => {
        const page = await node.jobs.list({ kind: "cron", status: "queued", limit: 10 });
        return page.items[0]?.runAtMs;
      });
      await world.pass(dueMs - world.clock.now());
      (await begun(day + 1)).end(OK);
      moments.push(new Date(dueMs).toISOString().slice(0, 16));
      await until("its end", async () => ((await world.queue.stats()).completed === day + 1 ? true : undefined));
    }
    assert.deepEqual(moments, ["2027-03-28T01:00", "2027-03-29T00:30", "2027-03-30T00:30"]);
  });
});
