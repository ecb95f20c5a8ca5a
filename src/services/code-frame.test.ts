import assert from "node:assert/strict";
import { test } from "node:test";
import { codeFrame } from "./code-frame.ts";

const SOURCE = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join("\n");

test("the line is marked, with three lines on each side", () => {
  assert.equal(
    codeFrame(SOURCE, 8),
    [
      "   5 | line 5",
      "   6 | line 6",
      "   7 | line 7",
      ">  8 | line 8",
      "   9 | line 9",
      "  10 | line 10",
      "  11 | line 11",
    ].join("\n"),
  );
});

test("the ends of the source are ends", () => {
  assert.equal(codeFrame("only\r\n\r\n", 1), "> 1 | only\n  2 |\n  3 |");
  assert.equal(codeFrame("a\nb", 2), "  1 | a\n> 2 | b");
});

test("a line that is not there has no frame", () => {
  for (const line of [0, -1, 3]) assert.equal(codeFrame("a\nb", line), undefined);
});
