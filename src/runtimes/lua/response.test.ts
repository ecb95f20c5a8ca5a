// HTTP responses out: what a handler's table becomes, what a script's value becomes, and what is refused.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { type Answer, WorkerUnderTest, failureIn } from "./worker-under-test.ts";

async function answer(t: TestContext, code: string): Promise<Answer> {
  const worker = new WorkerUnderTest(t);
  worker.bind(code);
  return worker.request();
}

/** Each: what the handler returns, then status, headers and body. */
const RESPONSES: readonly (readonly [string, number, readonly (readonly [string, string])[], string])[] = [
  ["{ body = 'hi' }", 200, [["Content-Type", "application/json"]], "hi"],
  ["{ body = 5 }", 200, [["Content-Type", "application/json"]], "5"],
  ["{ body = { b = 1, a = '<x>' } }", 200, [["Content-Type", "application/json"]], '{"a":"<x>","b":1}'],
  ["{ statusCode = 201, body = json.decode('[]') }", 201, [["Content-Type", "application/json"]], "[]"],
  ["{ statusCode = '404' }", 404, [], ""],
  ["{ statusCode = 599 }", 599, [], ""],
  ["{}", 200, [], ""],
  ["{ statusCode = 204, body = nil }, 'ignored'", 204, [], ""],
  [
    "{ headers = { ['content-TYPE'] = 'text/html', ['X-N'] = 7 }, body = {} }",
    200,
    [
      ["X-N", "7"],
      ["content-TYPE", "text/html"],
    ],
    "{}",
  ],
  [
    "{ statusCode = 302, headers = { ['Set-Cookie'] = { 'a=1', 'b=2' }, Location = '/x' } }",
    302,
    [
      ["Location", "/x"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ],
    "",
  ],
  [
    "{ headers = { ['X-Q'] = 'a \"quoted\" \\\\ \\t é' } }",
    200,
    [["X-Q", `a "quoted" \\ \t ${Buffer.from("é").toString("latin1")}`]],
    "",
  ],
  ["{ body = 'aGk=', isBase64Encoded = true }", 200, [["Content-Type", "application/octet-stream"]], "hi"],
  ["{ body = 'aGk=', isBase64Encoded = false }", 200, [["Content-Type", "application/json"]], "aGk="],
  [
    "{ body = 'aGk=', isBase64Encoded = true, headers = { ['Content-Type'] = 'text/plain' } }",
    200,
    [["Content-Type", "text/plain"]],
    "hi",
  ],
];

for (const [value, status, headers, body] of RESPONSES) {
  test(`a handler that returns ${value} answers ${status} with ${JSON.stringify(body)}`, async (t) => {
    const got = await answer(t, `function handler() return ${value} end`);

    assert.deepEqual([got.status, got.headers, got.bytes.toString()], [status, headers, body], got.end.body);
  });
}

/** Each: what the handler returns, and words of the message. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["nil", /^handler must return a table such as .* but it returned nil$/],
  ["", /but it returned nothing$/],
  ["'hello'", /but it returned a string$/],
  ["true", /but it returned a boolean$/],
  ["print", /but it returned a function$/],
  ["200, { body = 'x' }", /but it returned 2 values, the first of them a number$/],
  ["{ statusCode = 99 }", /statusCode must be a whole number from 200 to 599, got 99/],
  ["{ statusCode = 199 }", /from 200 to 599/],
  ["{ statusCode = 600 }", /from 200 to 599/],
  ["{ statusCode = 200.5 }", /got 200\.5/],
  ["{ statusCode = 0/0 }", /from 200 to 599/],
  ["{ statusCode = 1/0 }", /from 200 to 599/],
  ["{ statusCode = 'OK' }", /statusCode must be a number, got "OK"/],
  ["{ statusCode = '0x1' }", /got "0x1"/],
  ["{ statusCode = {} }", /statusCode must be a number, got a table/],
  ["{ statusCode = false }", /statusCode must be a number, got a boolean/],
  ["{ headers = 'x' }", /headers must be a table, got a string/],
  ["{ headers = { 'X: y' } }", /headers must be a table by name.* a number as a key/],
  ["{ headers = { ['X\\r\\nY'] = 'a' } }", /cannot be the name of a header/],
  ["{ headers = { ['X Y'] = 'a' } }", /"X Y" cannot be the name/],
  ["{ headers = { [''] = 'a' } }", /cannot be the name/],
  ["{ headers = { ['Ä'] = 'a' } }", /cannot be the name/],
  ["{ headers = { X = 'a\\r\\nSet-Cookie: b' } }", /the header X holds a line break/],
  ["{ headers = { X = 'a\\0' } }", /the header X holds/],
  ["{ headers = { X = { 'a', 'b\\n' } } }", /the header X holds/],
  ["{ headers = { X = true } }", /the header X must be .* got a boolean/],
  ["{ headers = { X = { {} } } }", /the header X must be .* got a table/],
  ["{ headers = { X = ('a'):rep(70000) } }", /the headers have \d+ bytes \(max 60000\)/],
  ["{ body = true }", /body must be a string, a number or a table, got a boolean/],
  ["{ body = print }", /body must be .* got a function/],
  ["{ body = { print } }", /the body holds a function, which cannot be JSON/],
  ["{ body = { 0/0 } }", /the body holds NaN/],
  ["{ body = '!', isBase64Encoded = true }", /the body is not base64: illegal base64 data at input byte 0/],
  // Code of theirs that could run within ours.
  [
    "{ headers = { [setmetatable({}, { __tostring = function() error({ why = {} }) end })] = 'a' } }",
    /a table as a key/,
  ],
  ["{ body = setmetatable({}, { __index = error, __pairs = error, __len = error }), statusCode = 1 }", /got 1/],
];

for (const [value, message] of REFUSED) {
  test(`a handler that returns ${value} is a clear error in the handler's line`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(`local x = 1\nfunction handler()\n  return ${value}\nend`);

    const error = failureIn(await worker.request());

    assert.match(error.message, message);
    assert.deepEqual([error.name, error.line], ["TypeError", 2]);
    assert.match(error.stack, /> {3}2 \| function handler\(\)/);
    assert.equal(await worker.whyRetired(), undefined);
  });
}

for (const code of [
  "handler = print",
  "handler = loadstring('return 1')",
  "handler = load('return 1', '=script.lua')",
]) {
  test(`the handler of ${JSON.stringify(code)} has no line that could be told`, async (t) => {
    const { message, line } = failureIn(await answer(t, code));

    assert.match(message, /^handler must return a table/);
    assert.equal(line, undefined);
  });
}

test("a handler that calls itself without an end fails its request, and the next one is served", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("function handler(_, e) if e.query.deep then return 1 + handler(_, e) end return { body = 'ok' } end");

  for (let round = 0; round < 5; round += 1) {
    assert.match(failureIn(await worker.request({ query: "deep=1" })).message, /stack overflow/);
    assert.equal((await worker.request()).bytes.toString(), "ok");
  }
});

test("the usual wrong returns come with a tip", async (t) => {
  assert.match(
    String(failureIn(await answer(t, "function handler() end")).tip),
    /end the handler with `return \{ statusCode = 200/,
  );
  assert.match(String(failureIn(await answer(t, "function handler() return { statusCode = 'x' } end")).tip), /200/);
});

test("a handler's table is read as it is, whatever its metatable says", async (t) => {
  const got = await answer(
    t,
    "function handler() return setmetatable({ body = 'x' }, { __index = function() error('no') end }) end",
  );

  assert.deepEqual([got.status, got.bytes.toString()], [200, "x"]);
});

test("a table that says nothing about the response is an empty one, with a warning", async (t) => {
  const got = await answer(t, "function handler() return { message = 'hi' } end");

  assert.deepEqual([got.status, got.bytes.length], [200, 0]);
  assert.match(got.logs.join(), /^warn: the handler's table has no statusCode, headers or body/);
});

/** Each: a script without a handler, and the JSON of its value, of which the server makes the response. */
const VALUES: readonly (readonly [string, string])[] = [
  ["return { method = event.method, path = input.relativePath }", '{"method":"GET","path":"/"}'],
  ["return 'text'", '"text"'],
  ["result = { 1 }", "[1]"],
  ["return nil", "null"],
  ["print('x')", ""],
  ["kv.get('a')", ""],
  ["if event.method == 'POST' then return 1 end", ""],
  ["return { statusCode = 201, body = 'é' }", '{"body":"é","statusCode":201}'],
  ["return { statusCode = 200, body = '\\255\\0' }", '{"body":"/wA=","isBase64Encoded":true,"statusCode":200}'],
  ["_G['hand' .. 'ler'] = nil return 1", "1"],
];

for (const [code, json] of VALUES) {
  test(`the script ${code} answers a request with ${json === "" ? "nothing" : json}`, async (t) => {
    const { end } = await answer(t, code);

    assert.deepEqual([end.header.t, end.body], ["result", json]);
  });
}

test("a script's text that is no UTF-8 is answered byte by byte", async (t) => {
  const got = await answer(t, "return '\\255\\254' .. ('x'):rep(100000)");

  assert.equal(got.status, 200);
  assert.deepEqual(got.headers, [["Content-Type", "application/octet-stream"]]);
  assert.ok(got.bytes.equals(Buffer.concat([Buffer.of(255, 254), Buffer.alloc(100_000, "x")])));
});

for (const code of ["local function handler() return {} end", "function Handler() return {} end", "local x = 1", ""]) {
  test(`a request to the code ${JSON.stringify(code)} fails for want of a handler, and a run does not`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(code);

    const { message, tip } = failureIn(await worker.request());
    const { end } = await worker.run();

    assert.match(message, /^no handler: the code sets no global function `handler`/);
    assert.match(String(tip), /without `local`/);
    assert.deepEqual([end.header.t, end.body], ["result", ""]);
  });
}

test("a handler that is made while the script runs counts, too", async (t) => {
  const got = await answer(t, "_G['hand' .. 'ler'] = function() return { body = 'x' } end");

  assert.equal(got.bytes.toString(), "x");
});
