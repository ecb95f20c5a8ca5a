import assert from "node:assert/strict";
import { test } from "node:test";
import { prefersAsync } from "./prefer.ts";

test("respond-async is found among other preferences, in any case, with parameters", () => {
  const cases: [string | undefined, boolean][] = [
    [undefined, false],
    ["", false],
    ["respond-async", true],
    ["Respond-Async", true],
    ["wait=10, respond-async", true],
    ["respond-async; foo=bar, handling=lenient", true],
    ["return=minimal", false],
    ["respond-async-not", false],
    ['x="respond-async"', false],
  ];
  for (const [prefer, expected] of cases) {
    assert.equal(prefersAsync({ headers: prefer === undefined ? {} : { prefer } }), expected, prefer);
  }
});
