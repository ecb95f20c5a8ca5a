import assert from "node:assert/strict";
import { test } from "node:test";
import { cgiVariables } from "./cgi-variables.ts";
import type { RequestHead } from "./exchange.ts";

function variablesOf(head: Partial<RequestHead>): Record<string, string> {
  const bare = { requestId: "", method: "GET", path: "/fn/f", relativePath: "/", query: "", headers: [] };
  return cgiVariables({ ...bare, ...head }, "e1");
}

test("a request becomes the variables of RFC 3875", () => {
  const variables = variablesOf({
    requestId: "r1",
    remoteAddress: "192.0.2.7",
    method: "POST",
    path: "/fn/f/a%20b",
    relativePath: "/a b",
    query: "x=%201",
    headers: [
      ["host", "example.com:8443"],
      ["content-type", "text/plain"],
      ["content-length", "5"],
      ["x-two", "a"],
      ["x-two", "b"],
      ["cookie", "c=1"],
      ["cookie", "d=2"],
    ],
  });

  assert.deepEqual(variables, {
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: "Cloche",
    SERVER_NAME: "example.com",
    SERVER_PORT: "8443",
    REQUEST_METHOD: "POST",
    REQUEST_URI: "/fn/f/a%20b?x=%201",
    SCRIPT_NAME: "/fn/f",
    PATH_INFO: "/a b",
    QUERY_STRING: "x=%201",
    REMOTE_ADDR: "192.0.2.7",
    CONTENT_TYPE: "text/plain",
    CONTENT_LENGTH: "5",
    HTTP_HOST: "example.com:8443",
    HTTP_X_TWO: "a, b",
    HTTP_COOKIE: "c=1; d=2",
    CLOCHE_EXECUTION_ID: "e1",
    CLOCHE_REQUEST_ID: "r1",
  });
});

for (const [path, relativePath, script, info] of [
  ["/fn/f", "/", "/fn/f", ""],
  ["/fn/f/", "/", "/fn/f", "/"],
  ["/fn/f%2Fg/x", "/x", "/fn/f/g", "/x"],
  ["/fn/100%", "/", "/fn/100%", ""],
] as const) {
  test(`${path} is the script ${script} with ${JSON.stringify(info)} behind it`, () => {
    const variables = variablesOf({ path, relativePath });

    assert.deepEqual([variables["SCRIPT_NAME"], variables["PATH_INFO"]], [script, info]);
  });
}

test("no header passes for a proxy, for another header or for a variable of the platform", () => {
  const variables = variablesOf({
    headers: [
      ["proxy", "http://evil"],
      ["x_real_ip", "1"],
      ["x.y", "2"],
      ["content_length", "9"],
    ],
  });

  const names = Object.keys(variables).filter((name) => name.startsWith("HTTP_") || name.startsWith("CONTENT_"));
  assert.deepEqual(names, []);
});

test("where the caller is not known there is no address", () => {
  assert.equal("REMOTE_ADDR" in variablesOf({}), false);
});
