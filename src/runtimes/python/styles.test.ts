import assert from "node:assert/strict";
import { test } from "node:test";

import { FunctionUnderTest } from "./function-under-test.ts";

const CALLABLE = "class App:\n  def __call__(self, environ, start_response): pass\n";
const ASYNC_CALLABLE = "class App:\n  async def __call__(self, scope, receive, send): pass\n";

/** What the program is, its style, its code. */
const PROGRAMS: readonly (readonly [string, string, string])[] = [
  ["a handler", "lambda", "def handler(event, context): return 1"],
  ["an asynchronous handler", "lambda", "async def handler(event, context): return 1"],
  ["a handler that is a generator", "lambda", "def handler(event):\n  yield 1"],
  ["a handler that is a lambda", "lambda", "handler = lambda event, context: 1"],
  ["a handler in a block", "lambda", "try:\n  import nothing\nexcept ImportError:\n  def handler(e, c): pass"],
  [
    "a handler that is tried out as a main program",
    "lambda",
    'def handler(e, c): pass\nif __name__ == "__main__":\n  print(handler({}, None))',
  ],
  ["a main function", "main", "def main(params): return params"],
  ["a main function that nothing but others call", "main", "def f(): pass\ndef main(args): return f()"],
  ["an ASGI function", "asgi", "async def app(scope, receive, send): pass"],
  ["an ASGI function in the other way", "asgi", "def app(scope, receive, send): pass"],
  ["a WSGI function", "wsgi", "def app(environ, start_response): return []"],
  ["a WSGI object", "wsgi", `${CALLABLE}app = App()`],
  ["an ASGI object", "asgi", `${ASYNC_CALLABLE}app = App()`],
  ["an ASGI object behind a partial", "asgi", `${ASYNC_CALLABLE}import functools\napp = functools.partial(App())`],
  ["a bound WSGI method", "wsgi", "class A:\n  def f(self, environ, start_response): pass\napp = A().f"],
  [
    "a WSGI function behind a decorator",
    "wsgi",
    "import functools\ndef d(f):\n  @functools.wraps(f)\n  def w(*a): return f(*a)\n  return w\n@d\ndef app(e, s): pass",
  ],
  ["a WSGI class", "wsgi", "class app:\n  def __init__(self, environ, start_response): pass"],
  [
    "an application with a route called main",
    "wsgi",
    `${CALLABLE}  def get(self, f): return f\napp = App()\n@app.get\ndef main(x): pass\n@app.get\ndef handler(): pass`,
  ],
  ["a script", "script", "print(1)"],
  ["nothing", "script", ""],
  ["a script that returns", "script", "def handler(event, context): pass\nreturn handler(event, None)"],
  ["a script with a helper called handler", "script", "def handler(x): return x\nresult = handler(1)"],
  ["a script that reads its event", "script", "def handler(x): pass\nprint(event)"],
  ["a script with a main that it calls", "script", "def main(x): print(x)\nmain(1)"],
  ["a script with the usual main", "script", "def main(argv): pass\nif __name__ == '__main__': main([])"],
  ["a script with a main without parameters", "script", "def main(): pass"],
  ["a script with a handler of another kind", "script", "import logging\nhandler = logging.StreamHandler()"],
  ["a script with an app of another kind", "script", "class T: pass\napp = T()\nprint(app)"],
  ["a script with an app that is a value", "script", "app = {'a': 1}"],
  ["a class with a handler", "script", "class A:\n  def handler(self, event): pass"],
];

for (const [what, style, code] of PROGRAMS) {
  test(`${what} is found to be ${style}: ${JSON.stringify(code.slice(-30))}`, async (t) => {
    const underTest = new FunctionUnderTest(t, code);

    assert.deepEqual((await underTest.check()).value, { style });
  });
}

test("a check runs nothing of a program whose text says what it is", async (t) => {
  const underTest = new FunctionUnderTest(t, "print('ran')\nraise ValueError\ndef handler(e, c): pass");

  assert.deepEqual((await underTest.check()).value, { style: "lambda" });
  assert.equal(underTest.printed(), "");
});

test("a check of a mistake in the text names its line and shows it", async (t) => {
  const { error } = await new FunctionUnderTest(t, "x = 1\ndef handler(e, = c):\n  pass").check();

  assert.equal(error.name, "SyntaxError");
  assert.equal(error.line, 2);
  assert.match(error.stack, /File "script.py", line 2\n {4}def handler\(e, = c\):\n/);
});

test("a check that has to load the application tells why that fails, with its line", async (t) => {
  const underTest = new FunctionUnderTest(t, "import os\n\napp = os.no_such_thing()");

  const { error } = await underTest.check();

  assert.equal(error.name, "AttributeError");
  assert.equal(error.line, 3);
  assert.match(error.stack, /line 3, in <module>\n {4}app = os\.no_such_thing/);
});

test("a script with an app of another kind runs once for its first run, and stays a script", async (t) => {
  const underTest = new FunctionUnderTest(t, "class T: pass\napp = T()\nprint('ran')");

  assert.equal((await underTest.run()).value, undefined);
  assert.equal((await underTest.run()).value, undefined);

  assert.equal(underTest.printed(), "ran\nran\n");
});

test("a script with an app of another kind and a main block runs the block", async (t) => {
  const underTest = new FunctionUnderTest(t, "app = object()\nif __name__ == '__main__':\n  print('main')");

  await underTest.run();

  assert.equal(underTest.printed(), "main\n");
});

test("an application that stands under the main block's guard is not started by it", async (t) => {
  const code = `${CALLABLE}app = App()\nif __name__ == "__main__":\n  raise SystemExit("it would serve for ever")`;

  assert.deepEqual((await new FunctionUnderTest(t, code).check()).value, { style: "wsgi" });
});
