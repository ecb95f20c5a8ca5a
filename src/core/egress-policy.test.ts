import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalHost, isWithin, parseEgressPolicy, whyHostDenied, type EgressPolicy } from "./egress-policy.ts";

test("a policy is one of three words or a list of hosts in their canonical spelling", () => {
  assert.equal(parseEgressPolicy("none"), "none");
  assert.equal(parseEgressPolicy(" Public "), "public");
  assert.equal(parseEgressPolicy("all"), "all");
  assert.deepEqual(parseEgressPolicy("API.Example.com., *.example.org:8443"), [
    "api.example.com",
    "*.example.org:8443",
  ]);
  assert.deepEqual(parseEgressPolicy("bücher.example,10.0.0.5:5432,[2606:4700:0::1111]:443"), [
    "xn--bcher-kva.example",
    "10.0.0.5:5432",
    "[2606:4700::1111]:443",
  ]);
});

test("a text with one wrong word is no policy", () => {
  for (const text of [
    ...[
      "",
      ",",
      "a.example,",
      "public,a.example:0",
      "a.example:65536",
      "a.example:http",
      "*",
      "*.com",
      "*.*.example.com",
    ],
    ...["a.*.example", "http://a.example", "a.example/path", "user@a.example", "a b", "*.10.0.0.5", "2606:4700::1111"],
    ...["a..example", ".example", "1.2.3.4.5", "[::1", `${"a".repeat(63)}.`.repeat(5)],
  ])
    assert.equal(parseEgressPolicy(text), undefined, JSON.stringify(text));
});

test("every spelling of a host has one canonical form", () => {
  for (const text of ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "１２７.0.0.1"])
    assert.equal(canonicalHost(text), "127.0.0.1", text);
  assert.equal(canonicalHost("LOCALHOST."), "localhost");
  assert.equal(canonicalHost("ex。ample.ORG"), "ex.ample.org");
  assert.equal(canonicalHost("[0:0:0:0:0:FFFF:7F00:1]"), "::ffff:7f00:1");
  for (const text of ["", ".", "a:1", "a\tb", "a%2eb", "[fe80::1%25eth0]", "256.1.1.1", "a..", "a/b", "a@b"])
    assert.equal(canonicalHost(text), undefined, JSON.stringify(text));
});

const WITHIN: readonly (readonly [EgressPolicy, EgressPolicy, boolean])[] = [
  ["none", "none", true],
  ["none", ["a.example"], true],
  ["public", "none", false],
  ["public", "public", true],
  ["public", "all", true],
  ["all", "public", false],
  ["public", ["a.example"], false],
  [["a.example"], "none", false],
  [["a.example", "*.b.example:8443"], "public", true],
  [["a.example:22"], "public", false],
  [["a.example:22"], "all", false],
  [["10.0.0.5"], "public", false],
  [["10.0.0.5"], "all", true],
  [["a.example"], ["a.example", "b.example"], true],
  [["a.example", "c.example"], ["a.example", "b.example"], false],
  [["x.a.example", "*.x.a.example", "*.a.example"], ["*.a.example"], true],
  [["a.example"], ["*.a.example"], false],
  [["xa.example"], ["*.a.example"], false],
  [["*.a.example"], ["a.example"], false],
  [["a.example:8443"], ["a.example"], true],
  [["a.example:22"], ["a.example"], false],
  [["a.example"], ["a.example:443"], false],
  [["a.example:22"], ["a.example:22"], true],
];

for (const [asked, allowed, expected] of WITHIN)
  test(`${asked.toString()} is ${expected ? "" : "not "}within ${allowed.toString()}`, () => {
    assert.equal(isWithin(asked, allowed), expected);
  });

test("none denies every host", () => {
  assert.equal(whyHostDenied("none", "a.example", 443), "no network for this function (EGRESS=none)");
});

test("public and all allow the web's ports and those from 1024 on", () => {
  for (const policy of ["public", "all"] as const) {
    for (const port of [80, 443, 1024, 5432, 65_535]) assert.equal(whyHostDenied(policy, "a.example", port), undefined);
    for (const port of [0, 22, 25, 445, 1023])
      assert.equal(whyHostDenied(policy, "a.example", port), `port ${port} is not allowed`);
  }
});

test("a list allows its hosts on ordinary ports, or on the port that it names", () => {
  const policy = ["a.example", "*.b.example", "c.example:22"];
  assert.equal(whyHostDenied(policy, "a.example", 443), undefined);
  assert.equal(whyHostDenied(policy, "x.y.b.example", 8080), undefined);
  assert.equal(whyHostDenied(policy, "c.example", 22), undefined);
  assert.equal(whyHostDenied(policy, "a.example", 22), "port 22 is not allowed");
  assert.equal(whyHostDenied(policy, "c.example", 443), "port 443 is not allowed");
  for (const host of ["b.example", "xb.example", "x.a.example", "a.example.evil.example"])
    assert.equal(whyHostDenied(policy, host, 443), `${host} is not in the list of allowed hosts`);
});
