import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSameRequest, onceKey } from "./idempotency.ts";

test("the same key and request are the same, anything else is not", () => {
  const first = onceKey("key", "scope", "a", "b");

  assert.deepEqual(onceKey("key", "scope", "a", "b"), first);
  assert.notEqual(onceKey("key", "other", "a", "b")?.key, first?.key);
  assert.notEqual(onceKey("other", "scope", "a", "b")?.key, first?.key);
  const moved = onceKey("key", "scope", "ab", "");
  assert.equal(moved?.key, first?.key);
  assert.notEqual(moved?.fingerprint, first?.fingerprint);
  assert.equal(onceKey(undefined, "scope", "a"), undefined);
});

test("a key that is no key is refused", () => {
  for (const key of ["", "x".repeat(256), "a\nb", "ä"]) {
    assert.throws(() => onceKey(key, "scope"), { code: "INVALID_REQUEST", message: /^Idempotency-Key: / });
  }
});

test("another request under a key is refused, the same one is not", () => {
  const once = onceKey("key", "scope", "a");
  assert.ok(once);

  checkSameRequest({ isNew: false, jobId: "j", fingerprint: once.fingerprint }, once);
  checkSameRequest({ isNew: true, jobId: "j", fingerprint: undefined }, undefined);
  assert.throws(() => checkSameRequest({ isNew: false, jobId: "j", fingerprint: "other" }, once), {
    code: "IDEMPOTENCY_KEY_REUSED",
    details: { jobId: "j" },
  });
});
