import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { alwaysReturns } from "./always-returns.ts";
import { findInterpreter } from "./interpreter.ts";
import { findLuaRuntime } from "./runtime.ts";

test("the LuaJIT of this machine is found with all that its box needs", () => {
  const search = findLuaRuntime();

  assert.ok(search.found);
  const { image, title } = search.runtime;
  assert.match(title, /^LuaJIT 2\.1/);
  for (const { from } of [...image.binds, ...image.copies]) assert.ok(existsSync(from), from);
  for (const file of image.librariesOf) assert.ok(existsSync(file), file);
});

test("every file of the shim is in the box, at the place where the shim looks for it", () => {
  const search = findLuaRuntime();
  assert.ok(search.found);
  const files = readdirSync(new URL("shim", import.meta.url), { recursive: true, encoding: "utf8" });

  assert.deepEqual(
    search.runtime.image.copies.map(({ to }) => to).sort(),
    files
      .filter((name) => name.endsWith(".lua"))
      .map((name) => `/shim/${name}`)
      .sort(),
  );
});

test("a LuaJIT is known by its contents, through links and under a name with a version", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloche-lua-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "luajit-2.0.5"), "\0LuaJIT 2.0.5\0");
  symlinkSync("nowhere", join(folder, "luajit"));
  assert.equal(findInterpreter([folder]), undefined);

  writeFileSync(join(folder, "luajit-2.1.1700206165"), "\0LuaJIT 2.1.1700206165\0");

  assert.deepEqual(findInterpreter(["/nowhere", folder]), {
    binary: join(folder, "luajit-2.1.1700206165"),
    version: "2.1.1700206165",
  });
});

test("without a LuaJIT there is nothing to find", () => {
  assert.equal(findInterpreter(["/nowhere"]), undefined);
});

test("a script is prepared without being looked into by Lua", async () => {
  const search = findLuaRuntime();
  assert.ok(search.found);

  assert.deepEqual(await search.runtime.prepare("lua", { text: "x = (" }), {
    language: "lua",
    base: "lua",
    code: "x = (",
    options: { file: "script.lua" },
    alwaysReturns: false,
  });
});

test("of further files those go along that can be required, and the main file keeps its path", async () => {
  const search = findLuaRuntime();
  assert.ok(search.found);
  const files = { "src/main.lua": "return 1", "src/util.lua": "return 2", "readme.md": "# x" };

  const program = await search.runtime.prepare("lua", { text: "return 1", entry: "src/main.lua", files });

  assert.deepEqual(program.options, { file: "src/main.lua", files: { "src/util.lua": "return 2" } });
  assert.equal(program.alwaysReturns, false);
});

for (const source of [
  "return 1",
  "local x = 1 return x -- done\n\n--[[ end\n]]\n",
  "return { f(), g = 1 }",
  "return 'a' .. f()",
  "return nil",
  "return event.n * 2;",
  "if x then return 1 else return 2 end return 3",
  "local function f() return end return [[x]]",
  "for i = 1, 3 do if i == 2 then return i end end return -1",
  "repeat local x = 1 until x return 1",
  "print('return') return 'end'",
]) {
  test(`${JSON.stringify(source)} surely returns a value`, () => {
    assert.equal(alwaysReturns(source), true);
  });
}

for (const source of [
  "",
  "print(1)",
  "return",
  "return -- 1",
  "return f()",
  "return f 'x'",
  "return t.f{}",
  "return ...",
  "return (f())",
  "if x then return 1 end",
  "if x then return end return 1",
  "do return 1 end x = 2",
  "local function f() return 1 end",
  "local f = function() return 1 end",
  "function handler() end return 1",
  "returned = 1",
  "-- return 1",
  "x = [[ return 1 ]]",
  "while true do return 1",
]) {
  test(`${JSON.stringify(source)} may end without a value`, () => {
    assert.equal(alwaysReturns(source), false);
  });
}
