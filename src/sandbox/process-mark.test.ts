import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { isGone, ownMark } from "./process-mark.ts";

test("a process that lives is not gone, one that has ended is", () => {
  const { pid } = spawnSync("true");

  assert.match(ownMark(), new RegExp(`^${process.pid}-\\d+$`));
  assert.equal(isGone(ownMark()), false);
  assert.equal(isGone(ownMark(1)), false);
  assert.equal(isGone(ownMark(pid)), true);
});

test("of a process in another pid namespace, and of anything else, nothing is known", () => {
  for (const mark of ["4194305-1", "4194305", "4194305-", "-1", "", "x-1"]) assert.equal(isGone(mark), false, mark);
});
