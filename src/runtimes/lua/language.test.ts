// What user code must not reach, whichever way it tries: files, processes, the interpreter's own functions, the shim.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { failure, returned, runOnce } from "./worker-under-test.ts";

test("the globals are those of the language and our modules, and nothing else", async (t) => {
  const code = "local names = {} for name in pairs(_G) do names[#names + 1] = name end table.sort(names) return names";

  assert.deepEqual(
    JSON.parse(await returned(t, code)),
    (
      "_G _VERSION ai assert base64 bit collectgarbage coroutine crypto email env error event getfenv getmetatable http input " +
      "ipairs json kv load loadstring log math next os pairs pcall print random rawequal rawget rawset require router select setfenv " +
      "setmetatable string strings table time tonumber tostring type unpack url xpcall"
    ).split(" "),
  );
});

test("os has only what tells the time, and string no dump", async (t) => {
  const code = `
local names = {}
for name in pairs(os) do names[#names + 1] = name end
table.sort(names)
return { names, string.dump == nil }`;

  assert.equal(await returned(t, code), '[["clock","date","difftime","time"],true]');
});

test("the script that each server starts with finds no way out", async (t) => {
  const source = readFileSync(new URL("self_test.lua", import.meta.url), "utf8");

  assert.equal(await returned(t, source, '{"hostPaths":["/etc/passwd"],"serverPid":1}'), "[]");
});

/** Each: a way out, code that returns true when it is closed. */
const CLOSED: readonly (readonly [string, string])[] = [
  ["bytecode from a text", "local f, why = load('\\27LJ\\2\\10') return f == nil and why:find('mode') ~= nil"],
  ["bytecode by asking for it", "return load('\\27LJ\\2\\10', 'x', 'b') == nil"],
  [
    "bytecode in pieces",
    "local n = 0 return load(function() n = n + 1 return ({ '\\27', 'LJ', '\\2' })[n] end) == nil",
  ],
  ["bytecode through loadstring", "return loadstring('\\27LJ\\2\\10') == nil"],
  ["the globals of a built-in function", "return getfenv(print) == _G and getfenv(string.rep) == _G"],
  [
    "the globals of our functions",
    `for _, module in ipairs({ json, log, kv, env, http, ai, email, router }) do
  for _, f in pairs(module) do if getfenv(f) ~= _G or pcall(setfenv, f, {}) then return false end end
end
return true`,
  ],
  ["the globals of the thread", "return getfenv(0) == _G and not pcall(setfenv, 0, {})"],
  [
    "the globals of what called the script",
    "for level = 1, 100 do local ok, env = pcall(getfenv, level) if ok and env ~= _G then return false end end return true",
  ],
  [
    "the globals of what called the script, from a coroutine",
    `local co = coroutine.wrap(function()
  for level = 0, 20 do local ok, env = pcall(getfenv, level) if ok and env ~= _G then return false end end
  return true
end)
return co()`,
  ],
  [
    "the globals of what calls an error handler",
    `local seen = true
xpcall(error, function()
  for level = 0, 20 do local ok, env = pcall(getfenv, level) if ok and env ~= _G then seen = false end end
end)
return seen`,
  ],
  [
    "an environment for a built-in function",
    "return not pcall(setfenv, print, {}) and not pcall(setfenv, url.parse, {})",
  ],
  ["an environment for a function that wrap made", "return not pcall(setfenv, coroutine.wrap(print), {})"],
  [
    "code that sees other globals than the run's",
    "return load('return _G')() == _G and loadstring('return _G')() == _G",
  ],
  [
    "code that sees other globals, in a coroutine",
    "return coroutine.wrap(function() return load('return _G')() == _G end)()",
  ],
  ["ffi by require", "return not pcall(require, 'ffi') and not pcall(require, 'jit.util')"],
  ["the shim's own files by require", "return not pcall(require, 'worker') and not pcall(require, 'system')"],
  ["the metatable of strings by rawset", "return not pcall(rawset, getmetatable(''), '__add', print)"],
  ["the metatable of strings by assignment", "return not pcall(function() getmetatable('').__index = 1 end)"],
  ["the metatable of strings by table functions", "return not pcall(table.insert, getmetatable(''), print)"],
  ["the metatable of what stands for it", "return getmetatable(getmetatable('')) == false"],
  ["another metatable for strings", "return not pcall(setmetatable, '', {})"],
  ["ffi by a number of 64 bits", "return getmetatable(1LL) == 'ffi' and not pcall(function() return (1LL).x end)"],
  [
    "the collector switched off",
    "return not pcall(collectgarbage, 'stop') and not pcall(collectgarbage, 'setpause', 1)",
  ],
  ["the way of a coroutine's caller", "return coroutine.running() == nil and not pcall(coroutine.yield)"],
];

for (const [what, code] of CLOSED) {
  test(`user code cannot have ${what}`, async (t) => {
    assert.equal(await returned(t, code), "true");
  });
}

test("strings keep their methods, and getmetatable shows where they are", async (t) => {
  const code = "string.shout = string.upper return { ('a'):shout(), getmetatable('').__index == string }";

  assert.equal(await returned(t, code), '["A",true]');
});

test("setfenv and getfenv work for the script's own functions", async (t) => {
  const code = `
local function f() return x end
setfenv(f, { x = 1 })
local function g() setfenv(1, { y = 2 }) return y end
local function h() setfenv(2, setmetatable({ z = 3 }, { __index = _G })) end
local first, second = f(), g()
h()
return { first, second, z, getfenv(f).x, getfenv(1).z }`;

  assert.equal(await returned(t, code), "[1,2,3,1,3]");
});

test("load takes text, names, pieces and an environment", async (t) => {
  const code = `
local pieces = { "return ", "1 + ", "1" }
local f = load(function() return table.remove(pieces, 1) end)
local _, message = loadstring("x = = 1", "=mine")
return { f(), load("return y", "chunk", "t", { y = 5 })(), message }`;

  assert.equal(await returned(t, code), `[2,5,"mine:1: unexpected symbol near '='"]`);
});

test("require gives the modules that are there anyway, and nothing else", async (t) => {
  assert.equal(await returned(t, "return require('json') == json and require('string') == string"), "true");
});

for (const [what, code] of [
  ["plain recursion", "local function f() return 1 + f() end f()"],
  ["recursion through pcall", "local function f() local ok, why = pcall(f) return error(why) end f()"],
  ["recursion through gsub", "local function f() return (('x'):gsub('x', f)) end f()"],
  [
    "recursion through gsub with a table",
    "local t = setmetatable({}, {}) getmetatable(t).__index = function() return (('x'):gsub('x', t)) end return t.x",
  ],
  ["recursion through coroutines", "local function f() coroutine.wrap(f)() end f()"],
  ["recursion through resume", "local function f() assert(coroutine.resume(coroutine.create(f))) end f()"],
  ["recursion through sort", "local function f() table.sort({ 3, 2, 1 }, function(a, b) f() return a < b end) end f()"],
  [
    "recursion through a metatable",
    "local t = setmetatable({}, { __index = function(t, k) return t[k .. 'x'] end }) return t.a",
  ],
  ["recursion through load", "local function f() load(function() f() end) end f()"],
  [
    "recursion through tostring of an error",
    "local e e = setmetatable({}, { __tostring = function() return 'x' .. tostring(e) end }) error(e)",
  ],
  [
    "recursion through format",
    "local e e = setmetatable({}, { __tostring = function() return ('%s'):format(e) end }) return tostring(e)",
  ],
  ["a pattern that is too deep", "return ('a'):rep(300000):find(('a?'):rep(300000) .. 'b')"],
  ["brackets that are too deep", "return assert(load('return ' .. ('('):rep(100000)))"],
] as const) {
  test(`${what} without an end is an error of the run, not of the worker`, async (t) => {
    // More than once: what the compiler does with a recursion depends on chance.
    for (let round = 0; round < 5; round += 1) {
      const { end } = await runOnce(t, code);

      assert.equal(end.header.t, "error", end.body.slice(0, 200));
    }
  });
}

test("coroutines work, also deep within each other", async (t) => {
  const code = `
local function numbers(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for i in numbers(10) do sum = sum + i end
local function nest(n) if n == 0 then return 0 end return 1 + coroutine.wrap(nest)(n - 1) end
local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) error({ code = b }) end)
local _, first = coroutine.resume(co, 1)
local ok, problem = coroutine.resume(co, 7)
return { sum, nest(150), first, ok, problem.code, coroutine.status(co) }`;

  assert.equal(await returned(t, code), '[55,150,2,false,7,"dead"]');
});

test("the error of a coroutine that wrap made reaches its caller as it is", async (t) => {
  const error = await failure(t, "local f = coroutine.wrap(function()\n  error('no')\nend)\nf()");

  assert.equal(error.message, "script.lua:2: no");
});

/** gsub calls user functions in Lua, since in C they could overflow the stack; it must do what the built-in one does. */
const GSUBS: readonly (readonly [string, string])[] = [
  ["('hello world'):gsub('o', function(c) return c:upper() end)", '["hellO wOrld",2]'],
  ["('hello'):gsub('', function() return '-' end)", '["-h-e-l-l-o-",6]'],
  ["('abc'):gsub('%w*', function() return 'x' end)", '["xx",2]'],
  ["('hello'):gsub('(l)(l)', function(a, b) return b .. a .. '!' end)", '["hell!o",1]'],
  ["('hello'):gsub('l', function() return nil end)", '["hello",2]'],
  ["('hello'):gsub('l', function() return false end, 1)", '["hello",1]'],
  ["('hello'):gsub('^h', function() return 'H' end)", '["Hello",1]'],
  ["('aaa'):gsub('^a', function() return 'b' end)", '["baa",1]'],
  ["('abc'):gsub('()', function(at) return at end)", '["1a2b3c4",4]'],
  ["('THE (quick) fox'):gsub('%f[%a]%a+', function(w) return w:lower() end)", '["the (quick) fox",3]'],
  ["('$a $b'):gsub('%$(%w)', setmetatable({}, { __index = function(_, k) return k .. k end }))", '["aa bb",2]'],
  ["('$a $b'):gsub('%$(%w)', { a = 1 })", '["1 $b",2]'],
  ["('abc'):gsub('b', '%0%0')", '["abbc",1]'],
  ["('abc'):gsub('.', function(c) return c end, 0)", '["abc",0]'],
];

for (const [call, expected] of GSUBS) {
  test(`${call} gives ${expected}`, async (t) => {
    assert.equal(await returned(t, `return { ${call} }`), expected);
  });
}

test("mistakes in a call of gsub are told in the line of the call", async (t) => {
  assert.equal(
    (await failure(t, "local s = 'a'\nlocal x = s:gsub('[a', print)")).message,
    "script.lua:2: malformed pattern (missing ']')",
  );
  assert.equal(
    (await failure(t, "local s = 'a'\nlocal x = s:gsub('a', function() return {} end)")).message,
    "script.lua:2: invalid replacement value (a table)",
  );
});
