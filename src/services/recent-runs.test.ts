import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import { RECENT_STEP_MS, RecentRuns } from "./recent-runs.ts";

const QUARTER_MS = 15 * 60_000;

test("each run is counted in the step in which it ended, with times within a tenth", () => {
  const clock = new ManualClock();
  const recent = new RecentRuns(clock);
  for (let runMs = 1; runMs <= 100; runMs++) recent.count({ status: "success", runMs, coldStart: false });
  clock.advance(RECENT_STEP_MS);
  recent.count({ status: "timeout", runMs: 30_000, coldStart: true });

  const [before, last] = recent.list().slice(-2);

  assert.deepEqual([before?.calls, before?.errors, before?.coldStarts], [100, 0, 0]);
  assert.deepEqual([last?.calls, last?.errors, last?.coldStarts], [1, 1, 1]);
  for (const [told, real] of [
    [before?.p50Ms, 50],
    [before?.p95Ms, 95],
    [before?.p99Ms, 99],
    [last?.p50Ms, 30_000],
  ] as const) {
    assert.ok(told !== undefined && told >= real && told <= real * 1.11, `${told} for ${real}`);
  }
});

test("steps without a run are listed, and what is older than a quarter of an hour is forgotten", () => {
  const clock = new ManualClock();
  const recent = new RecentRuns(clock);
  recent.count({ status: "success", runMs: 1, coldStart: false });
  clock.advance(QUARTER_MS - RECENT_STEP_MS);
  const [oldest] = recent.list();
  clock.advance(RECENT_STEP_MS);
  recent.count({ status: "success", runMs: 1, coldStart: false });
  const after = recent.list();

  assert.equal(oldest?.calls, 1);
  assert.equal(after.length, QUARTER_MS / RECENT_STEP_MS);
  assert.deepEqual(
    after.filter(({ calls }) => calls > 0).map(({ fromMs }) => fromMs),
    [Math.floor(clock.now() / RECENT_STEP_MS) * RECENT_STEP_MS],
  );
  assert.equal(after[0]?.p50Ms, undefined);
});
