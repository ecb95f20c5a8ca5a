import assert from "node:assert/strict";
import { test } from "node:test";

import { FunctionUnderTest } from "./function-under-test.ts";

const SHOW = `
import json
def app(environ, start_response):
  start_response("200 OK", [("Content-Type", "application/json")])
  shown = {key: value for key, value in environ.items() if isinstance(value, (str, bool, tuple))}
  shown["body"] = environ["wsgi.input"].read().decode()
  print("to the log", file=environ["wsgi.errors"])
  return [json.dumps(shown).encode()]`;

test("a WSGI application gets a complete environ", async (t) => {
  const underTest = new FunctionUnderTest(t, SHOW);
  const head = {
    method: "POST",
    path: "/fn/greet/a%C3%A9",
    relativePath: "/aé",
    query: "x=%20",
    headers: [
      ["host", "example.com"],
      ["content-type", "text/plain"],
      ["content-length", "4"],
      ["x-forwarded-proto", "http"],
      ["x-a", "1"],
      ["x-a", "2"],
      ["cookie", "a=1"],
      ["cookie", "b=2"],
    ],
  } as const;

  const run = await underTest.request(head, "body");

  assert.deepEqual(JSON.parse(run.text), {
    REQUEST_METHOD: "POST",
    SCRIPT_NAME: "/fn/greet",
    PATH_INFO: "/a\u00C3\u00A9",
    QUERY_STRING: "x=%20",
    REQUEST_URI: "/fn/greet/a%C3%A9?x=%20",
    SERVER_NAME: "example.com",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
    REMOTE_ADDR: "",
    CONTENT_TYPE: "text/plain",
    CONTENT_LENGTH: "4",
    HTTP_HOST: "example.com",
    HTTP_X_FORWARDED_PROTO: "http",
    HTTP_X_A: "1,2",
    HTTP_COOKIE: "a=1; b=2",
    "wsgi.version": [1, 0],
    "wsgi.url_scheme": "http",
    "wsgi.input_terminated": true,
    "wsgi.multithread": false,
    "wsgi.multiprocess": true,
    "wsgi.run_once": false,
    "cloche.execution_id": "e1",
    "cloche.request_id": "r1",
    body: "body",
  });
  assert.equal(underTest.logs[0]?.text, "to the log\n");
  assert.equal(run.end?.header.t, "response", "a single piece needs a single frame");
});

test("the validator of the standard library has nothing to say", async (t) => {
  const code = `
from wsgiref.validate import validator
def inner(environ, start_response):
  body = environ["wsgi.input"].read(100)
  start_response("404 Not Found", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
  return [b"a", body]
app = validator(inner)`;
  const underTest = new FunctionUnderTest(t, code);

  const run = await underTest.request({ method: "POST", headers: [["content-length", "2"]] }, "bc");

  assert.equal(run.end?.header.t, "body", run.end?.body);
  assert.deepEqual([run.status, run.text], [404, "abc"]);
  assert.deepEqual(run.headers.slice(1), [
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
  ]);
});

test("write, the rest and the close of a WSGI response come in their order", async (t) => {
  const code = `
class Pieces:
  def __iter__(self): yield b"2"; yield b""; yield b"3"
  def close(self): print("closed")
def app(environ, start_response):
  start_response("200 OK", [])(b"1")
  return Pieces()`;
  const underTest = new FunctionUnderTest(t, code);

  const run = await underTest.request();

  assert.equal(run.text, "123");
  assert.equal(underTest.printed(), "closed\n");
});

test("exc_info replaces a head that has not been sent, and raises after one that has", async (t) => {
  const code = `
import sys
def app(environ, start_response):
  write = start_response("200 OK", [])
  if environ["QUERY_STRING"]: write(b"sent")
  try:
    1/0
  except ZeroDivisionError:
    start_response("500 Oh", [("a", "b")], sys.exc_info())
  return [b"failed"]`;
  const underTest = new FunctionUnderTest(t, code);

  const replaced = await underTest.request();
  const late = await underTest.request({ query: "x" });

  assert.deepEqual([replaced.status, replaced.headers, replaced.text], [500, [["a", "b"]], "failed"]);
  assert.deepEqual([late.status, late.error.name, late.error.line], [200, "ZeroDivisionError", 7]);
});

test("the mistakes of a WSGI application are errors with clear words", async (t) => {
  for (const [code, message] of [
    ["def app(e, start): return [b'']", /did not call start_response/],
    ["def app(e, start):\n  start('200 OK', [])\n  return ['text']", /gives bytes, not str/],
    ["def app(e, start):\n  start('200 OK', [])\n  start('200 OK', [])\n  return []", /called twice/],
    ["def app(e, start):\n  start('99', [])\n  return []", /status 99/],
    ["def app(e, start):\n  start('200 OK', [('a', 'x' * 100_000)])\n  return []", /headers .* longer than/],
  ] as const) {
    assert.match((await new FunctionUnderTest(t, code).request()).error.message, message);
  }
});

test("an iterable that fails is closed, and its run ends in the error", async (t) => {
  const code = `
class Pieces:
  def __iter__(self):
    yield b"1"
    raise OSError("gone")
  def close(self): print("closed")
def app(environ, start_response):
  start_response("200 OK", [])
  return Pieces()`;
  const underTest = new FunctionUnderTest(t, code);

  const run = await underTest.request();

  assert.deepEqual([run.text, run.error.message, run.error.line], ["1", "gone", 5]);
  assert.equal(underTest.printed(), "closed\n");
});

test("a value goes to a WSGI application as the JSON body of a POST, and its body comes back", async (t) => {
  const underTest = new FunctionUnderTest(t, SHOW);

  const shown = (await underTest.run({ n: 1 })).value as Record<string, unknown>;

  assert.deepEqual(
    [shown["REQUEST_METHOD"], shown["PATH_INFO"], shown["CONTENT_TYPE"], shown["body"]],
    [...["POST", "/", "application/json", '{"n":1}']],
  );
});
