import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { test } from "node:test";
import { setImmediate as laterTurn } from "node:timers/promises";
import { ManualClock } from "./manual-clock.fixture.ts";
import { settleHeapWhenQuiet } from "./settle-heap.ts";

test("what is not needed any more is collected, and one tick is kept", async () => {
  const ticks: WeakRef<object>[] = [];
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type === "TickObject") ticks.push(new WeakRef(resource));
    },
  }).enable();
  const clock = new ManualClock();
  settleHeapWhenQuiet(clock);
  process.nextTick(() => {}); // a weak reference holds its object until the turn of the loop is over
  hook.disable();
  await laterTurn();
  const garbage = new WeakRef({});
  await laterTurn();

  clock.advance(2_000);
  await laterTurn();

  const [kept, other] = ticks.map((reference) => reference.deref());
  assert.deepEqual([kept !== undefined, other, garbage.deref()], [true, undefined, undefined]);
});

test("it happens once, and not before the process has nothing to do", async () => {
  const clock = new ManualClock();
  settleHeapWhenQuiet(clock);
  await laterTurn();
  const garbage = new WeakRef({});
  await laterTurn();
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < 250_000); // an eighth of the time that is looked at

  clock.advance(2_000);
  await laterTurn();
  const whileBusy = garbage.deref() !== undefined;
  await laterTurn();
  clock.advance(2_000);
  await laterTurn();

  assert.deepEqual([whileBusy, garbage.deref(), clock.pending], [true, undefined, 0]);
});
