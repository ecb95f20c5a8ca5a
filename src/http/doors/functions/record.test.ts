import assert from "node:assert/strict";
import { test } from "node:test";
import { eventRecord, keptHead } from "./record.ts";

function recordOf(query: string, body = "", type = "application/json"): { query: string; body?: string } {
  const head = {
    ...{ requestId: "", remoteAddress: "", method: "POST", path: "/fn/f", relativePath: "/", query },
    headers: [["content-type", type]] as [string, string][],
  };
  return JSON.parse(eventRecord(keptHead(head), Buffer.from(body), true)) as { query: string; body?: string };
}

test("what holds no secret is kept as it came: repeated parameters, long numbers, spaces", () => {
  const body = '{"id": 12345678901234567890, "n": 1.0}';
  assert.deepEqual([recordOf("x=1&x=2&y=a+b", body).query, recordOf("", body).body], ["x=1&x=2&y=a+b", body]);
});

test("parameters with a telling name are masked, each of them, and others are kept", () => {
  assert.equal(recordOf("x=1&api_key=abc&x=2&token=t&%73ecret=s").query, "x=1&api_key=***&x=2&token=***&secret=***");
  const form = recordOf("", "user=a&user=b&password=p", "application/x-www-form-urlencoded");
  assert.equal(form.body, "user=a&user=b&password=***");
});

test("fields with a telling name are masked at any depth, however the name is written", () => {
  const { body } = recordOf("", '{"a": [{"clientSecret": "s"}], "\\u0070assword": "p", "n": 1}');
  assert.deepEqual(JSON.parse(body ?? ""), { a: [{ clientSecret: "***" }], password: "***", n: 1 });
});
