import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { test } from "node:test";
import { setImmediate as laterTurn } from "node:timers/promises";
import { settleHeap } from "./settle-heap.ts";

test("what is not needed any more is collected, and one tick is kept", async () => {
  const ticks: WeakRef<object>[] = [];
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type === "TickObject") ticks.push(new WeakRef(resource));
    },
  }).enable();
  settleHeap();
  process.nextTick(() => {}); // a weak reference holds its object until the turn of the loop is over
  hook.disable();
  await laterTurn();
  const garbage = new WeakRef({});
  await laterTurn();

  settleHeap();
  await laterTurn();

  const [kept, other] = ticks.map((reference) => reference.deref());
  assert.deepEqual([kept !== undefined, other, garbage.deref()], [true, undefined, undefined]);
});
