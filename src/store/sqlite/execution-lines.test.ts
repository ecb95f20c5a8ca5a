import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { packLines, unpackLines } from "./execution-lines.ts";

const line = fc.record(
  {
    stream: fc.constantFrom("stdout" as const, "stderr" as const),
    level: fc.constantFrom("debug" as const, "info" as const, "warn" as const, "error" as const),
    atMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), // a clock may be set back between two lines
    text: fc.string({ unit: "binary" }),
  },
  { noNullPrototype: true },
);

test("lines come back as they were, in a list of numbers and texts", () => {
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      assert.deepEqual(unpackLines(packLines(lines)), lines);
    }),
  );
  assert.equal(
    packLines([
      { stream: "stdout", level: "info", atMs: 1000, text: "a" },
      { stream: "stderr", level: "error", atMs: 1001, text: "b" },
    ]),
    '[1,1000,"a",7,1,"b"]',
  );
  assert.equal(packLines([]), null);
});

test("lines that an older server has stored are read", () => {
  const lines = [{ stream: "stdout" as const, level: "info" as const, atMs: 1000, text: "a" }];

  assert.deepEqual(unpackLines(JSON.stringify(lines)), lines);
});
