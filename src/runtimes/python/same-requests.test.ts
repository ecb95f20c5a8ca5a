// What a request says is read once while callers say the same; each run must still get its own.
import assert from "node:assert/strict";
import { test } from "node:test";

import { FunctionUnderTest } from "./function-under-test.ts";

const HEAD = { method: "POST", query: "a=1", headers: [["x-a", "1"]], requestId: "" } as const;

/** Each shows what it is told, then changes all of it that can be changed. */
const PROGRAMS: Readonly<Record<string, string>> = {
  handler: `
import json
def handler(event, context):
  shown = json.dumps([event, context.execution_id, context.request_id], sort_keys=True)
  event["headers"]["x-a"] = event["query"]["a"] = event["method"] = "changed"
  return shown`,
  "asynchronous handler": `
import json
async def handler(event, context):
  shown = json.dumps([event, context.execution_id, context.request_id], sort_keys=True)
  event["headers"]["x-a"] = event["query"]["a"] = event["method"] = "changed"
  return shown`,
  ASGI: `
async def app(scope, receive, send):
  shown = repr(sorted(scope.items())) + repr(await receive())
  scope["headers"].append((b"x-b", b"2"))
  scope["asgi"]["version"] = scope["extensions"]["a"] = scope["method"] = "changed"
  await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
  await send({"type": "http.response.body", "body": shown.encode()})`,
  WSGI: `
def app(environ, start_response):
  shown = {key: value for key, value in environ.items() if isinstance(value, (str, bool, tuple))}
  body = environ["wsgi.input"].read()
  environ["HTTP_X_A"] = environ["REQUEST_METHOD"] = environ["HTTP_NEW"] = "changed"
  start_response("200 OK", [("Content-Type", "text/plain")])
  return [repr(sorted(shown.items())).encode() + body]`,
  script: `
import json
shown = json.dumps(event, sort_keys=True)
event["headers"]["x-a"] = event["query"]["a"] = event["method"] = "changed"
return shown`,
};

for (const [style, code] of Object.entries(PROGRAMS)) {
  test(`no run of the style ${style} sees what another one did to the same request`, async (t) => {
    const underTest = new FunctionUnderTest(t, code);
    const shown: string[] = [];
    for (const body of ["body-1", "body-2", "body-1"]) {
      const run = await underTest.request(HEAD, body);
      const text = run.text === "" ? String(run.value) : run.text;
      assert.match(text, new RegExp(body));
      shown.push(text.replaceAll(body, "").replaceAll(`e${run.id}`, "ID"));
    }
    assert.equal(shown[1], shown[0]);
    assert.equal(shown[2], shown[0]);
    assert.doesNotMatch(shown[0] ?? "", /changed/);
    assert.match(shown[0] ?? "", style === "ASGI" ? /b'x-a', b'1'/ : /1/);
  });

  test(`each run of the style ${style} gets its own request where only a little is another one`, async (t) => {
    const underTest = new FunctionUnderTest(t, code);
    for (const value of ["1", "2", "1"]) {
      for (const change of [{ headers: [["x-a", `header${value}`]] }, { query: `a=query${value}` }] as const) {
        const run = await underTest.request({ ...HEAD, ...change }, "body");
        const text = run.text === "" ? String(run.value) : run.text;
        assert.match(text, new RegExp(`(header|query)${value}`));
        assert.doesNotMatch(text, new RegExp(`(header|query)${value === "1" ? "2" : "1"}`));
      }
    }
  });
}

test("the headers of a response are its own, of whatever type they are", async (t) => {
  const underTest = new FunctionUnderTest(
    t,
    `
async def app(scope, receive, send):
  given = eval(bytes((await receive())["body"]).decode())
  await send({"type": "http.response.start", "status": 200, "headers": given})
  await send({"type": "http.response.body", "body": b""})`,
  );
  for (const [given, expected] of [
    [`[(b"a", b"1")]`, [["a", "1"]]],
    [`[(b"a", b"2")]`, [["a", "2"]]],
    [`[("a", "1")]`, [["a", "1"]]],
    [`[(b"a", 1)]`, [["a", "1"]]],
    [`[(b"a", True)]`, [["a", "True"]]],
    [`[(b"a", 1.0)]`, [["a", "1.0"]]],
    [`[["a", b"1"]]`, [["a", "1"]]],
    [`(pair for pair in [(b"a", b"3")])`, [["a", "3"]]],
    [
      `[(b"a", b"1"), (b"a", b"2")]`,
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
    [`()`, []],
  ] as const) {
    assert.deepEqual((await underTest.request(HEAD, given)).headers, expected);
  }
});
