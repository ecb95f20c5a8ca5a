import assert from "node:assert/strict";
import { test } from "node:test";
import { type FaultCode, messageOf, PlatformError } from "./errors.ts";

test("a platform error has the status of its code, and says when a retry may help", () => {
  const seen = (code: FaultCode): unknown[] => {
    const { status, retryAfterS } = new PlatformError(code, "m");
    return [status, retryAfterS];
  };

  assert.deepEqual(seen("POOL_SATURATED"), [503, 1]);
  assert.deepEqual(seen("STORE_UNAVAILABLE"), [503, 5]);
  assert.deepEqual(seen("FUNCTION_NOT_FOUND"), [404, undefined]);
  assert.deepEqual(seen("BODY_TOO_LARGE"), [413, undefined]);
});

test("a platform error keeps its cause", () => {
  const cause = new Error("disk full");

  const error = new PlatformError("STORE_UNAVAILABLE", "m", { cause });

  assert.equal(error.cause, cause);
  assert.equal(String(error), "PlatformError: m");
});

test("anything that was thrown has a message", () => {
  assert.equal(messageOf(new TypeError("m")), "m");
  assert.equal(messageOf("text"), "text");
  assert.equal(messageOf(undefined), "undefined");
});
