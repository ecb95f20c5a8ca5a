import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Execution } from "../core/execution.ts";
import { aFunction, openFor } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import { anExecution } from "./executions.fixture.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = 472_222 * HOUR_MS; // some full hour

export function metricsContract(open: OpenStore): void {
  test("calls are counted by step, and empty steps are left out", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "f");
    const call = (n: number, minute: number, changes: Partial<Execution>): Execution =>
      anExecution(n, { functionId: id, queuedAtMs: START_MS + minute * MINUTE_MS + n, ...changes });
    await store.appendExecutions([
      call(1, 0, { runMs: 10, coldStart: true, cpuMs: 4, peakMemoryBytes: 8192 }),
      call(2, 0, { runMs: 30, status: "error", cpuMs: undefined, peakMemoryBytes: undefined }),
      call(3, 2, { runMs: 20, status: "timeout" }),
      call(4, 0, { functionId: "other" }),
      call(5, 0, { functionId: undefined }),
    ]);
    await store.appendExecutions([
      call(6, 0, { runMs: 20, cpuMs: 0.5, peakMemoryBytes: 4096 }),
      call(7, 75, { runMs: 1 }),
    ]);

    const range = { fromMs: START_MS, toMs: START_MS + 2 * HOUR_MS, stepMs: MINUTE_MS };
    const counts = (await store.metrics(id, range)).map((bucket) => {
      const { fromMs, calls, errors, coldStarts, runMsSum, runMsMax } = bucket;
      return [(fromMs - START_MS) / MINUTE_MS, calls, errors, coldStarts, runMsSum, runMsMax];
    });
    assert.deepEqual(counts, [
      [0, 3, 1, 1, 60, 30],
      [2, 1, 1, 0, 20, 20],
      [75, 1, 0, 0, 1, 1],
    ]);
    const [first] = await store.metrics(id, range);
    assert.deepEqual([first?.cpuMsSum, first?.peakMemoryBytes], [4.5, 8192]);
    const hours = await store.metrics(id, { ...range, stepMs: HOUR_MS });
    assert.deepEqual(
      hours.map(({ fromMs, calls }) => [(fromMs - START_MS) / MINUTE_MS, calls]),
      [
        [0, 4],
        [60, 1],
      ],
    );
    const part = await store.metrics(id, { ...range, fromMs: START_MS + MINUTE_MS, toMs: START_MS + 75 * MINUTE_MS });
    assert.deepEqual(
      part.map(({ calls }) => calls),
      [1],
    );
    assert.deepEqual(await store.metrics("nobody", range), []);
  });

  test("a call is counted once, when it has ended", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "f");
    const running = anExecution(1, { functionId: id, status: "running", runMs: 0 });
    const count = async (): Promise<[number, number][]> =>
      (await store.metrics(id, { fromMs: 0, toMs: 2 * START_MS, stepMs: HOUR_MS })).map((b) => [b.calls, b.errors]);

    await store.appendExecutions([running, running]);
    assert.deepEqual(await count(), []);
    await store.appendExecutions([{ ...running, status: "error", runMs: 5 }]);
    await store.appendExecutions([{ ...running, status: "success" }]);
    assert.deepEqual(await count(), [[1, 1]]);
    await store.appendExecutions([anExecution(2, { functionId: id, status: "running" })]);
    await store.endInterrupted("interrupted");
    assert.deepEqual(await count(), [[2, 2]]);
  });

  test("metrics outlive the executions that they count", async (t) => {
    const store = await openFor(t, open, 1);
    const { id } = await aFunction(store, "f");

    await store.appendExecutions([1, 2, 3].map((n) => anExecution(n, { functionId: id })));

    const [bucket] = await store.metrics(id, { fromMs: 0, toMs: 2 * START_MS, stepMs: MINUTE_MS });
    assert.equal(bucket?.calls, 3);
  });

  test("percentiles are within 5 %, whatever the step", async (t) => {
    const store = await openFor(t, open);
    let n = 0;
    const anyTimes = fc.array(
      fc.record({
        minute: fc.nat({ max: 90 }),
        runMs: fc.double({ min: -2, max: 5, noNaN: true }).map((exponent) => 10 ** exponent),
      }),
      { minLength: 1, maxLength: 60 },
    );

    await fc.assert(
      fc.asyncProperty(anyTimes, async (times) => {
        const { id } = await aFunction(store, `f${n}`);
        await store.appendExecutions(
          times.map(({ minute, runMs }) =>
            anExecution(n++, { functionId: id, queuedAtMs: START_MS + minute * MINUTE_MS, runMs }),
          ),
        );

        for (const stepMs of [MINUTE_MS, 7 * MINUTE_MS, HOUR_MS, 24 * HOUR_MS]) {
          const buckets = await store.metrics(id, { fromMs: START_MS, toMs: START_MS + 2 * HOUR_MS, stepMs });
          assert.equal(
            buckets.reduce((sum, { calls }) => sum + calls, 0),
            times.length,
          );
          for (const { fromMs, p50Ms, p95Ms, p99Ms } of buckets) {
            assert.equal(fromMs % stepMs, 0);
            const own = times
              .filter(({ minute }) => Math.floor((START_MS + minute * MINUTE_MS) / stepMs) * stepMs === fromMs)
              .map(({ runMs }) => runMs)
              .sort((a, b) => a - b);
            for (const [share, found] of [
              [0.5, p50Ms],
              [0.95, p95Ms],
              [0.99, p99Ms],
            ] as const) {
              const exact = own[Math.ceil(share * own.length) - 1] ?? Number.NaN;
              assert.ok(Math.abs((found ?? Number.NaN) / exact - 1) <= 0.05, `${found} for ${exact}`);
            }
          }
        }
      }),
      { numRuns: 40 },
    );
  });
}
