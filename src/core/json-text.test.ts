import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isDeeperThan, isJson, parseKeepingDigits, stringifyWith } from "./json-text.ts";

test("a member that is text already is put into an object as it is", () => {
  const text = stringifyWith({ a: 1, b: undefined }, "digits", "12345678901234567890");
  assert.equal(text, '{"a":1,"digits":12345678901234567890}');
});

test("nesting is counted as JSON nests, and not in strings", () => {
  assert.equal(isDeeperThan(2, '{"a":[1,{"b":2}]}'), true);
  assert.equal(isDeeperThan(3, '{"a":[1,{"b":2}]}'), false);
  assert.equal(isDeeperThan(1, '["[[[", "\\"[[", "\\\\", {}]'), true);
  assert.equal(isDeeperThan(1, '["[[[", "\\"[[", "{{\\\\"]'), false);
  assert.equal(isDeeperThan(1, "[],[],[]"), false);
  assert.equal(isDeeperThan(1000, "[".repeat(1001)), true);
  assert.equal(isDeeperThan(1000, "[{".repeat(500)), false);
  assert.equal(isDeeperThan(1000, `${'{"a":['.repeat(500)}[`), true);
});

test("text is JSON when it is exactly one value", () => {
  for (const text of ["1", " null ", '"a"', "[]", '{"a":1}']) assert.ok(isJson(text), text);
  for (const text of ["", " ", "a", "'a'", "1 2", "{", "NaN", "undefined", "[1,]"]) assert.ok(!isJson(text), text);
});

test("every integer comes through with all its digits", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (integer) => {
      const text = `{"a":[${integer},"${integer}"]}`;

      assert.equal(JSON.stringify(parseKeepingDigits(text)), text);
    }),
  );
});

test("every value is written again as it was, beside a long integer, too", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
      const json = JSON.stringify(value);

      const [beside] = parseKeepingDigits(`[${json},12345678901234567890]`) as [unknown];

      assert.equal(JSON.stringify(parseKeepingDigits(json)), JSON.stringify(JSON.parse(json)));
      assert.equal(JSON.stringify(beside), JSON.stringify(JSON.parse(json)));
    }),
  );
});

test("a text of many digits stays a text, and a fraction a number", () => {
  assert.deepEqual(parseKeepingDigits('["12345678901234567890",0.50000000000000000000]'), [
    "12345678901234567890",
    0.5,
  ]);
});

test("what is not JSON is a SyntaxError, with long integers and without", () => {
  assert.throws(() => parseKeepingDigits("{"), SyntaxError);
  assert.throws(() => parseKeepingDigits("[12345678901234567890"), SyntaxError);
});
