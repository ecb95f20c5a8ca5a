import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { backoffMs, MAX_RETRY_AFTER_MS, retryAfterMs } from "./backoff.ts";

const RETRY = { attempts: 5, backoffMs: 1_000, maxBackoffMs: 10_000 };

test("the longest wait doubles with each attempt, up to the most", () => {
  const longest = [1, 2, 3, 4, 5, 6, 1_000].map((attempt) => backoffMs(attempt, RETRY, 1 - Number.EPSILON));

  assert.deepEqual(longest, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
});

test("a wait is anywhere between nothing and the longest", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const waitMs = backoffMs(attempt, RETRY, random);
        const longestMs = Math.min(10_000, 1_000 * 2 ** Math.min(attempt - 1, 40));
        assert.ok(waitMs >= 0 && waitMs <= longestMs);
        assert.ok(Math.abs(waitMs - random * longestMs) <= 0.5);
      },
    ),
  );
});

test("Retry-After is taken as seconds or as a date, within bounds", () => {
  const nowMs = Date.parse("2026-11-21T12:00:00Z");
  const cases: [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ["7", 7_000],
    [" 0 ", 0],
    ["Sat, 21 Nov 2026 12:01:00 GMT", 60_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["999999999", MAX_RETRY_AFTER_MS],
    ["soon", undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["", undefined],
  ];
  for (const [value, expected] of cases) assert.equal(retryAfterMs(value, nowMs), expected, value);
});
