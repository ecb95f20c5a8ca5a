import assert from "node:assert/strict";
import { test } from "node:test";

import { FunctionUnderTest } from "./function-under-test.ts";

const REQUEST = {
  method: "POST",
  path: "/fn/greet/a%20b",
  relativePath: "/a b",
  query: "a=1&b=%C3%A9+x&a=2&c&d=%zz",
  headers: [
    ["content-type", "text/plain"],
    ["x-a", "1"],
    ["x-a", "2"],
    ["cookie", "a=1"],
    ["cookie", "b=2"],
  ],
} as const;

const EVENT = {
  method: "POST",
  path: "/fn/greet/a%20b",
  relativePath: "/a b",
  headers: { "content-type": "text/plain", "x-a": "1, 2", cookie: "a=1; b=2" },
  query: { a: "1", b: "é x", c: "", d: "%zz" },
  body: "grüß",
};

for (const [what, code] of [
  ["script", "return event"],
  ["handler", "def handler(event, context): return event"],
  ["handler with one parameter", "def handler(event): return event"],
  ["handler with a parameter by name", "def handler(event, *, more=1): return event"],
  ["asynchronous handler", "async def handler(event, context): return event"],
  ["decorated handler", "def d(f):\n  return lambda *a: f(*a)\n@d\ndef handler(event, context): return event"],
  ["callable object", "class H:\n  def __call__(self, e, c): return e\nh = H()\nhandler = lambda e, c: h(e, c)"],
] as const) {
  test(`a ${what} gets a request as its event`, async (t) => {
    const run = await new FunctionUnderTest(t, code).request(REQUEST, "grüß");

    assert.deepEqual(run.value, EVENT);
  });

  test(`a ${what} gets a value as its event`, async (t) => {
    const run = await new FunctionUnderTest(t, code).run([1, { a: null }]);

    assert.deepEqual(run.value, [1, { a: null }]);
  });
}

test("a body that is no UTF-8 comes in base64", async (t) => {
  const underTest = new FunctionUnderTest(t, "def handler(event, context): return event");

  const event = (await underTest.request({ method: "PUT" }, Buffer.of(0, 255, 1))).value as Record<string, unknown>;

  assert.equal(event["body"], "AP8B");
  assert.equal(event["isBase64Encoded"], true);
});

test("a body in pieces comes whole, and each piece is credited", async (t) => {
  for (const code of ["return len(event['body'])", "async def handler(e, c): return len(e['body'])"]) {
    const underTest = new FunctionUnderTest(t, code);
    const run = underTest.startRequest({ method: "POST" }, "x".repeat(1000), false);

    await underTest.upload(run, Buffer.alloc(1_000_000, "x"));

    assert.equal((await run.done()).value, 1_001_000);
    assert.ok(run.creditBytes > 1_000_000 - 262_144);
  }
});

test("the context names the run and the function, in both styles", async (t) => {
  const code = `
import time
def handler(event, c):
  assert time.time() - c.started_at < 5 and 0 < c.get_remaining_time_in_millis() <= 30000
  return [c.execution_id, c.aws_request_id, c.function_id, c.function_name, c.version, c.function_version, c.request_id, c.base_url]`;
  const underTest = new FunctionUnderTest(t, code);
  const same = ["f1", "greet", "3", "3"];

  assert.deepEqual((await underTest.run()).value, ["e1", "e1", ...same, "e1", "https://cloche.example"]);
  assert.deepEqual((await underTest.request()).value, ["e2", "e2", ...same, "r2", "https://cloche.example"]);
});

test("the variables are in os.environ before any code runs, and for child processes", async (t) => {
  const code = `
import os, subprocess
early = os.environ["GREETING"]
def handler(event, context):
  child = subprocess.run(["/bin/sh", "-c", "echo $GREETING"], capture_output=True, text=True).stdout
  return [early, os.getenv("GREETING"), child]`;
  for (const program of [code, `${code}\nreturn handler(event, None)`]) {
    const underTest = new FunctionUnderTest(t, program, { env: { GREETING: "grüß dich" } });

    assert.deepEqual((await underTest.run()).value, ["grüß dich", "grüß dich", "grüß dich\n"]);
  }
});

test("a script with variables stays quiet", async (t) => {
  const underTest = new FunctionUnderTest(t, "import os\nreturn os.environ['A']", { env: { A: "1" } });

  for (let round = 0; round < 3; round += 1) assert.equal((await underTest.run()).value, "1");

  await underTest.check(); // answered in order: a retirement would have come before
  assert.deepEqual(underTest.retired, []);
});

test("a handler keeps its globals, modules and threads, and is executed once", async (t) => {
  const code = `
import threading, json
print("loaded")
count = 0
stop = threading.Event()
threading.Thread(target=stop.wait, daemon=True).start()
def handler(event, context):
  global count
  count += 1
  json.mark = getattr(json, "mark", 0) + 1
  return [count, json.mark, threading.active_count(), __name__]`;
  const underTest = new FunctionUnderTest(t, code);

  await underTest.run();
  await underTest.request();

  assert.deepEqual((await underTest.run()).value, [3, 3, 2, "script"]);
  assert.equal(underTest.printed(), "loaded\n");
  assert.deepEqual(underTest.retired, []);
});

test("an asynchronous handler has one event loop for all its runs, and its tasks live on", async (t) => {
  const code = `
import asyncio
loop, ticks = None, 0
async def tick():
  global ticks
  while True:
    ticks += 1
    await asyncio.sleep(0.001)
async def handler(event, context):
  global loop, task
  if loop is None:
    loop, task = asyncio.get_running_loop(), asyncio.create_task(tick())
  await asyncio.sleep(0.02)
  return [loop is asyncio.get_running_loop(), ticks]`;
  const underTest = new FunctionUnderTest(t, code);

  const [, first] = (await underTest.run()).value as [boolean, number];
  const [same, second] = (await underTest.run()).value as [boolean, number];

  assert.ok(same && first > 1 && second > first, `${same} ${first} ${second}`);
});

test("code that awaits at top level shares the loop of the handler", async (t) => {
  const code = `
import asyncio
await asyncio.sleep(0)
loop = asyncio.get_running_loop()
async def handler(event, context): return loop is asyncio.get_running_loop()`;

  assert.equal((await new FunctionUnderTest(t, code).run()).value, true);
});

test("an ordinary function that returns a coroutine is awaited", async (t) => {
  const code = "async def f(): return 5\nhandler = lambda event, context: f()";

  for (const concurrency of [1, 2]) {
    assert.equal((await new FunctionUnderTest(t, code, { concurrency }).run()).value, 5);
  }
});

for (const prefix of ["", "async "]) {
  test(`a ${prefix}handler's bytes are a response of bytes`, async (t) => {
    const code = `${prefix}def handler(event, context): return bytes(range(256))`;
    const run = await new FunctionUnderTest(t, code).request();

    assert.equal(run.status, 200);
    assert.deepEqual(run.headers, [["content-type", "application/octet-stream"]]);
    assert.deepEqual(Buffer.concat(run.chunks), Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
    assert.equal(run.end?.header.t, "response");
  });

  test(`a ${prefix}handler's dict with bytes is a response with its status, headers and cookies`, async (t) => {
    const code = `${prefix}def handler(event, context):
  return {"statusCode": 418, "headers": {"X-A": 1, "X-B": ["2", "3"]}, "cookies": ["a=1", "b=2"], "body": b"\\xff"}`;
    const run = await new FunctionUnderTest(t, code).request();

    assert.equal(run.status, 418);
    assert.deepEqual(run.headers, [
      ["X-A", "1"],
      ["X-B", "2"],
      ["X-B", "3"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    assert.deepEqual(Buffer.concat(run.chunks), Buffer.of(255));
  });

  test(`an ${prefix}generator streams; its first dict is the head`, async (t) => {
    const code = `${prefix}def handler(event, context):
  print("before")
  yield {"statusCode": 201, "headers": {"content-type": "text/x"}}
  yield "ä"
  yield b"\\xff"
  print("after")`;
    const underTest = new FunctionUnderTest(t, code);

    const run = await underTest.request();

    assert.deepEqual([run.status, run.headers], [201, [["content-type", "text/x"]]]);
    assert.deepEqual(Buffer.concat(run.chunks), Buffer.concat([Buffer.from("ä"), Buffer.of(255)]));
    assert.equal(underTest.printed(), "before\nafter\n");
    assert.equal((await underTest.run()).value, "ä\uFFFD");
  });

  test(`an ${prefix}generator without a head answers 200 with text`, async (t) => {
    const run = await new FunctionUnderTest(t, `${prefix}def handler(event):\n  yield "a"\n  yield "b"`).request();

    assert.deepEqual([run.status, run.text], [200, "ab"]);
    assert.deepEqual(run.headers, [["content-type", "text/plain; charset=utf-8"]]);
  });

  test(`an ${prefix}generator that fails in the middle ends in an error with its line`, async (t) => {
    const underTest = new FunctionUnderTest(t, `${prefix}def handler(event):\n  yield "a"\n  1/0`);

    const run = await underTest.request();

    assert.deepEqual([run.status, run.text, run.error.line], [200, "a", 3]);
    assert.equal((await underTest.request()).status, 200);
  });

  test(`an ${prefix}generator that yields something else says so`, async (t) => {
    const run = await new FunctionUnderTest(t, `${prefix}def handler(event):\n  yield 5`).request();

    assert.match(run.error.message, /yields str or bytes .* not int/);
  });
}

test("bytes are text for a caller that wants a value, and base64 in a response", async (t) => {
  const code = "def handler(event, c): return event['r'] and {'statusCode': 200, 'body': b'\\xff'} or b'text'";
  const underTest = new FunctionUnderTest(t, code);

  assert.equal((await underTest.run({ r: 0 })).value, "text");
  assert.deepEqual((await underTest.run({ r: 1 })).value, { statusCode: 200, body: "/w==", isBase64Encoded: true });
});

test("a status that is none fails the run clearly", async (t) => {
  const run = await new FunctionUnderTest(t, "def handler(e): return {'statusCode': 99, 'body': b''}").request();

  assert.match(run.error.message, /status 99 is not between 100 and 999/);
});

test("main gets the query and the fields of a body, and the request under its own names", async (t) => {
  const underTest = new FunctionUnderTest(t, "def main(params): return params");
  const request = (type: string) => ({ ...REQUEST, query: "a=1&b=2", headers: [["content-type", type]] as const });
  const own = (type: string, body: string) => ({
    ...{ __ow_method: "post", __ow_path: "/a b", __ow_query: "a=1&b=2", __ow_headers: { "content-type": type } },
    __ow_body: body,
  });

  const form = await underTest.request(request("application/x-www-form-urlencoded"), "b=3&c=%20");
  const json = await underTest.request(request("application/json; charset=utf-8"), '{"b":[3]}');
  const broken = await underTest.request(request("application/json"), "{");

  assert.deepEqual(form.value, { a: "1", b: "3", c: " ", ...own("application/x-www-form-urlencoded", "b=3&c=%20") });
  assert.deepEqual(json.value, { a: "1", b: [3], ...own("application/json; charset=utf-8", '{"b":[3]}') });
  assert.deepEqual(broken.value, { a: "1", b: "2", ...own("application/json", "{") });
  assert.deepEqual((await underTest.run({ n: 1 })).value, { n: 1 });
});

test("an asynchronous main works, too", async (t) => {
  assert.equal((await new FunctionUnderTest(t, "async def main(p): return p['n']").run({ n: 2 })).value, 2);
});

test("an error in a handler tells the line of the main file and no frame of ours", async (t) => {
  for (const prefix of ["", "async "]) {
    const code = `def f():\n  return {}["k"]\n\n${prefix}def handler(event, context):\n  f()`;
    const underTest = new FunctionUnderTest(t, code);

    const { error } = await underTest.request();

    assert.deepEqual([error.name, error.message, error.line], ["KeyError", "KeyError: 'k'", 2]);
    assert.match(error.stack, /^Traceback[^\n]*\n {2}File "script.py", line 5, in handler\n {4}f\(\)\n/);
    assert.doesNotMatch(error.stack, /shim|asyncio|handler_worker/);
    assert.equal((await underTest.run()).error.line, 2);
  }
});

test("an exception while it is loaded fails the run with its line; the next run tries again", async (t) => {
  const code =
    "import os\nif os.path.exists(os.environ['TMPDIR'] + '/x'):\n  pass\nelse:\n  open(os.environ['TMPDIR'] + '/x', 'w').close()\n  raise ValueError('not yet')\ndef handler(event): return 1";
  const underTest = new FunctionUnderTest(t, code);

  assert.equal((await underTest.run()).error.line, 6);
  assert.equal((await underTest.run()).value, 1);
  assert.deepEqual(underTest.retired, []);
});

test("a handler that exits ends its run, not its worker", async (t) => {
  for (const [prefix, concurrency] of [
    ["", 1],
    ["async ", 1],
    ["", 2],
    ["async ", 2],
  ] as const) {
    const code = `import sys\n${prefix}def handler(event): return sys.exit(3) if event else 7`;
    const underTest = new FunctionUnderTest(t, code, { concurrency });

    assert.deepEqual((await underTest.run(1)).end?.header, { t: "exit", id: 1, code: 3 });
    assert.equal((await underTest.run(0)).value, 7);
  }
});

test("what a handler returns must be JSON", async (t) => {
  const { error } = await new FunctionUnderTest(t, "def handler(e): return {1, 2}").run();

  assert.equal(error.message, "returned a set, which cannot be JSON; return list(...) instead");
});

test("print, logging and warnings keep their levels, run after run", async (t) => {
  const code = `
import logging, sys
logging.basicConfig(level=logging.DEBUG, format="%(message)s")
def handler(event):
  print("p")
  print("e", file=sys.stderr)
  for level in ("debug", "info", "warning", "error"):
    getattr(logging, level)(level)`;
  for (const concurrency of [1, 2]) {
    const underTest = new FunctionUnderTest(t, code, { concurrency });

    await underTest.run();
    underTest.logs.length = 0;
    await underTest.run();

    assert.deepEqual(
      underTest.logs.map(({ level, stream, text }) => [level, stream, text]),
      [
        ["info", "stdout", "p\n"],
        ["error", "stderr", "e\n"],
        ["debug", "stderr", "debug\n"],
        ["info", "stderr", "info\n"],
        ["warn", "stderr", "warning\n"],
        ["error", "stderr", "error\n"],
      ],
    );
  }
});

test("a check between runs is answered in every mode", async (t) => {
  for (const [code, concurrency] of [
    ["def handler(e): return 1", 1],
    ["async def handler(e): return 1", 1],
    ["def handler(e): return 1", 2],
  ] as const) {
    const underTest = new FunctionUnderTest(t, code, { concurrency });
    await underTest.run();

    assert.deepEqual((await underTest.check()).value, { style: "lambda" });
  }
});
