import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { checkLoopbackHost, checkOneHost, checkOwnOrigin, isLoopback } from "./guard.ts";

function check(headers: { host?: string; origin?: string }): void {
  const message = new IncomingMessage(new Socket());
  Object.assign(message.headers, headers);
  checkLoopbackHost(message);
  checkOwnOrigin(message);
}

test("loopback has these names and no others", () => {
  for (const host of ["localhost", "::1", "127.0.0.1", "127.9.8.7"]) assert.ok(isLoopback(host), host);
  for (const host of ["", "0.0.0.0", "::", "10.0.0.1", "127.evil.example", "localhost.evil.example", "1270.0.0.1"]) {
    assert.ok(!isLoopback(host), host);
  }
});

test("a program on this machine is let in, whatever port it names", () => {
  for (const host of ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:8080", "[::1]"]) check({ host });
});

test("a name that somebody points at loopback is refused (DNS rebinding)", () => {
  for (const host of ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost:80@evil", ""]) {
    assert.throws(() => check({ host }), { code: "HOST_NOT_ALLOWED" }, host);
  }
  assert.throws(() => check({}), { code: "HOST_NOT_ALLOWED" });
});

test("a request with two Host headers is refused, whatever they say", () => {
  const message = new IncomingMessage(new Socket());
  message.rawHeaders = ["Host", "127.0.0.1", "Accept", "*/*", "hOsT", "127.0.0.1"];
  assert.throws(() => checkOneHost(message), { code: "INVALID_REQUEST" });

  message.rawHeaders = ["Host", "127.0.0.1", "X-Host", "a", "Hosts", "b"];
  checkOneHost(message);
});

test("a page of another origin is refused, one of our own is not", () => {
  const host = "127.0.0.1:8080";
  check({ host, origin: `http://${host}` });

  for (const origin of ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8080", ""]) {
    assert.throws(() => check({ host, origin }), { code: "HOST_NOT_ALLOWED" }, origin);
  }
});
