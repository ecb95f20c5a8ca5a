import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Lookout } from "./lookout.ts";

const BRIEF_MS = 0.1;
const LONG_MS = 1;
const alone = (): number => 1;

/** True while something keeps the event loop from sleeping. */
const isAwake = (): boolean => process.getActiveResourcesInfo().includes("Immediate");

/** That has seen seven calls, one after the other. */
function warm(cores: number): Lookout {
  const lookout = new Lookout(cores);
  for (let count = 0; count < 7; count++) lookout.given({ settled: true }, BRIEF_MS, alone);
  return lookout;
}

test("the loop stays awake for a brief run until it is over", async () => {
  const lookout = warm(2);
  const run = { settled: false };
  lookout.given(run, BRIEF_MS, alone);
  assert.ok(isAwake());
  run.settled = true;
  await delay(20);
  assert.ok(!isAwake());
});

test("the loop does not stay awake for ever where the run is not over in its usual time", async () => {
  warm(2).given({ settled: false }, BRIEF_MS, alone);
  assert.ok(isAwake());
  await delay(50);
  assert.ok(!isAwake());
});

test("nobody looks out for a long run, beside others, before there have been some, or without a core to spare", async () => {
  await delay(50);
  warm(2).given({ settled: false }, LONG_MS, alone);
  warm(2).given({ settled: false }, BRIEF_MS, () => 2);
  warm(1).given({ settled: false }, BRIEF_MS, alone);
  new Lookout(2).given({ settled: false }, BRIEF_MS, alone);
  const crowded = warm(2);
  const first = { settled: false };
  crowded.given(first, LONG_MS, alone);
  crowded.given({ settled: false }, BRIEF_MS, alone);
  assert.ok(!isAwake());
});
