import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../core/manual-clock.fixture.ts";
import { Rests } from "./rests.ts";

test("long work is parted by rests, short work is not", () => {
  const clock = new ManualClock();
  let rested = 0;
  const rests = new Rests(clock, () => rested++);
  const seen = [0.04, 0.04, 0.04, 0.04, 1, 0.09].map((workMs) => {
    clock.advance(workMs);
    rests.mayTake();
    return rested;
  });

  assert.deepEqual(seen, [0, 0, 1, 1, 2, 2]);
});

test("a rest is a sleep of the thread", () => {
  const rests = new Rests();
  const beforeMs = performance.now();
  while (performance.now() - beforeMs < 1); // work
  const fromMs = performance.now();
  rests.mayTake();

  assert.ok(performance.now() - fromMs >= 0.05);
});
