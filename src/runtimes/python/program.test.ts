import assert from "node:assert/strict";
import { test } from "node:test";

import { WorkerUnderTest, failure, returned, runOnce } from "./worker-under-test.ts";

/** Each: a name, the code, the JSON that it returns; the input is `{"n":1}`. */
const PROGRAMS: readonly (readonly [string, string, string])[] = [
  ["returns at top level", "return event['n']", "1"],
  ["returns from within a block", "for i in range(5):\n  if i == 3:\n    return i\n", "3"],
  ["tells an explicit None", "return None", "null"],
  ["returns nothing with a bare return", "return\nreturn 1", ""],
  ["returns nothing when it ends", "x = 1", ""],
  ["returns nothing when it falls off its end", "if not event:\n  return 1", ""],
  ["is a comment only", "# nothing here", ""],
  ["is empty", "", ""],
  ["returns a starred tuple", "a = [1, 2]\nreturn *a, 3", "[1,2,3]"],
  ["gives a global result", "result = {'a': 1}", '{"a":1}'],
  ["prefers the returned value to a global result", "result = 1\nreturn 2", "2"],
  ["sees event and input as one object", "return event is input", "true"],
  ["may assign to event after reading it", "a = event['n']\nevent = 5\nreturn [a, event]", "[1,5]"],
  ["is __main__", "return __name__", '"__main__"'],
  ["sees its globals in functions", "x = 1\ndef f():\n  return x + y\ny = 2\nreturn f()", "3"],
  ["changes its globals in functions", "x = 1\ndef f():\n  global x\n  x += 1\nf()\nx += 1\nreturn x", "3"],
  ["has a class with globals in its body", "x = 1\nclass A:\n  x = x + 1\nreturn [x, A.x]", "[1,2]"],
  ["has dataclasses", "from dataclasses import dataclass\n@dataclass\nclass P:\n  x: int\nreturn P(3).x", "3"],
  ["decorates", "def d(f):\n  return lambda: f() + 1\n@d\ndef f():\n  return 1\nreturn f()", "2"],
  ["imports by star", "from math import *\nreturn floor(pi)", "3"],
  ["imports by star in a block", "if True:\n  from os.path import *\nreturn basename('a/b')", '"b"'],
  [
    "imports dotted modules",
    "import os.path, xml.dom as d\nreturn [os.path.basename('a/b'), d.__name__]",
    '["b","xml.dom"]',
  ],
  [
    "imports from the future",
    '"""doc"""\nfrom __future__ import annotations\ndef f(a: Nope): pass\nreturn f.__annotations__',
    '{"a":"Nope"}',
  ],
  ["annotates", "x: int = 1\ny: str\n(z): int = 2\nreturn [x, z]", "[1,2]"],
  ["deletes", "x = 1\ndel x\nreturn 'x' in globals()", "false"],
  [
    "catches into a name",
    "try:\n  1/0\nexcept ZeroDivisionError as e:\n  m = str(e)\nreturn [m, 'e' in globals()]",
    '["division by zero",false]',
  ],
  ["uses a walrus", "if (n := 5) > 3: pass\ndef f(): return n\nreturn f()", "5"],
  ["uses a walrus in a comprehension", "[last := i for i in range(3)]\ndef f(): return last\nreturn f()", "2"],
  ["keeps comprehension variables apart", "x = 'a'\ny = [x for x in (1, 2)]\nreturn [x, y]", '["a",[1,2]]'],
  ["assigns to a star target", "a, *b = 1, 2, 3\nreturn b", "[2,3]"],
  ["uses with targets", "import io\nwith io.StringIO('t') as f:\n  s = f.read()\ndef g(): return s\nreturn g()", '"t"'],
  ["uses a return in finally", "try:\n  pass\nfinally:\n  x = 1\nreturn x", "1"],
  ["keeps multi-line strings", "s = '''a\n  b\n'''\nreturn s", '"a\\n  b\\n"'],
  ["sees its globals as locals", "x = 1\nreturn locals() is globals()", "true"],
  ["executes into its globals", "exec('y = 2')\nreturn y", "2"],
  ["awaits", "import asyncio\nasync def f():\n  await asyncio.sleep(0)\n  return 4\nreturn await f()", "4"],
  ["awaits without returning", "import asyncio\nawait asyncio.sleep(0)\nresult = 5", "5"],
  ["awaits in a comprehension", "async def f():\n  yield 1\nreturn [x async for x in f()]", "[1]"],
  ["returns a coroutine", "async def f(): return 6\nreturn f()", "6"],
  ["returns from nested functions only", "def f():\n  return 1\nresult = f()", "1"],
  ["has windows line ends", "if True:\r\n  x = 'a'\r\nreturn x\r\n", '"a"'],
  ["starts with a byte order mark", "\uFEFFreturn 1", "1"],
  ["has a long elif chain", `x = 1\nif x == 0: pass\n${"elif x == 2: pass\n".repeat(100)}else:\n  return 7`, "7"],
  ["calls type hints", "import typing\nclass A:\n  x: 'A'\nreturn typing.get_type_hints(A)['x'].__name__", '"A"'],
];

for (const [name, code, expected] of PROGRAMS) {
  test(`a program that ${name} gives ${expected === "" ? "nothing" : expected}`, async (t) => {
    assert.equal(await returned(t, code, '{"n":1}'), expected);
  });
}

test("a match statement captures into globals", async (t) => {
  const code = "match [1, 2]:\n  case [a, *rest]:\n    pass\ndef f(): return [a, rest]\nreturn f()";

  assert.equal(await returned(t, code), "[1,[2]]");
});

test("a syntax error names its line and shows the source", async (t) => {
  const error = await failure(t, "x = 1\ny = = 2\nreturn x");

  assert.equal(error.name, "SyntaxError");
  assert.equal(error.message, "invalid syntax (script.py, line 2)");
  assert.match(error.stack, /File "script.py", line 2\n {4}y = = 2\n {8}\^/);
});

test("a mistake that only the compiler finds shows its source line, too", async (t) => {
  const error = await failure(t, "x = 1\nbreak\nreturn x");

  assert.match(error.message, /outside loop \(script.py, line 2\)/);
  assert.match(error.stack, /line 2\n {4}break\n/);
});

for (const [what, code, message] of [
  ["yield beside a return", "x = 1\nyield x\nreturn 2", "'yield' outside function (script.py, line 2)"],
  ["yield without a return", "yield 1", "'yield' outside function (script.py, line 1)"],
  ["return in a class", "class A:\n  return 1", "'return' outside function (script.py, line 2)"],
] as const) {
  test(`${what} is a syntax error`, async (t) => {
    assert.equal((await failure(t, code)).message, message);
  });
}

test("nonlocal for a global stays a syntax error", async (t) => {
  assert.match((await failure(t, "x = 1\ndef f():\n  nonlocal x\nreturn 1")).message, /no binding for nonlocal 'x'/);
});

test("a null byte in the source is a failed run", async (t) => {
  assert.match((await failure(t, "x = '\0'")).message, /null byte/);
});

test("a program that cannot be compiled fails each of its runs alike", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("def");

  const first = await worker.run();
  const second = await worker.run();

  assert.equal(first.end.header.t, "error");
  assert.equal(first.end.body, second.end.body);
});

test("the script sees nothing of the shim", async (t) => {
  const code = `
import sys, __main__
names = sorted(k for k in globals() if k not in ("sys", "names", "__main__"))
own = [n for n in sys.modules if n in ("shim", "worker", "channel", "quiet", "program", "output")]
try:
  import shim
except ImportError:
  own.append("no shim")
return [names, own, sys.argv, [p for p in sys.path if "shim" in p or p == ""], __main__.__dict__ is globals()]`;

  const names = ["__builtins__", "__doc__", "__loader__", "__name__", "__package__", "__spec__", "event", "input"];
  assert.deepEqual(JSON.parse(await returned(t, code)), [names, ["no shim"], ["script.py"], [], true]);
});

test("each run has fresh globals", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("old = globals().get('x')\nx = event\nreturn old");

  await worker.run("1");

  assert.equal((await worker.run("2")).end.body, "null");
});

test("a warning of the compiler does not disturb", async (t) => {
  const { end } = await runOnce(t, "x = '\\d'\nreturn x is 1");

  assert.equal(end.body, "false");
});
