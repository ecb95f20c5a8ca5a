// Programs of several files, and what `check` says of a program.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { WorkerUnderTest, failureIn } from "./worker-under-test.ts";

function workerWith(t: TestContext, code: string, files: Record<string, string>, file = "script.lua"): WorkerUnderTest {
  const worker = new WorkerUnderTest(t);
  worker.bind(code, { options: { file, files } });
  return worker;
}

test("a file is required by its name, from folders and their init.lua, and beside the main file", async (t) => {
  const files = {
    "util.lua": "return { n = 1, name = (...), path = select(2, ...) }",
    "lib/util.lua": "return 2",
    "lib/more/init.lua": "return require('lib.util') + 1",
    "src/near.lua": "return 4",
    "json.lua": "return 'mine'",
    "nothing.lua": "",
  };
  const worker = workerWith(
    t,
    `local u = require("util")
return { u, require("lib.util"), require("lib.more"), require("near"), require("json"), require("nothing"), require("url") == url }`,
    files,
    "src/main.lua",
  );

  assert.equal((await worker.run()).end.body, '[{"n":1,"name":"util","path":"util.lua"},2,3,4,"mine",true,true]');
});

test("a file runs once per run, with the globals of that run", async (t) => {
  const files = {
    "util.lua": "loads = (loads or 0) + 1\nlocal m = {}\nfunction m.seen() return event, loads, shared end\nreturn m",
  };
  const worker = workerWith(
    t,
    `shared = event
local a, b = require("util"), require("util")
local old = a.mine
a.mine = 1
return { a == b, old == nil, a.seen() }`,
    files,
  );

  for (const input of ["1", "2"]) {
    assert.equal((await worker.run(input)).end.body, `[true,true,${input},1,${input}]`);
    assert.equal(await worker.whyRetired(), undefined);
  }
});

test("a required file may define the handler", async (t) => {
  const worker = workerWith(t, "require('app')", { "app.lua": "function handler() return { body = 'from app' } end" });

  assert.equal((await worker.request()).bytes.toString(), "from app");
});

test("an error in a file is told with its name, its line and its own lines", async (t) => {
  const files = { "lib/util.lua": "local m = {}\nfunction m.f(x)\n  return x.y.z\nend\nreturn m" };
  const worker = workerWith(t, "local u = require('lib.util')\nlocal r = u.f({})\nreturn r", files);

  const { message, stack, file, line } = failureIn(await worker.run());

  assert.equal(message, "lib/util.lua:3: attempt to index field 'y' (a nil value)");
  assert.deepEqual([file, line], ["lib/util.lua", 3]);
  assert.match(stack, /> {3}3 \| {3}return x\.y\.z/);
  assert.match(stack, /\n {4}at lib\/util\.lua:3: in function 'f'\n {4}at script\.lua:2: in main chunk$/);
});

test("a file that cannot be compiled fails where it is required, with its own line", async (t) => {
  const worker = workerWith(t, "return require('util')", { "util.lua": "local m = {}\nm. = 1" });

  const { message, file, line, stack } = failureIn(await worker.run());

  assert.match(message, /^util\.lua:2: /);
  assert.deepEqual([file, line], ["util.lua", 2]);
  assert.match(stack, /> {3}2 \| m\. = 1/);
});

test("a path that is longer than Lua shows has its lines all the same", async (t) => {
  const path = `${"deep/".repeat(20)}util.lua`;
  const worker = workerWith(t, `local x = require("${path.replaceAll("/", ".").slice(0, -4)}")`, {
    [path]: "\nerror('x')",
  });

  assert.match(failureIn(await worker.run()).stack, /> {3}2 \| error\('x'\)/);
});

test("files that require each other, and a module that is not there, are clear errors", async (t) => {
  const circle = workerWith(t, "local a = require('a')", {
    "a.lua": "local b = require('b')",
    "b.lua": "local a = require('a')",
  });
  const missing = workerWith(t, "local a = require('a')", { "b.lua": "" });

  assert.match(failureIn(await circle.run()).message, /^b\.lua:1: module 'a' requires itself/);
  const { message, tip } = failureIn(await missing.run());
  assert.equal(message, "script.lua:1: module 'a' not found");
  assert.match(String(tip), /lib\/util\.lua/);
});

test("a file cannot give a run what another run has changed", async (t) => {
  const files = {
    "util.lua":
      "local old, getfenv = x, getfenv\nx = 1\nsetfenv(1, { y = 2 })\nreturn { old = old == nil, env = getfenv(1).y }",
  };
  const worker = workerWith(t, "local u = require('util') return { u.old, u.env, y == nil }", files);

  for (let round = 0; round < 2; round += 1) assert.equal((await worker.run()).end.body, "[true,2,true]");
});

/** Each: code, and the style that `check` finds. */
const STYLES: readonly (readonly [string, string])[] = [
  ["function handler(ctx, event) end", "handler"],
  ["handler = function() end", "handler"],
  ["local function f() end handler = f", "handler"],
  ["local a a, handler = 1, print", "handler"],
  ["if true then function handler() end end", "handler"],
  ["-- function handler() end", "script"],
  ["--[[\nfunction handler() end\n]]", "script"],
  ["local s = 'function handler() end'", "script"],
  ["local s = [[\nhandler = 1\n]]", "script"],
  ["local function handler() end", "script"],
  ["local handler = function() end", "script"],
  ["local t = {} function t.handler() end", "script"],
  ["local t = { handler = function() end }", "script"],
  ["function make() handler = 1 end", "script"],
  ["function handlers() end", "script"],
  ["return 1", "script"],
  ["", "script"],
  ["local x = 1", "script"],
  ["error('not run')", "script"],
  ["while true do end", "script"],
];

for (const [code, style] of STYLES) {
  test(`the style of ${JSON.stringify(code)} is ${style}`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(code);

    assert.deepEqual(await worker.check(), { header: { t: "result", id: 1 }, body: `{"style":"${style}"}` });
  });
}

test("check tells the mistakes of the grammar in the code and in what it requires, and runs nothing", async (t) => {
  const inCode = workerWith(t, "print('run') x = = 1", {});
  const inFile = workerWith(t, "local function f() return require('a') end", {
    "a.lua": "return require('b.c')",
    "b/c.lua": "\nx = (",
  });
  const unused = workerWith(t, "print('run') return 1", { "a.lua": "x = = 1" });

  const first = failureIn({ end: await inCode.check(), logs: [] });
  const second = failureIn({ end: await inFile.check(), logs: [] });
  const third = await unused.check();

  assert.deepEqual([first.name, first.line], ["SyntaxError", 1]);
  assert.deepEqual([second.name, second.file, second.line], ["SyntaxError", "b/c.lua", 2]);
  assert.deepEqual([third.header.t, third.body], ["result", '{"style":"script"}']);
});

test("a program may be checked and then run", async (t) => {
  const worker = workerWith(t, "return require('a')", { "a.lua": "return 5" });

  await worker.check();

  assert.equal((await worker.run()).end.body, "5");
});
