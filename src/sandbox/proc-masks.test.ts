import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { procMasks } from "./proc-masks.ts";

test("what exists and everyone may read is covered, sysctls first of all", () => {
  const { folders, files } = procMasks(true);

  assert.equal(folders[0], "/proc/sys");
  assert.ok(files.includes("/proc/cmdline"));
  assert.deepEqual(
    [...folders, ...files].filter((path) => !existsSync(path)),
    [],
  );
});

test("keyrings are covered only where a box shares its user with others", () => {
  const ofOthers = procMasks(false).files.filter((path) => !procMasks(true).files.includes(path));

  assert.deepEqual(
    ofOthers,
    ["/proc/keys", "/proc/key-users"].filter((path) => existsSync(path)),
  );
});
