import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Arrivals } from "./arrivals.ts";

const BOOT_MS = 50;

/** Takes a worker every `everyMs` for a minute. */
function steady(everyMs: number): Arrivals {
  const arrivals = new Arrivals(0);
  for (let nowMs = 0; nowMs < 60_000; nowMs += everyMs) arrivals.taken(nowMs);
  return arrivals;
}

test("one idle worker is wanted where none has been taken", () => {
  assert.equal(new Arrivals(0).target(1_000_000, BOOT_MS), 1);
});

test("twice as many as are taken while one boots are wanted beside it", () => {
  const target = steady(10).target(60_000, BOOT_MS);

  assert.ok(target === 10 || target === 11, `2 * 5 + 1 is about ${target}`);
});

test("the want is forgotten within a minute", () => {
  assert.equal(steady(10).target(120_000, BOOT_MS), 1);
});

test("the want is never less than one, and more takings never lower it", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1 }), fc.nat(1000), (pausesMs, bootMs) => {
      const all = new Arrivals(0);
      const some = new Arrivals(0);
      let nowMs = 0;
      pausesMs.forEach((pauseMs, index) => {
        nowMs += pauseMs;
        all.taken(nowMs);
        if (index % 2 === 0) some.taken(nowMs);
      });

      const few = some.target(nowMs, bootMs);

      assert.ok(few >= 1);
      assert.ok(all.target(nowMs, bootMs) >= few);
    }),
  );
});
