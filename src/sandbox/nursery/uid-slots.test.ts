import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { UidSlots } from "./uid-slots.ts";

test("no user is lent twice at a time, exists on the host or is root, whatever the seed", () => {
  fc.assert(
    fc.property(fc.nat(4_000_000), fc.integer({ min: 1, max: 500 }), fc.nat(1183), (seed, count, taken) => {
      const slots = new UidSlots(count, seed, `root:x:0:0::/root:/bin/sh\nu:x:${60_000 + taken}:9::/:/bin/sh\n`);

      const uids = Array.from({ length: count }, () => slots.take());

      assert.equal(new Set(uids).size, count);
      assert.ok(uids.every((uid) => uid >= 60_000 && uid <= 61_183 && uid !== 60_000 + taken));
      assert.throws(() => slots.take(), /no user id is free/);
    }),
  );
});

test("a user that is given back is lent again, the longest unused first", () => {
  const slots = new UidSlots(2, 1, "");
  const [first, second] = [slots.take(), slots.take()];
  slots.giveBack(second);
  slots.giveBack(first);

  assert.deepEqual([slots.take(), slots.take()], [second, first]);
});

test("servers that start one after the other begin with different users", () => {
  assert.notEqual(new UidSlots(1, 1000, "").take(), new UidSlots(1, 1001, "").take());
});
