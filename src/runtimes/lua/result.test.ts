import assert from "node:assert/strict";
import { test } from "node:test";

import { failure, returned, runOnce } from "./worker-under-test.ts";

/** Each: a name, the code, the JSON that it returns; the input is `{"n":1}`. */
const PROGRAMS: readonly (readonly [string, string, string])[] = [
  ["returns at top level", "return event.n", "1"],
  ["returns from within a block", "for i = 1, 5 do if i == 3 then return i end end", "3"],
  ["returns nil", "return nil", "null"],
  ["returns nothing with a bare return", "do return end return 1", ""],
  ["returns the nothing of a call", "local function f() end return f()", ""],
  ["returns more than one value", "return 1, 2", "1"],
  ["ends without returning", "x = 1", ""],
  ["is empty", "", ""],
  ["is a comment only", "-- nothing", ""],
  ["gives a global result", "result = { a = 1 }", '{"a":1}'],
  ["prefers the returned value to a global result", "result = 1 return 2", "2"],
  ["gives a global result that is false", "result = false", "false"],
  ["has a local result only", "local result = 1", ""],
  ["sees event and input as one table", "return event == input", "true"],
  [
    "defines a handler",
    "function handler(ctx, event) return { event.n, ctx.executionId, ctx.startedAt == os.time(), ctx.functionId == nil } end",
    '[1,"execution-1",true,true]',
  ],
  ["defines a handler that returns nothing", "function handler() end", ""],
  ["defines a handler that returns nil", "function handler() return nil end", "null"],
  ["defines a handler and a result", "result = 5 function handler() end", "5"],
  ["defines a handler and returns", "function handler() return 2 end return 1", "2"],
  ["has a local handler only", "local function handler() return 2 end return 1", "1"],
  ["uses goto", "local i = 0 ::top:: i = i + 1 if i < 3 then goto top end return i", "3"],
  ["uses bit", "return { bit.band(12, 10), bit.bxor(1, 3), bit.tohex(255, 4) }", '[8,2,"00ff"]'],
  ["has a first line for a shell", "#!/usr/bin/lua\nreturn 1", "1"],
  ["starts with a byte order mark", "\uFEFFreturn 1", "1"],
  ["has windows line ends", "local a = 'x'\r\nreturn a\r\n", '"x"'],
  ["is of its version", "return _VERSION", '"Lua 5.1"'],
  ["protects a call", "return { pcall(error, 'x') }", '[false,"x"]'],
  ["sets a metatable on its globals", "setmetatable(_G, { __index = function() return 7 end }) return anything", "7"],
];

for (const [name, code, expected] of PROGRAMS) {
  test(`a program that ${name} gives ${expected === "" ? "nothing" : expected}`, async (t) => {
    assert.equal(await returned(t, code, '{"n":1}'), expected);
  });
}

for (const [value, json] of [
  ["{ b = 1, a = { 1, 2.5, true, 'x' } }", '{"a":[1,2.5,true,"x"],"b":1}'],
  ["{}", "{}"],
  ["{ 1, 2, x = 3 }", '{"1":1,"2":2,"x":3}'],
  ["{ [0] = 'a', [1] = 'b' }", '{"0":"a","1":"b"}'],
  ["{ 1, nil, 3 }", "[1,null,3]"],
  ["{ [1e9] = 1 }", '{"1000000000":1}'],
  ["{ [1.5] = 1 }", '{"1.5":1}'],
  ["{ [1] = 'number', ['1'] = 'text' }", '{"1":"text"}'],
  ["0.1", "0.1"],
  ["1/3", "0.3333333333333333"],
  ["-0", "0"],
  ["2^53", "9007199254740992"],
  ["1e20", "100000000000000000000"],
  ["1e300", "1e+300"],
  ["-1e-7", "-1e-07"],
  ["9007199254740993LL", "9007199254740993"],
  ["18446744073709551615ULL", "18446744073709551615"],
  ["'äöü€😀'", '"äöü€😀"'],
  ["'\\n\\0\\\"\\\\\\127'", '"\\n\\u0000\\"\\\\\u007f"'],
  ["'a\\255b\\237\\160\\128'", '"a\uFFFDb\uFFFD\uFFFD\uFFFD"'],
  ["'<&>'", '"<&>"'],
  ["''", '""'],
  ["setmetatable({ 1 }, { __index = { 9, 9 } })", "[1]"],
] as const) {
  test(`the value ${value} becomes ${json}`, async (t) => {
    assert.equal(await returned(t, `return ${value}`), json);
  });
}

for (const [value, message] of [
  ["print", "returned a function, which cannot be JSON; return what it returns instead"],
  ["{ print }", "the returned value holds a function, which cannot be JSON; return what it returns instead"],
  ["coroutine.create(print)", "returned a thread, which cannot be JSON"],
  ["0/0", "the returned value holds NaN, which cannot be JSON"],
  ["{ math.huge }", "the returned value holds +Inf, which cannot be JSON"],
  ["{ [{}] = 1 }", "the returned value holds a table as a key, which cannot be JSON"],
] as const) {
  test(`returning ${value} is a clear error`, async (t) => {
    const error = await failure(t, `return ${value}`);

    assert.deepEqual(error, { name: "TypeError", message, stack: `TypeError: ${message}` });
  });
}

test("a cycle and a tower of tables are clear errors", async (t) => {
  assert.equal(
    (await failure(t, "local a = {} a.a = a return a")).message,
    "the returned value holds a cycle, which cannot be JSON; a table in it contains itself",
  );
  assert.match(
    (await failure(t, "local a = {} for i = 1, 100000 do a = { a } end return a")).message,
    /more than 1000 tables within each other/,
  );
});

test("a table may come twice where it does not contain itself", async (t) => {
  assert.equal(await returned(t, "local a = { 1 } return { a, a }"), "[[1],[1]]");
});

test("an input of every kind comes back as it was, but for what Lua has no value for", async (t) => {
  for (const input of [
    "1.5",
    "-3",
    '"€😀\\n"',
    "true",
    '{"a":{"b":[]}}',
    "[]",
    '[[],{"c":[1,"2"]}]',
    "[1,null,true]",
  ]) {
    assert.equal(await returned(t, "return event", input), input);
  }
  assert.equal(await returned(t, "return { event.a, event.b == nil }", '{"a":1,"b":null}'), "[1,true]");
  assert.equal(await returned(t, "return event == nil", "null"), "true");
  assert.equal(await returned(t, "return event", '"\\ud83d\\ude00 \\ud800 \\u00e9"'), '"😀 \uFFFD é"');
});

test("integers beyond 2^53 are rounded to a double", async (t) => {
  assert.equal(await returned(t, "return event", "9007199254740993"), "9007199254740992");
});

test("an input that is too deep is a failed run", async (t) => {
  const error = await failure(t, "return 1", "[".repeat(200_000) + "]".repeat(200_000));

  assert.equal(error.message, "the input cannot be read: exceeded max depth");
});

test("input and result of megabytes arrive whole", async (t) => {
  const text = "é".repeat(1_000_000);

  assert.equal(await returned(t, "return event", `"${text}"`), `"${text}"`);
});

test("print and log become logs with their levels, at once and in order", async (t) => {
  const code = `
print("a", 1, nil, true, setmetatable({}, { __tostring = function() return "mine" end }))
print()
log.debug("d") log.info(5) log.warn("w") log.error("e")
return 1`;

  assert.deepEqual((await runOnce(t, code)).logs, [
    "info: a\t1\tnil\ttrue\tmine\n",
    "info: \n",
    "debug: d\n",
    "info: 5\n",
    "warn: w\n",
    "error: e\n",
  ]);
});

test("a printed text of megabytes arrives in pieces that cut no character", async (t) => {
  const { logs } = await runOnce(t, "print(('x' .. ('€'):rep(300000)))");

  assert.ok(logs.length > 3);
  assert.equal(logs.map((log) => log.replace("info: ", "")).join(""), `x${"€".repeat(300_000)}\n`);
});
