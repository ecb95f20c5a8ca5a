import assert from "node:assert/strict";
import { test } from "node:test";

import { failure, returned, runOnce } from "./worker-under-test.ts";

for (const [value, json] of [
  ["{'a': [1, 2.5, True, None, 'x']}", '{"a":[1,2.5,true,null,"x"]}'],
  ["(1, 2)", "[1,2]"],
  ["{1: 'a', None: 'b'}", '{"1":"a","null":"b"}'],
  ["2**70", "1180591620717411303424"],
  ["'äöü€😀'", '"äöü€😀"'],
  ["'\\ud800'", '"\\ud800"'],
  ["'\\n\\x00\\\"'", '"\\n\\u0000\\""'],
  ["''", '""'],
] as const) {
  test(`the value ${value} becomes ${json}`, async (t) => {
    assert.equal(await returned(t, `return ${value}`), json);
  });
}

for (const [value, name, message] of [
  ["{1}", "TypeError", "returned a set, which cannot be JSON; return list(...) instead"],
  [
    "[b'x']",
    "TypeError",
    "the returned value holds a bytes, which cannot be JSON; return its .decode() or base64 text instead",
  ],
  [
    "__import__('datetime').datetime.now()",
    "TypeError",
    "returned a datetime, which cannot be JSON; return its .isoformat() instead",
  ],
  ["lambda: 1", "TypeError", "returned a function, which cannot be JSON; return what it returns instead"],
  ["(i for i in 'ab')", "TypeError", "returned a generator, which cannot be JSON; return list(...) instead"],
  [
    "{(1,): 2}",
    "TypeError",
    "the returned value cannot be JSON: keys must be str, int, float, bool or None, not tuple",
  ],
] as const) {
  test(`returning ${value} is a clear error`, async (t) => {
    const error = await failure(t, `return ${value}`);

    assert.deepEqual(error, { name, message, stack: `${name}: ${message}\n` });
  });
}

test("NaN, a cycle and a tower of lists are clear errors", async (t) => {
  assert.match((await failure(t, "return float('nan')")).message, /cannot be JSON: Out of range float/);
  assert.match((await failure(t, "a = []\na.append(a)\nreturn a")).message, /cannot be JSON: Circular reference/);
  const tower = await failure(t, "a = []\nfor i in range(200000):\n  a = [a]\nreturn a");
  assert.equal(tower.message, "the returned value is nested too deeply to be JSON");
});

test("a global result that cannot be JSON is an error, too", async (t) => {
  assert.match((await failure(t, "result = {1}")).message, /returned a set/);
});

test("an input of every kind arrives, with all digits of its integers", async (t) => {
  for (const input of ["12345678901234567890123", "[1,null,true]", '"€😀"', "null", '{"a":{"b":[]}}', "1.5"]) {
    assert.equal(await returned(t, "return event", input), input);
  }
});

test("a deep input is a failed run, not a crash", async (t) => {
  const { end } = await runOnce(t, "return 1", "[".repeat(500_000) + "]".repeat(500_000));

  assert.equal(end.header.t, "error");
});

test("a result of megabytes arrives whole", async (t) => {
  const body = await returned(t, "return 'é' * 1_000_000");

  assert.equal(body, `"${"é".repeat(1_000_000)}"`);
});

test("an exception gives its name, its message and a stack of the user's lines only", async (t) => {
  const error = await failure(t, "def f(x):\n  return 1 / x\n\nprint('a')\nreturn f(0)");

  assert.equal(error.name, "ZeroDivisionError");
  assert.equal(error.message, "division by zero");
  assert.match(
    error.stack,
    /^Traceback \(most recent call last\):\n {2}File "script.py", line 5, in <module>\n {4}return f\(0\)\n/,
  );
  assert.match(error.stack, /File "script.py", line 2, in f\n {4}return 1 \/ x\n/);
  assert.doesNotMatch(error.stack, /shim|worker\.py/);
});

test("a failing await shows no frames of asyncio above the script", async (t) => {
  const error = await failure(t, "async def f():\n  raise ValueError('x')\nawait f()");

  assert.match(error.stack, /^Traceback.*\n {2}File "script.py", line 3/);
  assert.doesNotMatch(error.stack, /asyncio|shim/);
});

test("a star import that fails shows the user's line only", async (t) => {
  const error = await failure(t, "x = 1\nfrom nowhere import *\nreturn x");

  assert.match(error.stack, /line 2, in <module>\n {4}from nowhere import \*\nModuleNotFoundError/);
});

test("chained causes are in the stack", async (t) => {
  const error = await failure(t, "try:\n  {}['k']\nexcept KeyError as e:\n  raise ValueError('bad') from e");

  assert.match(error.stack, /KeyError: 'k'\n\nThe above exception was the direct cause[^]+ValueError: bad/);
});

test("an unhelpful message gets the name of its type", async (t) => {
  assert.equal((await failure(t, "{}['k']")).message, "KeyError: 'k'");
  assert.equal((await failure(t, "assert False")).message, "AssertionError");
  assert.equal((await failure(t, "raise KeyboardInterrupt")).message, "KeyboardInterrupt");
});

test("an exception whose text cannot be made is reported all the same", async (t) => {
  const error = await failure(t, "class E(Exception):\n  def __str__(self): raise E()\nraise E()");

  assert.equal(error.message, "E");
});

test("endless recursion and an impossible allocation are failures of the script", async (t) => {
  const recursion = await failure(t, "def f(): f()\nf()");
  assert.equal(recursion.name, "RecursionError");
  assert.match(recursion.stack, /Previous line repeated/);
  assert.equal((await failure(t, "x = bytearray(1 << 60)")).name, "MemoryError");
});

test("message and stack are cut to their limits", async (t) => {
  const error = await failure(t, "raise ValueError('ä' * 100_000)");

  assert.ok(Buffer.byteLength(error.message) <= 16_384);
  assert.ok(Buffer.byteLength(error.stack) <= 32_768);
  assert.match(error.stack, /^Traceback[^]+\n\[\.\.\.\]\n/);
});

for (const [code, exitCode, stderr] of [
  ["import sys\nsys.exit()", 0, ""],
  ["import sys\nsys.exit(3)", 3, ""],
  ["raise SystemExit('no way')", 1, "no way\n"],
] as const) {
  test(`${JSON.stringify(code)} ends the run with code ${exitCode}`, async (t) => {
    const run = await runOnce(t, code);

    assert.deepEqual(run.end.header, { t: "exit", id: 1, code: exitCode });
    assert.equal(run.stderr, stderr);
  });
}
