import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";

import { alwaysReturns } from "./always-returns.ts";
import { findInterpreter } from "./interpreter.ts";
import { findPythonRuntime } from "./runtime.ts";

test("the Python of this machine is found with all that its box needs", () => {
  const search = findPythonRuntime();

  assert.ok(search.found);
  const { image, title } = search.runtime;
  assert.match(title, /^Python 3\.\d+$/);
  for (const { from } of [...image.binds, ...image.copies]) assert.ok(existsSync(from), from);
  for (const file of image.librariesOf) assert.ok(existsSync(file), file);
  assert.ok(!image.binds.some(({ from }) => from.includes("dist-packages") || from === "/usr/lib/python3"));
});

test("without a Python the search says how to install one", () => {
  assert.equal(findInterpreter(["/nowhere/python3"]), undefined);
});

test("a script is prepared without being looked into by Python", async () => {
  const search = findPythonRuntime();
  assert.ok(search.found);

  assert.deepEqual(await search.runtime.prepare("python", { text: "def (" }), {
    language: "python",
    base: "python",
    code: "def (",
    options: { file: "script.py" },
    alwaysReturns: false,
  });
});

test("a program of several files is prepared with all of them", async () => {
  const search = findPythonRuntime();
  assert.ok(search.found);
  const source = { text: "import util", entry: "src/app.py", files: { "src/util.py": "x = 1" } };

  const { options } = await search.runtime.prepare("python", source);

  assert.deepEqual(options, { file: "src/app.py", files: { "src/util.py": "x = 1" } });
});

for (const source of [
  "return 1",
  "x = 1\nreturn x # done\n\n# end\n",
  "'''a\n(\n'''\nreturn {\n  'a': 1,\n}\n",
  "if x:\n  return 1\nreturn [1]",
  "return'a'",
]) {
  test(`${JSON.stringify(source)} surely returns a value`, () => {
    assert.equal(alwaysReturns(source), true);
  });
}

for (const source of [
  "",
  "print(1)",
  "if x:\n  return 1",
  "return",
  "return # nothing",
  "returned = 1",
  "'''\nreturn 1\n'''",
  "x = (1,\nreturn 1",
  "x = \\\nreturn 1",
  "if x:\n  return\nreturn 1",
  "import sys\nsys.exit()\nreturn 1",
  'x = "open\nreturn 1',
]) {
  test(`${JSON.stringify(source)} may end without a value`, () => {
    assert.equal(alwaysReturns(source), false);
  });
}
