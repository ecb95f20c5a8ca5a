import assert from "node:assert/strict";
import { test } from "node:test";
import { grantEgress, shrinkEgress } from "./egress.ts";

test("who asks for nothing gets what is allowed, who asks for less gets that", () => {
  assert.equal(grantEgress(undefined, "public"), "public");
  assert.equal(grantEgress("none", "public"), "none");
  assert.deepEqual(grantEgress(["api.example.com"], "public"), ["api.example.com"]);
});

test("who asks for more is told what is allowed, and where", () => {
  assert.throws(() => grantEgress("public", "none"), {
    code: "INVALID_REQUEST",
    message: "egress public is more than this server allows (setting EGRESS=none)",
  });
  assert.throws(() => grantEgress(["b.example"], ["a.example", "c.example"]), {
    message: "egress b.example is more than this server allows (setting EGRESS=a.example,c.example)",
  });
});

test("what was granted once shrinks with what is allowed", () => {
  assert.equal(shrinkEgress("public", "none"), "none");
  assert.deepEqual(shrinkEgress("public", ["a.example"]), ["a.example"]);
  assert.equal(shrinkEgress("none", "public"), "none");
  assert.equal(shrinkEgress(undefined, "public"), "public");
});
