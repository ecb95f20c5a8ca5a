// One list of cases for what functions may ask the platform for, held against every language: they all see the same store.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

/** Each does a list of operations and answers with their results: null for nothing, {error} for what was refused. */
const DOERS = {
  javascript: `
    import { kv, env } from "cloche";
    const ops = {
      get: kv.get, set: kv.set, ttl: (key, value, ttl) => kv.set(key, value, { ttl }), delete: kv.delete, incr: kv.incr, cas: kv.cas,
      create: (key, value) => kv.cas(key, undefined, value), list: kv.list, all: kv.all,
      globalGet: kv.global.get, globalSet: kv.global.set, globalIncr: kv.global.incr, globalDelete: kv.global.delete,
      envGet: env.get, envSet: env.set, envDelete: env.delete,
    };
    export const handler = async (event) => {
      const results = [];
      for (const [op, ...args] of JSON.parse(event.body)) {
        try { results.push((await ops[op](...args)) ?? null); } catch (error) { results.push({ error: error.message }); }
      }
      return results;
    };`,
  python: `
import json
from cloche import kv, env
ops = {
    "get": kv.get, "set": kv.set, "ttl": lambda key, value, ttl: kv.set(key, value, ttl=ttl), "delete": kv.delete, "incr": kv.incr, "cas": kv.cas,
    "create": lambda key, value: kv.cas(key, None, value), "list": kv.list, "all": kv.all,
    "globalGet": kv.shared.get, "globalSet": kv.shared.set, "globalIncr": kv.shared.incr, "globalDelete": kv.shared.delete,
    "envGet": env.get, "envSet": env.set, "envDelete": env.delete,
}
def handler(event, context):
    results = []
    for op, *args in json.loads(event["body"]):
        try: results.append(ops[op](*args))
        except Exception as error: results.append({"error": str(error)})
    return results
`,
  lua: `
    local ops = {
      get = kv.get, set = kv.set, ttl = function(key, value, ttl) return kv.set(key, value, { ttl = ttl }) end,
      delete = kv.delete, incr = kv.incr, cas = kv.cas, create = function(key, value) return kv.cas(key, nil, value) end,
      list = kv.listKeys, all = kv.all,
      globalGet = kv.getGlobal, globalSet = kv.setGlobal, globalIncr = kv.incrGlobal, globalDelete = kv.deleteGlobal,
      envGet = env.get, envSet = env.set, envDelete = env.delete,
    }
    function handler(ctx, event)
      local results = {}
      for i, call in ipairs(json.decode(event.body)) do
        local ok, value, problem = pcall(ops[call[1]], unpack(call, 2))
        if not ok then value = { error = value } elseif value == nil and problem then value = { error = problem } end
        results[i] = value == nil and "null" or json.encode(value)
      end
      return { headers = { ["Content-Type"] = "application/json" }, body = "[" .. table.concat(results, ",") .. "]" }
    end`,
} as const;

type Op = readonly [name: string, ...args: readonly unknown[]];
/** DONE: whatever a language answers where there is nothing to say (true, null). */
const DONE = Symbol("done");

const LONG_KEY = "k".repeat(513);
const CASES: Readonly<Record<string, readonly (readonly [Op, unknown])[]>> = {
  "a key that is not there": [[["get", "nothing"], null]],
  "texts, numbers, truth, lists and maps": [
    [["set", "text", "hello"], DONE],
    [["get", "text"], "hello"],
    [["set", "unicode", "grüß dich ✓ 🔔"], DONE],
    [["get", "unicode"], "grüß dich ✓ 🔔"],
    [["set", "number", 1.5], DONE],
    [["get", "number"], 1.5],
    [["set", "truth", true], DONE],
    [["get", "truth"], true],
    [["set", "map", { a: [1, "two", { b: false }] }], DONE],
    [["get", "map"], { a: [1, "two", { b: false }] }],
    [["set", "empty text", ""], DONE],
    [["get", "empty text"], ""],
  ],
  "a value that is replaced, and deleted": [
    [["set", "a", "one"], DONE],
    [["set", "a", "two"], DONE],
    [["get", "a"], "two"],
    [["delete", "a"], DONE],
    [["get", "a"], null],
  ],
  counting: [
    [["incr", "n"], 1],
    [["incr", "n"], 2],
    [["incr", "n", 40], 42],
    [["incr", "n", -2], 40],
    [["incr", "n", 0.5], 40.5],
    [["set", "m", "7"], DONE],
    [["incr", "m"], 8],
    [["set", "t", "seven"], DONE],
    [["incr", "t"], { error: /does not hold a number/ }],
    [["get", "t"], "seven"],
  ],
  "compare and swap": [
    [["create", "c", "one"], true],
    [["create", "c", "two"], false],
    [["cas", "c", "one", "two"], true],
    [["cas", "c", "one", "three"], false],
    [["get", "c"], "two"],
  ],
  "lists, by prefix and in order": [
    [["set", "p/b", "1"], DONE],
    [["set", "p/a", "2"], DONE],
    [["set", "q", "3"], DONE],
    [
      ["list", "p/"],
      ["p/a", "p/b"],
    ],
    [["list"], ["p/a", "p/b", "q"]],
    [["all"], { "p/a": "2", "p/b": "1", q: "3" }],
    [["all", "p/"], { "p/a": "2", "p/b": "1" }],
  ],
  limits: [
    [["set", "", "v"], { error: /key must not be empty/ }],
    [["set", LONG_KEY, "v"], { error: /key too long: 513 bytes \(max 512\)/ }],
    [["get", LONG_KEY], { error: /key too long/ }],
    [["set", "big", "x".repeat(256 * 1024)], { error: /value too large: 262146 bytes of JSON \(max 262144\)/ }],
    [["set", "fits", "x".repeat(1000)], DONE],
    [["ttl", "t", "v", -1], { error: /ttl must be/ }],
    [["get", "t"], null],
  ],
  "what all functions share": [
    [["globalSet", "shared", "everybody's"], DONE],
    [["globalGet", "shared"], "everybody's"],
    [["get", "shared"], null],
    [["globalDelete", "shared"], DONE],
    [["globalGet", "shared"], null],
    [["globalIncr", "shared-count"], 1],
    [["globalDelete", "shared-count"], DONE],
  ],
  variables: [
    [["envGet", "NOTHING"], null],
    [["envSet", "MINE", "value"], DONE],
    [["envGet", "MINE"], "value"],
    [["envDelete", "MINE"], DONE],
    [["envGet", "MINE"], null],
    [["envSet", "1BAD", "v"], { error: /must be letters, digits and _/ }],
    [["envGet", "GIVEN"], "by the operator"],
  ],
};

let server: ServerUnderTest;
before(async () => {
  server = await startServer();
});
after(() => server.dispose());
afterEach(async () => {
  await server.settled();
});

async function api(method: string, path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/api${path}`, { method, body: JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function perform(name: string, ops: readonly Op[]): Promise<unknown[]> {
  const response = await fetch(`${server.url}/fn/${name}`, { method: "POST", body: JSON.stringify(ops) });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as unknown[];
}

function check(op: Op, result: unknown, expected: unknown): void {
  const what = JSON.stringify(op).slice(0, 100);
  if (expected === DONE) assert.ok(result === null || result === true, `${what}: ${JSON.stringify(result)}`);
  else if (typeof expected === "object" && expected !== null && "error" in expected) {
    assert.match((result as { error: string }).error, expected.error as RegExp, what);
  } else assert.deepEqual(result, expected, what);
}

for (const [language, code] of Object.entries(DOERS)) {
  suite(`in ${language}`, () => {
    for (const [what, steps] of Object.entries(CASES)) {
      test(what, async () => {
        const name = `${language}-${what.replaceAll(/\W+/g, "-")}`;
        await api("POST", "/functions", { name, language, code });
        await api("PUT", `/functions/${name}/env`, { env: { GIVEN: "by the operator" } });
        const results = await perform(
          name,
          steps.map(([op]) => op),
        );

        for (const [index, [op, expected]] of steps.entries()) check(op, results[index], expected);
      });
    }

    test("a value with a time to live", async () => {
      await api("POST", "/functions", { name: `${language}-ttl`, language, code });
      const [, soon] = await perform(`${language}-ttl`, [
        ["ttl", "t", "here", 1],
        ["get", "t"],
      ]);
      await delay(1_050);

      assert.deepEqual([soon, await perform(`${language}-ttl`, [["get", "t"], ["list"]])], ["here", [null, []]]);
    });
  });
}

suite("all languages", () => {
  test("see one another's values in what they share, and in the management API", async () => {
    const names = Object.keys(DOERS);
    for (const [language, code] of Object.entries(DOERS))
      await api("POST", "/functions", { name: `see-${language}`, language, code });
    for (const writer of names) {
      const value = { from: writer, list: [1, 2], deep: { yes: true } };
      await perform(`see-${writer}`, [["globalSet", "note", value]]);
      for (const reader of names) assert.deepEqual(await perform(`see-${reader}`, [["globalGet", "note"]]), [value]);
      assert.deepEqual((await api("GET", "/kv/note", undefined))["value"], value);
    }
  });

  test("have their settings: several calls in one worker, or a worker for each call", async () => {
    const waits = {
      javascript:
        "let n = 0; export const handler = async () => { const own = ++n; await new Promise((r) => setTimeout(r, 300)); return own; };",
      python:
        "import asyncio\nn = 0\nasync def handler(event, context):\n    global n\n    n += 1\n    own = n\n    await asyncio.sleep(0.3)\n    return own",
    };
    for (const [language, code] of Object.entries(waits)) {
      const name = `settings-${language}`;
      await api("POST", "/functions", { name, language, code, concurrency: 8 });
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => await (await fetch(`${server.url}/fn/${name}`)).text()),
      );
      assert.deepEqual(
        answers.map(Number).toSorted((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8],
        language,
      );

      await api("PATCH", `/functions/${name}`, { concurrency: 1, isolation: "fresh" });
      for (let call = 0; call < 3; call++) assert.equal(await (await fetch(`${server.url}/fn/${name}`)).text(), "1");
    }
  });

  test("get new variables and secrets with the next call, in their environment", async () => {
    const show = {
      javascript: "export const handler = () => `${process.env.A} ${process.env.B}`;",
      python:
        "import os\ndef handler(event, context):\n    return os.environ.get('A', 'undefined') + ' ' + os.environ.get('B', 'undefined')",
      lua: "function handler() return { body = (env.get('A') or 'undefined') .. ' ' .. (env.get('B') or 'undefined') } end",
    };
    for (const [language, code] of Object.entries(show)) {
      const name = `environment-${language}`;
      const seen = async (): Promise<string> => await (await fetch(`${server.url}/fn/${name}`)).text();
      await api("POST", "/functions", { name, language, code });
      assert.equal(await seen(), "undefined undefined");
      await api("PUT", `/functions/${name}/env`, { env: { A: "1" } });
      await api("PUT", `/functions/${name}/secrets/B`, { value: "hidden-away" });
      assert.equal(await seen(), "1 hidden-away");
      await api("PUT", `/functions/${name}/env`, { env: {} });
      assert.equal(await seen(), "undefined hidden-away");
    }
  });

  test("share calls by an alias's weights, and `live` splits those without a pin", async () => {
    const code = (n: number): string => `export default () => new Response("${n}")`;
    const created = await api("POST", "/functions", { name: "split", language: "javascript", code: code(1) });
    const second = await api("POST", "/functions/split/versions", { code: code(2), activate: false });
    const targets = [
      { version: created["activeVersion"], weight: 50 },
      { version: second["version"], weight: 50 },
    ];
    const counts = async (path: string): Promise<Record<string, number>> => {
      const found: Record<string, number> = {};
      for (let call = 0; call < 60; call++) {
        const text = await (await fetch(`${server.url}/fn/${path}`)).text();
        found[text] = (found[text] ?? 0) + 1;
      }
      return found;
    };
    assert.deepEqual(await counts("split"), { 1: 60 });
    await api("PUT", "/functions/split/aliases/canary", { targets });
    const canary = await counts("split@canary");
    assert.ok((canary["1"] ?? 0) > 10 && (canary["2"] ?? 0) > 10, JSON.stringify(canary));
    await api("PUT", "/functions/split/aliases/live", { targets });
    assert.ok(((await counts("split"))["2"] ?? 0) > 10);
    await api("POST", `/functions/split/versions/${String(second["version"])}/activate`, undefined);
    assert.deepEqual(await counts("split"), { 2: 60 }, "activating a version ends the split");
  });
});
