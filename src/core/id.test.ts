import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { contentHash, newId } from "./id.ts";

test("ids are UUIDv7, and unique", () => {
  const ids = Array.from({ length: 1000 }, newId);

  for (const id of ids) assert.match(id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
});

test("an id begins with the time of its making", () => {
  const beforeMs = Date.now();

  const madeAtMs = Number.parseInt(newId().replaceAll("-", "").slice(0, 12), 16);

  assert.ok(madeAtMs >= beforeMs && madeAtMs <= Date.now());
});

test("the same parts have the same hash, and no others", () => {
  const parts = fc.array(fc.string({ maxLength: 4, unit: "grapheme" }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const alike = JSON.stringify(one) === JSON.stringify(other);

      assert.equal(contentHash(...one) === contentHash(...other), alike);
    }),
  );
});

test("moving text between parts changes the hash", () => {
  assert.notEqual(contentHash("ab", "c"), contentHash("a", "bc"));
  assert.notEqual(contentHash("1:a"), contentHash("", "a"));
});
