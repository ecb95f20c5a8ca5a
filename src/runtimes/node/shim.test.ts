import assert from "node:assert/strict";
import { test } from "node:test";
import { timesAsLong } from "../printing.fixture.ts";
import { boundShim, encode, runOnce, ShimProcess } from "./worker-under-test.ts";

const failure = (frame: { body: string }): { name: string; message: string; stack: string } => JSON.parse(frame.body);

test("a run returns its value as JSON", async (t) => {
  const cases: [string, string][] = [
    ["return {hello: event.name}", '{"hello":"Ada"}'],
    ["return event === input && input.name", '"Ada"'],
    ["return await Promise.resolve([1])", "[1]"],
    ["return Promise.resolve({a: 1})", '{"a":1}'],
    ["return 'x'", '"x"'],
    ["return null", "null"],
    ["return NaN", "null"],
    ["return", ""],
    ["", ""],
    ["// only a comment", ""],
    ["globalThis.result = [5]", "[5]"],
    ["globalThis.result = Promise.resolve(6)", "6"],
    ["const input = event, require = 1; return input.name + require", '"Ada1"'],
    ["return typeof require('fs').readFileSync", '"function"'],
    ["const {sep} = await import('node:path'); return sep", '"/"'],
    ["return [] instanceof Array && event instanceof Object", "true"],
    ["return 'grüße 測試 🚀 \\ud800'", '"grüße 測試 🚀 \\ud800"'],
    ["with ({a: 1}) return a", "1"],
    ["return {a: {}}", '{"a":{}}'],
    ["return {toJSON() { return 7 }}", "7"],
  ];
  for (const [code, expected] of cases) {
    const { end, shim } = await runOnce(t, code, { input: { name: "Ada" } });
    assert.deepEqual([end.t, end.body], ["result", expected], code);
    await shim.close();
  }
});

test("a value that is not JSON fails the run and says what it is", async (t) => {
  const cases: [string, RegExp][] = [
    ["return () => 1", /returned a function/],
    ["return Symbol('s')", /returned a symbol/],
    ["return 1n", /BigInt/],
    ["return {a: [1n]}", /BigInt/],
    ["const a = {}; a.a = a; return a", /cycle/],
    ["return new Set([1])", /returned a Set.*\[\.\.\.set\]/],
    ["return {deep: [{map: new Map()}]}", /returned a Map/],
    ["return new WeakMap()", /WeakMap/],
    ["return {a: Promise.resolve(1)}", /Promise/],
    ["let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return a", /too deeply/],
  ];
  for (const [code, expected] of cases) {
    const { end, shim } = await runOnce(t, code);
    assert.equal(end.t, "error", code);
    assert.match(failure(end).message, expected, code);
    await shim.close();
  }
});

test("a thrown error shows the user's frames only", async (t) => {
  const code = "function f() {\n  throw new RangeError('boom', {cause: new Error('why')});\n}\nawait 1;\n  f();";
  const { end } = await runOnce(t, code);

  const { name, message, stack } = failure(end);
  assert.deepEqual([name, message], ["RangeError", "boom"]);
  assert.match(
    stack,
    /^RangeError: boom\n    at f \(script\.js:2:9\)\n    at script\.js:5:3 \{\n  \[cause\]: Error: why/,
  );
  assert.doesNotMatch(stack, /node:|shim|cjs/);
});

test("what was thrown gives a sensible message", async (t) => {
  const cases: [string, string][] = [
    ["throw 'str'", "str"],
    ["throw {code: 7}", "{ code: 7 }"],
    ["throw null", "null"],
    ["throw undefined", "undefined"],
    [
      "throw new Proxy({}, {get() { throw 1 }, getPrototypeOf() { throw 2 }})",
      "the code threw a value that cannot be shown",
    ],
    ["null.x", "Cannot read properties of null (reading 'x')"],
  ];
  for (const [code, expected] of cases) {
    const { end, shim } = await runOnce(t, code);
    assert.deepEqual([end.t, failure(end).message], ["error", expected], code);
    await shim.close();
  }
});

test("an AggregateError shows its errors", async (t) => {
  const { end } = await runOnce(t, "throw new AggregateError([new Error('one'), new TypeError('two')], 'both')");

  assert.match(failure(end).stack, /both[\s\S]*Error: one[\s\S]*TypeError: two/);
});

test("a long message and a long stack are cut", async (t) => {
  const { end } = await runOnce(t, "throw new Error('x'.repeat(1e6))");

  const { message, stack } = failure(end);
  assert.ok(message.length <= 16_384 + 40 && stack.length <= 32_768 + 40);
});

test("a syntax error names line, column and code, and fails every run", async (t) => {
  const shim = await boundShim(t, "const a = 1;\n  let x = ;");
  for (let count = 0; count < 2; count += 1) {
    const { name, message, stack } = failure((await shim.run()).end);
    assert.equal(name, "SyntaxError");
    assert.equal(message, "Unexpected token ';' (script.js:2:11)");
    assert.match(stack, /script\.js:2:11\n\n {2}let x = ;\n {10}\^/);
  }
});

test("code that closes the wrapper is refused", async (t) => {
  for (const code of [
    "}}); (function(){return async()=>{",
    "}}); (function(){ return function(){",
    "return 1\n}, function () {",
  ]) {
    const { end, shim } = await runOnce(t, code);
    assert.deepEqual([end.t, failure(end).name], ["error", "SyntaxError"], code);
    await shim.close();
  }
});

test("code that could not be prepared fails with the mistake that was found", async (t) => {
  const { end } = await runOnce(t, "let a = 1;\nlet x: = 1", { language: "typescript" });

  assert.equal(failure(end).message, 'Unexpected "=" (script.ts:2:8)');
});

test("a TypeScript error shows line and column of the source", async (t) => {
  const code =
    "interface A {\n  a: { b: number };\n}\nenum E { X }\nconst a: A = event;\nawait 0;\n  return a.a.b + E.X;";
  const { end } = await runOnce(t, code, { language: "typescript" });

  assert.match(failure(end).stack, /\n    at script\.ts:7:14$/);
});

test("printed text streams with its level, before the result", async (t) => {
  const code = `
    console.log("a %d", 1, {b: [1]}); console.debug("d"); console.info("i"); console.warn("w"); console.error("e");
    process.stdout.write("par"); process.stdout.write(Buffer.from("tial")); process.stderr.write("x\\n");
    console.group("g"); console.log("in"); console.groupEnd(); console.table([{a: 1}]); console.dir({q: 1});
    return 1`;
  const { logs, end } = await runOnce(t, code);

  assert.equal(end.body, "1");
  assert.deepEqual(
    logs.slice(0, 10).map(({ level, stream, body }) => [level, stream, body]),
    [
      ["info", "stdout", "a 1 { b: [ 1 ] }\n"],
      ["debug", "stdout", "d\n"],
      ["info", "stdout", "i\n"],
      ["warn", "stderr", "w\n"],
      ["error", "stderr", "e\n"],
      ["info", "stdout", "par"],
      ["info", "stdout", "tial"],
      ["error", "stderr", "x\n"],
      ["info", "stdout", "g\n"],
      ["info", "stdout", "  in\n"],
    ],
  );
  assert.match(logs.map(({ body }) => body).join(""), /┌[\s\S]*└[\s\S]*\{ q: 1 \}\n$/);
});

test("nothing printed is lost when the code exits", async (t) => {
  const { logs, end } = await runOnce(t, "console.log('x'.repeat(200_000)); console.log('last'); process.exit(3)");

  assert.equal(logs.map(({ body }) => body).join(""), `${"x".repeat(200_000)}\nlast\n`);
  assert.deepEqual([end.t, end.code], ["exit", 3]);
});

test("an exit code that was set counts when the code ends", async (t) => {
  const { end } = await runOnce(t, "process.exitCode = 4");

  assert.deepEqual([end.t, end.code], ["exit", 4]);
});

test("standard input is empty", async (t) => {
  const { end } = await runOnce(t, "let n = 0; for await (const c of process.stdin) n++; return n");

  assert.equal(end.body, "0");
});

test("100,000 printed lines take at most twelve times as long as without us", async (t) => {
  const code = "for (let i = 0; i < 100_000; i++) console.log('line', i)";
  const shim = await boundShim(t, code);

  const times = await timesAsLong(
    async () => {
      const { logs } = await shim.run();
      assert.equal(logs.length, 100_000);
      assert.equal(logs.at(-1)?.body, "line 99999\n");
    },
    [process.execPath, "-e", code],
    12, // three to four are usual
  );

  assert.ok(times < 12, `${times} times as long`);
});

test("a run that waits for nothing ends with nothing returned", async (t) => {
  const shim = await boundShim(t, "await new Promise(() => {})");

  assert.deepEqual((await shim.run()).end.body, "");
  assert.equal(await shim.afterwards(), undefined);
  assert.deepEqual((await shim.run()).end.t, "result");
});

test("an error that nothing catches fails the run", async (t) => {
  for (const code of [
    "setTimeout(() => { throw new Error('late') }, 1); await new Promise((r) => setTimeout(r, 5_000))",
    "Promise.reject(new Error('late')); await new Promise((r) => setTimeout(r, 5_000))",
  ]) {
    const { end, shim } = await runOnce(t, code);
    assert.deepEqual([end.t, failure(end).message], ["error", "late"]);
    assert.match((await shim.afterwards()) ?? "", /open|caught/);
    await shim.close();
  }
});

test("an error after the end of a run retires the worker", async (t) => {
  const { end, shim } = await runOnce(t, "Promise.reject(new Error('late')); return 1");

  assert.equal(end.body, "1");
  assert.match((await shim.afterwards()) ?? "", /not caught/);
});

test("code that patches built-ins does not break the shim", async (t) => {
  const code = `
    JSON.stringify = JSON.parse = () => { throw 1 }; Buffer.prototype.utf8Write = Buffer.from = Buffer.byteLength = null;
    Array.prototype.join = Array.prototype.push = String.prototype.slice = Promise.prototype.then = Reflect.apply = null;
    globalThis.setImmediate = process.getActiveResourcesInfo = Object.keys = Object.is = null; require("fs").writeSync = null;
    Array.prototype[Symbol.iterator] = null; Map = Set = null;
    return {a: 1}`;
  const { end, shim } = await runOnce(t, code);

  assert.equal(end.body, '{"a":1}');
  assert.notEqual(await shim.afterwards(), undefined);
});

test("frames may arrive byte by byte and many at once", async (t) => {
  const shim = new ShimProcess();
  t.after(() => shim.close());
  assert.equal((await shim.next())?.t, "ready");
  const bytes = Buffer.concat([
    encode({ t: "unknown" }),
    encode({ t: "bind", language: "javascript", options: { file: "script.js" } }, "return event.ü"),
    encode({ t: "run", id: 1 }, '{"ü":"ä"}'),
  ]);

  for (const byte of bytes) {
    shim.control.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await shim.next(), { t: "result", id: 1, body: '"ä"' });
  const many = Array.from({ length: 50 }, (_, id) => encode({ t: "run", id }, `{"ü":${id}}`));
  shim.control.write(Buffer.concat(many));

  for (let id = 0; id < 50; id += 1) assert.deepEqual(await shim.next(), { t: "result", id, body: String(id) });
});

test("runs are taken one after the other, and a ping waits for them", async (t) => {
  const shim = await boundShim(
    t,
    "console.log('in', event); await new Promise((r) => setTimeout(r, 20)); console.log('out', event)",
  );
  await shim.next();

  shim.send({ t: "run", id: 1 }, "1");
  shim.send({ t: "run", id: 2 }, "2");
  shim.send({ t: "ping", id: 3 });

  const seen = [];
  for (let count = 0; count < 7; count += 1) seen.push(await shim.next());
  assert.deepEqual(
    seen.map((frame) => (frame?.t === "log" ? frame.body.trim() : `${frame?.t} ${frame?.id}`)),
    ["in 1", "out 1", "result 1", "in 2", "out 2", "result 2", "pong 3"],
  );
});

test("large and deep values go both ways", async (t) => {
  const shim = await boundShim(t, "return event");
  const big = "ä🚀".repeat(250_000);

  assert.equal((await shim.run(big)).end.body, JSON.stringify(big));
  assert.equal((await shim.run(1)).end.body, "1");
  shim.send({ t: "run", id: 7 }, "[".repeat(2_000) + "]".repeat(2_000));
  assert.equal((await shim.next())?.body.length, 4_000);
  shim.send({ t: "run", id: 8 }, '{"n":123456789012345678901234567890}');
  assert.equal((await shim.next())?.body, '{"n":1.2345678901234568e+29}');
});

test("a shim whose server is gone ends", async (t) => {
  const shim = await boundShim(t, "return 1");
  await shim.run();
  const ended = new Promise((resolve) => shim.child.once("exit", resolve));

  shim.control.destroy();

  assert.equal(await ended, 0);
});
