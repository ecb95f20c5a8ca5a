import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkHeaders, checkStatus, InvalidResponse, responseOf } from "./response.ts";

const JSON_TYPE = "application/json; charset=utf-8";
const TEXT_TYPE = "text/plain; charset=utf-8";

function show(value: unknown): unknown {
  const { status, headers, body } = responseOf(value === undefined ? undefined : JSON.stringify(value));
  return [status, Object.fromEntries(headers), body.toString("latin1")];
}

suite("a returned value", () => {
  const cases: readonly (readonly [what: string, value: unknown, response: unknown])[] = [
    ["nothing is 204", undefined, [204, {}, ""]],
    ["text stays text", "hello", [200, { "content-type": TEXT_TYPE }, "hello"]],
    ["a map is JSON", { a: 1 }, [200, { "content-type": JSON_TYPE }, '{"a":1}']],
    ["a list is JSON", [1], [200, { "content-type": JSON_TYPE }, "[1]"]],
    ["null is JSON", null, [200, { "content-type": JSON_TYPE }, "null"]],
    ["a number is JSON", 5, [200, { "content-type": JSON_TYPE }, "5"]],
    [
      "a map with a status deeper down is JSON",
      { a: { statusCode: 404 } },
      [200, { "content-type": JSON_TYPE }, '{"a":{"statusCode":404}}'],
    ],
    ["a status alone has no body", { statusCode: 404 }, [404, {}, ""]],
    ["a status may be text", { statusCode: "201" }, [201, {}, ""]],
    [
      "headers are sent, each value of a list",
      { statusCode: 200, headers: { "X-A": "1", "X-B": 2 }, multiValueHeaders: { "X-C": ["3"] }, cookies: ["a=b"] },
      [200, { "X-A": "1", "X-B": "2", "X-C": "3", "set-cookie": "a=b" }, ""],
    ],
    [
      "a body that is JSON is said to be",
      { statusCode: 200, body: "[1]" },
      [200, { "content-type": JSON_TYPE }, "[1]"],
    ],
    ["any other text is text", { statusCode: 200, body: "{x" }, [200, { "content-type": TEXT_TYPE }, "{x"]],
    ["a map as the body is JSON", { statusCode: 200, body: { a: 1 } }, [200, { "content-type": JSON_TYPE }, '{"a":1}']],
    [
      "base64 is decoded",
      { statusCode: 200, headers: { "Content-Type": "image/png" }, body: "/wD+", isBase64Encoded: true },
      [200, { "Content-Type": "image/png" }, "\u00ff\u0000\u00fe"],
    ],
  ];
  for (const [what, value, response] of cases) {
    test(what, () => {
      assert.deepEqual(show(value), response);
    });
  }

  const nonsense: Readonly<Record<string, unknown>> = {
    "a status of 99": { statusCode: 99 },
    "a status of 101, which would take the connection over": { statusCode: 101 },
    "a status of 1000": { statusCode: 1000 },
    "a status of 200.5": { statusCode: 200.5 },
    "a status that is no number": { statusCode: "ok" },
    "a status that is null": { statusCode: null },
    "headers in a list": { statusCode: 200, headers: ["a"] },
    "a header that is a map": { statusCode: 200, headers: { a: {} } },
    "a line break in a header": { statusCode: 200, headers: { a: "b\r\nSet-Cookie: c" } },
    "a line break in a header's name": { statusCode: 200, headers: { "a\nb": "c" } },
    "NUL in a header": { statusCode: 200, headers: { a: "\0" } },
    "a header beyond Latin-1": { statusCode: 200, headers: { a: "✓" } },
    "base64 that is none": { statusCode: 200, body: "%%%", isBase64Encoded: true },
  };
  for (const [what, value] of Object.entries(nonsense)) {
    test(`${what} cannot be sent`, () => {
      assert.throws(() => show(value), InvalidResponse);
    });
  }
});

test("a status that is final can be sent, and no other", () => {
  for (const status of [200, 204, 404, 599, 999]) assert.equal(checkStatus(status), status);
  for (const status of [0, 99, 100, 101, 199, 1000, NaN, 200.5])
    assert.throws(() => checkStatus(status), InvalidResponse);
});

test("what the connection or the platform says is not for the function to say", () => {
  const ours = [
    "Connection",
    "Content-Length",
    "transfer-encoding",
    "Upgrade",
    "X-Execution-Id",
    "X-Function-Id",
    "Server-Timing",
  ];

  assert.deepEqual(checkHeaders([...ours.map((name) => [name, "x"] as const), ["X-Mine", "1"]]), [["X-Mine", "1"]]);
});

test("the dashboard's cookie is not for the function to set", () => {
  const others = [
    ["Set-Cookie", "a=cloche_session"],
    ["set-cookie", "cloche_session_of_mine=1"],
  ] as const;

  assert.deepEqual(checkHeaders([["Set-Cookie", " Cloche_Session=x; Path=/"], ...others]), others);
});

test("too many headers are refused", () => {
  assert.throws(() => checkHeaders(Array.from({ length: 201 }, () => ["a", "b"] as const)), /201 headers \(max 200\)/);
});
