import assert from "node:assert/strict";
import { test } from "node:test";
import { findBubblewrap } from "./find-bubblewrap.ts";
import { tryBubblewrap } from "./try-bubblewrap.ts";

test("a box with a /proc of its own can be made here", () => {
  assert.deepEqual(tryBubblewrap(findBubblewrap().path), { proc: true });
});

test("a machine that lets nobody mount /proc gets boxes without one", () => {
  const run = (options: readonly string[]) =>
    options.includes("--proc") ? { ok: false, printed: "Can't mount proc" } : { ok: true, printed: "" };

  assert.deepEqual(tryBubblewrap("/usr/bin/bwrap", run), { proc: false });
});

test("a machine without user namespaces is refused, in bubblewrap's words and with the way to learn more", () => {
  const run = () => ({ ok: false, printed: "bwrap: setting up uid map: Permission denied" });

  assert.throws(() => tryBubblewrap("/usr/bin/bwrap", run), /setting up uid map: Permission denied.*npm run doctor/);
});

test("a launcher that is not there is refused", () => {
  assert.throws(() => tryBubblewrap("/nowhere/bwrap"), /ENOENT/);
});
