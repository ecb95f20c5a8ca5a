import assert from "node:assert/strict";
import { test } from "node:test";
import { findBubblewrap, isOlder } from "./find-bubblewrap.ts";

test("bubblewrap is found here, with its version", () => {
  const { path, version } = findBubblewrap();

  assert.match(path, /\/bwrap$/);
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

test("versions are compared number by number", () => {
  assert.equal(isOlder("0.6.1", "0.7.0"), true);
  assert.equal(isOlder("0.4", "0.7.0"), true);
  assert.equal(isOlder("0.7.0", "0.7.0"), false);
  assert.equal(isOlder("0.11.0", "0.7.0"), false);
  assert.equal(isOlder("1.0.0", "0.7.0"), false);
});
