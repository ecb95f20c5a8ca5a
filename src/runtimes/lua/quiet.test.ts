import assert from "node:assert/strict";
import { test } from "node:test";

import { WorkerUnderTest } from "./worker-under-test.ts";

/** Each: what a run changes, the code that returns what it finds and then changes it; all runs must find the same. */
const CHANGES: readonly (readonly [string, string])[] = [
  ["a global", "local old = x x = 1 return old == nil"],
  ["a function of a library", "local old = string.upper('a') string.upper = nil return old"],
  ["a method of strings", "local old = ('a').shout string.shout = string.upper return old == nil and ('a'):shout()"],
  ["the library that strings look into", "local old = ('a'):upper() string = nil return old"],
  ["one of our modules", "local old = json.mine json.mine = 1 json.encode = nil return old == nil"],
  ["what require gives", "local old = require('json').mine require('json').mine = 1 return old == nil"],
  [
    "the metatable of a library",
    "local old = getmetatable(string) setmetatable(string, { __index = { x = 1 } }) return old == nil",
  ],
  ["the metatable of the globals", "local old = y setmetatable(_G, { __index = { y = 1 } }) return old == nil"],
  ["the built-in functions", "local old = type(print) print = nil pcall = nil error = nil tostring = nil return old"],
  [
    "an emptied library",
    "local old = table.concat({ 1 }) for name in pairs(table) do table[name] = nil end return old",
  ],
  ["the environment of its own functions", "local old = z setfenv(1, { z = 1 }) return old == nil"],
  ["the environment through a handler", "function handler() local old = q setfenv(1, { q = 1 }) return old == nil end"],
  ["an event", "local old = event.x event.x = 1 return old == nil"],
  [
    "a coroutine that never ends",
    "co = coroutine.wrap(function() while true do coroutine.yield() end end) co() return true",
  ],
  ["an error", "if not seen then seen = true error('x', 0) end return 1"],
];

for (const [what, code] of CHANGES) {
  test(`a run sees nothing of what the last one did to ${what}`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(code);

    const first = await worker.run();
    assert.equal(await worker.whyRetired(), undefined);
    const second = await worker.run();
    const third = await worker.run(); // from the second run on, only globals that the code can reach are made anew
    assert.equal(await worker.whyRetired(), undefined);

    assert.equal(first.end.header.t, what === "an error" ? "error" : "result");
    assert.equal(second.end.body, first.end.body);
    assert.equal(third.end.body, first.end.body);
  });
}

/** Code that reaches globals without naming them, or in a way that hides their names. */
const WAYS: readonly string[] = [
  "return _G['ma' .. 'th'].pi",
  "local names = {} for name in pairs(_G) do names[#names + 1] = name end table.sort(names) return names",
  "return getfenv()['js' .. 'on'].encode({ a = 1 })",
  "return getfenv(1)['js' .. 'on'].encode({ a = 1 })",
  "return load('return math.pi')()",
  "return loadstring('return table.concat({ 1, 2 })')()",
  "return require('base' .. '64').encode('x')",
  "return getmetatable('').__index['r' .. 'ep']('x', 2)",
  "return ('x'):rep(2) .. ('%d'):format(3)",
  "local f = function() return function() return url.encode('a b') end end return f()()",
  "function handler() return { body = time.now() > 0 and strings.trim(' x ') } end return handler().body",
  "return setfenv(function() return string end, { string = 1 })()",
  "return tostring(event) .. tostring(input) .. type(event)",
  "return nothing == nil",
];

for (const code of WAYS) {
  test(`each run reaches the same globals: ${code}`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(code);
    const ends: string[] = [];
    for (let run = 0; run < 3; run++) {
      const { end } = await worker.run("1");
      assert.equal(end.header.t, "result", end.body);
      ends.push(end.body);
    }

    assert.equal(new Set(ends).size, 1);
  });
}

test("random numbers do not repeat what a run has seeded, nor are they the same in each worker", async (t) => {
  const code = "local old = math.random() math.randomseed(1) return { old, math.random() }";
  const seen: (readonly [number, number])[] = [];
  for (let worker = 0; worker < 2; worker += 1) {
    const runner = new WorkerUnderTest(t);
    runner.bind(code);
    for (let run = 0; run < 2; run += 1) seen.push(JSON.parse((await runner.run()).end.body) as [number, number]);
  }

  assert.equal(new Set(seen.map(([unseeded]) => unseeded)).size, 4);
  assert.equal(new Set(seen.map(([, seeded]) => seeded)).size, 1);
});

test("the memory of a run is free for the next one", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(`
local before = collectgarbage("count")
local list = {}
for i = 1, event do list[i] = { i, tostring(i) } end
return before`);

  const first = Number((await worker.run("200000")).end.body);
  assert.equal(await worker.whyRetired(), undefined);
  const second = Number((await worker.run("1")).end.body);

  assert.ok(second < first + 8_192, `${first} KiB, then ${second} KiB`);
});

test("a thousand runs leave the worker as it was", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(
    "local t = {} for i = 1, 50 do t[i] = { id = i, name = ('n'):rep(i) } end return json.decode(json.encode(t))",
  );
  const sizes: number[] = [];
  for (let run = 0; run < 1_000; run += 1) sizes.push((await worker.run()).end.body.length);

  assert.equal(new Set(sizes).size, 1);
  assert.equal(await worker.whyRetired(), undefined);
});

for (const code of [
  "return #event",
  "kept = event string.kept = event function handler() return 10000000 end",
  "x = = 1",
]) {
  test(`the worker is as before after an input of 10 MB to ${code}`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(code);

    for (let round = 0; round < 3; round += 1) {
      const { end } = await worker.run(JSON.stringify("x".repeat(10_000_000)));

      assert.equal(end.header.t === "result" ? end.body : "10000000", "10000000");
      assert.equal(await worker.whyRetired(), undefined);
    }
  });
}
