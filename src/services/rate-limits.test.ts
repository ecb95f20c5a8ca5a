import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../core/errors.ts";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import { RateLimits } from "./rate-limits.ts";

function takes(limits: RateLimits, id: string, callsPerMinute: number, tries: number): number {
  let taken = 0;
  for (let call = 0; call < tries; call++) {
    try {
      limits.take(id, callsPerMinute);
      taken++;
    } catch (error) {
      assert.ok(error instanceof PlatformError && error.code === "RATE_LIMITED");
    }
  }
  return taken;
}

test("a minute's calls may come at once, and the next ones evenly", () => {
  const clock = new ManualClock();
  const limits = new RateLimits(clock);

  assert.equal(takes(limits, "f", 60, 100), 60);
  clock.advance(5_000);
  assert.equal(takes(limits, "f", 60, 100), 5);
  clock.advance(3_600_000);
  assert.equal(takes(limits, "f", 60, 100), 60);
});

test("functions do not share", () => {
  const limits = new RateLimits(new ManualClock());

  assert.deepEqual([takes(limits, "f", 2, 5), takes(limits, "g", 3, 5)], [2, 3]);
});

test("a refusal says when to come again", () => {
  const clock = new ManualClock();
  const limits = new RateLimits(clock);
  limits.take("f", 4);
  takes(limits, "f", 4, 3);
  clock.advance(5_000);

  assert.throws(() => limits.take("f", 4), { code: "RATE_LIMITED", retryAfterS: 10 });
});
