import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sourceOf } from "./source-files.ts";

const CODE_BYTES = 1000;

suite("code", () => {
  test("as one text is the source", () => {
    assert.deepEqual(sourceOf("lua", { code: "return 1" }, CODE_BYTES), { text: "return 1" });
  });

  test("as files has its main file found by name, or named", () => {
    const files = { "main.py": "1", "lib/tools.py": "2" };
    assert.deepEqual(sourceOf("python", { files }, CODE_BYTES), {
      ...{ text: "1", entry: "main.py" },
      files: { "lib/tools.py": "2" },
    });
    assert.equal(sourceOf("python", { files, entry: "lib/tools.py" }, CODE_BYTES).entry, "lib/tools.py");
    assert.equal(sourceOf("typescript", { files: { "app.mts": "1", "x.ts": "2" } }, CODE_BYTES).entry, "app.mts");
    assert.equal(
      sourceOf("javascript", { files: { "index.mjs": "1", "main.js": "2" } }, CODE_BYTES).entry,
      "index.mjs",
    );
    assert.equal(sourceOf("lua", { files: { "only.lua": "1" } }, CODE_BYTES).entry, "only.lua");
  });

  const refused: readonly (readonly [string, Parameters<typeof sourceOf>[1], RegExp])[] = [
    ["neither text nor files", {}, /^code: either code or files/],
    ["both", { code: "1", files: { "main.lua": "1" } }, /^code: either code or files/],
    ["an empty text", { code: " \n" }, /^code: must not be empty/],
    ["a text that is too long", { code: "é".repeat(501) }, /^code: 1002 bytes \(max 1000, setting CODE_MAX_SIZE\)/],
    ["an entry without files", { code: "1", entry: "main.lua" }, /^entry: goes with files/],
    ["no files", { files: {} }, /^files: at least one/],
    ["an entry that is not there", { files: { "a.lua": "" }, entry: "b.lua" }, /^entry: there is no file "b.lua"/],
    ["no main file", { files: { "a.lua": "", "b.lua": "" } }, /^entry: is required.*index\.lua, main\.lua, app\.lua/],
    ["a file that is a folder", { files: { a: "", "a/b": "" } }, /"a" is both a file and a folder/],
    ["a name that climbs out", { files: { "../a": "" } }, /no path/],
    ["an absolute name", { files: { "/a": "" } }, /no path/],
    ["a backslash", { files: { "a\\b": "" } }, /no path/],
    ["a NUL", { files: { "a\0": "" } }, /no path/],
    ["an empty name", { files: { "": "" } }, /no path/],
    [
      "more than 1000 files",
      { files: Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`f${n}`, ""])) },
      /1000/,
    ],
    ["more than 50 MiB", { files: { "main.lua": "x".repeat(50 * 1024 * 1024) } }, /more than 50 MiB/],
  ];
  for (const [what, given, message] of refused) {
    test(`of ${what} is refused`, () => {
      assert.throws(() => sourceOf("lua", given, CODE_BYTES), { name: "PlatformError", message });
    });
  }
});
