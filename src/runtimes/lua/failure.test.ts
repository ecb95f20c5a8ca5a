import assert from "node:assert/strict";
import { test } from "node:test";

import { type Failure, WorkerUnderTest, failure } from "./worker-under-test.ts";

test("an error has its message, the lines around it, a tip and the calls of the user's code only", async (t) => {
  const error = await failure(t, "local function f(x)\n  local y = 1\n  return x.name.first\nend\n\nf({})");

  assert.deepEqual(error, {
    name: "LuaError",
    message: "script.lua:3: attempt to index field 'name' (a nil value)",
    stack: `LuaError: script.lua:3: attempt to index field 'name' (a nil value)

    2 |   local y = 1
>   3 |   return x.name.first
    4 | end

Tip: field 'name' is nil: is the name spelled right, and is it set on every way to this line? \`x and x.field\` asks first

    at script.lua:3: in function 'f'
    at script.lua:6: in main chunk`,
    line: 3,
    tip: "field 'name' is nil: is the name spelled right, and is it set on every way to this line? `x and x.field` asks first",
  });
});

test("a mistake of the grammar shows its line, too", async (t) => {
  const error = await failure(t, "local x = 1\nif x = 2 then\n  x = 3\nend");

  assert.deepEqual(error, {
    name: "SyntaxError",
    message: "script.lua:2: 'then' expected near '='",
    stack: `SyntaxError: script.lua:2: 'then' expected near '='

    1 | local x = 1
>   2 | if x = 2 then
    3 |   x = 3

Tip: \`=\` assigns; a condition compares with \`==\``,
    line: 2,
    tip: "`=` assigns; a condition compares with `==`",
  });
});

/** Each: code with one of the usual mistakes, and words of the tip. */
const TIPS: readonly (readonly [string, RegExp])[] = [
  ["local x x.y = 1", /local 'x' is nil.*spelled/],
  ["local x = 5 return x.y.z", /only tables have fields/],
  ["nope()", /no function global 'nope'/],
  ["local t = {} t.nope()", /no function field 'nope'/],
  ["local t = {} t:nope()", /no method nope/],
  ["local s = 'x' s()", /no function/],
  ["local x local y = x + 1", /local 'x' is nil.*\(value or 0\)/],
  ["local y = {} + 1", /tonumber/],
  ["local x local y = 'a' .. x", /this value is nil/],
  ["local x = 'a' .. {}", /json\.encode/],
  ["return 1 < 'x'", /tonumber/],
  ["local x local n = #x", /`#`/],
  ["local t = {} t[nil] = 1", /is nil/],
  ["io.open('/etc/passwd')", /no files/],
  ["local x = require('socket')", /no modules but/],
  ["math.floor('x') return 1", /argument 1 .* wrong type/],
  ["local x = json.decode()", /argument 1 of decode is nil/],
  ["local x = kv.get(nil)", /argument 1 of get is nil/],
  ["local x = kv.set('a')", /argument 2 of set is nil/],
  ["local x = tonumber()", /argument 1 .* wrong type/],
  ["local function f() return 1 + f() end f()", /calls itself/],
  ["function f() if x then y()", /needs its own `end`/],
  ["x = 1 end", /one `end` too many/],
  ["return 1 x = 2", /nothing may follow/],
  ["if x != 1 then end", /~=/],
  ["x = a && b", /`and`/],
  ["x = a || b", /`or`/],
  ["x = a ? b : c", /a and b or c/],
  ["x += 1", /x = x \+ 1/],
  ["// comment", /`--`/],
  ["x = [1]", /braces/],
  ["x = 'abc", /closing quote/],
  ["x = (1", /bracket/],
  ["x = strings.repeat('a', 2)", /strings\.rep/],
  ["if x == 1 y = 2 end", /`then` is missing/],
  ["for i = 1, 2 print(i) end", /`do`/],
  ["const x = 1", /local name = value/],
  ["goto away", /::label::/],
];

for (const [code, tip] of TIPS) {
  test(`the mistake in ${JSON.stringify(code)} comes with a tip`, async (t) => {
    const { stack } = await failure(t, code);

    assert.match(/\nTip: (.*)/.exec(stack)?.[1] ?? "no tip", tip);
  });
}

test("an error that the code makes itself has no tip", async (t) => {
  assert.doesNotMatch((await failure(t, "error('sold out')")).stack, /Tip/);
});

/** Each: what is thrown, the name and message that are told. */
const THROWN: readonly (readonly [string, string, string])[] = [
  ["error('x')", "LuaError", "script.lua:1: x"],
  ["error('x', 0)", "LuaError", "x"],
  ["error()", "LuaError", "error without a message"],
  ["error(42)", "LuaError", "script.lua:1: 42"],
  ["error({ message = 'gone', name = 'NotFound' })", "NotFound", "gone"],
  ["error({ code = 404 })", "LuaError", '{"code":404}'],
  ["error(setmetatable({}, { __tostring = function() return 'mine' end }))", "LuaError", "mine"],
  ["error(setmetatable({}, { __tostring = function() error('again') end }))", "LuaError", "an error of the type table"],
  ["error(setmetatable({}, { __tostring = function() return {} end }))", "LuaError", "an error of the type table"],
  ["error(true)", "LuaError", "true"],
  ["assert(false)", "LuaError", "script.lua:1: assertion failed!"],
  ["assert(nil, 'no such user')", "LuaError", "script.lua:1: no such user"],
];

for (const [code, name, message] of THROWN) {
  test(`${code} is told as ${name}: ${message}`, async (t) => {
    const error = await failure(t, code);

    assert.deepEqual([error.name, error.message], [name, message]);
  });
}

test("an error in the handler names the handler's line", async (t) => {
  const { message, stack } = await failure(t, "function handler(ctx, event)\n  return event.a.b\nend");

  assert.equal(message, "script.lua:2: attempt to index field 'a' (a nil value)");
  assert.match(stack, /\n {4}at script\.lua:2: in function <script\.lua:1>$/);
});

test("a wrong argument of one of our functions is told in the user's line", async (t) => {
  const error = await failure(t, "local x = 1\nlocal y = strings.trim({})");

  assert.equal(error.message, "script.lua:2: bad argument #1 to trim (string expected, got table)");
  assert.match(error.stack, /> {3}2 \| local y = strings.trim/);
  assert.doesNotMatch(error.stack, /cloche|shim/);
});

test("many calls are shown by both of their ends", async (t) => {
  const code = "local function f(n)\n  if n == 0 then error('x') end\n  return 1 + f(n - 1)\nend\n\nf(100)";

  const { message, stack } = await failure(t, code);

  assert.equal(message, "script.lua:2: x");
  assert.match(stack, /\n\n {4}at script\.lua:2: in function 'f'\n {4}at script\.lua:3: in function 'f'\n/);
  assert.match(stack, /\n {4}at \.\.\.\n[^]* {4}at script\.lua:6: in main chunk$/);
  assert.ok(stack.split("\n").length < 40, stack);
});

test("an endless recursion is told, whether it was compiled by then or not", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("local function f(n)\n  return 1 + f(n + 1)\nend\n\nf(1)");

  for (let round = 0; round < 20; round += 1) {
    const { message, stack } = JSON.parse((await worker.run()).end.body) as Failure;

    assert.match(message, /^(?:script\.lua:[12]: )?stack overflow$/);
    assert.match(stack, /Tip: a function calls itself/);
  }
});

test("an overflow within a function of ours does not show our files", async (t) => {
  const { message } = await failure(t, "local function f() return #json.encode({ 1 }) + f() end f()");

  assert.match(message, /stack overflow/);
  assert.doesNotMatch(message, /cloche/);
});

test("message and stack are cut to their limits", async (t) => {
  const error = await failure(t, "error(('ä'):rep(100000))");

  assert.ok(Buffer.byteLength(error.message) <= 16_384 + 8);
  assert.ok(Buffer.byteLength(error.stack) <= 32_768 + 8);
  assert.match(error.message, /^script\.lua:1: ä[^]*\[\.\.\.\][^]*ä$/);
});

test("a program that cannot be compiled fails each of its runs alike", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("x = = 1");

  const first = await worker.run();
  const second = await worker.run();

  assert.equal(first.end.header.t, "error");
  assert.equal(first.end.body, second.end.body);
});

test("an error is told in full, whatever the script has done to the libraries", async (t) => {
  const code =
    "for name in pairs(string) do string[name] = error end\nfor name in pairs(table) do table[name] = nil end\nx.y = 1";

  const { message, stack } = await failure(t, code);

  assert.equal(message, "script.lua:3: attempt to index global 'x' (a nil value)");
  assert.match(stack, /> {3}3 \| x\.y = 1\n\nTip: global 'x' is nil[^]*\n {4}at script\.lua:3: in main chunk$/);
});
