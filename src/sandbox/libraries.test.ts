import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findPythonRuntime } from "../runtimes/python/runtime.ts";
import { sharedLibrariesOf } from "./libraries.ts";

const search = findPythonRuntime();
assert.ok(search.found);
const files = search.runtime.image.librariesOf;

/** What `ldd` says of one file. */
function told(file: string): string[] {
  const output = execFileSync("ldd", [file], { encoding: "utf8" });
  return [...output.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
}

test("a program's libraries and those of its extensions are what ldd says of each", () => {
  assert.ok(files.length > 10);
  const found = sharedLibrariesOf(files).filter((path) => !path.endsWith("/libgcc_s.so.1")); // which nothing names

  assert.deepEqual(found.toSorted(), [...new Set(files.flatMap(told))].toSorted());
});

test("an extension that cannot be listed in one go with its program is asked for by itself", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloche libraries:"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [program = "", ...extensions] = files;
  const extension = extensions.find((file) => told(file).some((path) => !told(program).includes(path))) ?? "";
  const moved = join(folder, "extension.so"); // a colon ends a path of LD_PRELOAD
  copyFileSync(extension, moved);

  assert.deepEqual(sharedLibrariesOf([program, moved]).toSorted(), sharedLibrariesOf([program, extension]).toSorted());
});

test("the C library brings what it loads by name", () => {
  assert.ok(sharedLibrariesOf([process.execPath]).some((path) => path.endsWith("/libgcc_s.so.1")));
});
