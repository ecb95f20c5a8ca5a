import assert from "node:assert/strict";
import { test } from "node:test";
import type { Execution } from "../core/execution.ts";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import type { ExecutionBatch, Store } from "../store/store.ts";
import { History } from "./history.ts";

/** A history over a store that takes batches when the test lets it. */
function history() {
  const clock = new ManualClock();
  const batches: number[] = [];
  const log: string[] = [];
  const store = { hold: Promise.resolve(), batches };
  const port = {
    newExecutionBatch(): ExecutionBatch {
      const batch = {
        rows: 0,
        add: () => void batch.rows++,
        append() {
          batches.push(batch.rows);
          return store.hold;
        },
      };
      return batch;
    },
  } as unknown as Store;
  const subject = new History(port, clock, (line) => log.push(line));
  const record = (count: number): void => {
    for (let index = 0; index < count; index++) subject.record(() => ({ id: String(index) }) as Execution);
  };
  return { subject, clock, store, batches, log, record };
}

test("executions are written together, 20 ms behind the first", () => {
  const { clock, batches, record } = history();
  record(3);
  clock.advance(19);
  const early = [...batches];
  clock.advance(1);

  assert.deepEqual(early, []);
  assert.deepEqual(batches, [3]);
  assert.equal(clock.pending, 0);
});

test("many executions wait for 100 ms, to be written in larger batches", () => {
  const { clock, batches, record } = history();
  record(300);
  clock.advance(99);
  const early = [...batches];
  clock.advance(1);

  assert.deepEqual(early, []);
  assert.deepEqual(batches, [300]);
  assert.equal(clock.pending, 0);
});

test("a full batch is written at once", () => {
  const { batches, clock, record } = history();
  record(4096 + 1);
  clock.advance(100);

  assert.deepEqual(batches, [4096, 1]);
});

test("settling writes what waits, and waits for what is being written", async () => {
  const { subject, store, batches, record } = history();
  const held = Promise.withResolvers<void>();
  store.hold = held.promise;
  let settled = false;
  record(2);
  const settling = subject.settle().then(() => (settled = true));
  await Promise.resolve();
  const early = settled;
  held.resolve();
  await settling;

  assert.equal(early, false);
  assert.deepEqual(batches, [2]);
});

test("what a failing store loses is counted, and told once", async () => {
  const { subject, store, log, record } = history();
  store.hold = Promise.reject(new Error("disk full"));
  store.hold.catch(() => {});
  record(2);
  await subject.settle();
  record(1);
  await subject.settle();

  assert.equal(subject.lostRows, 3);
  assert.deepEqual(log, ["executions are not being recorded: disk full"]);
});

test("a store that does not keep pace bounds what is held, and room comes back", async () => {
  const { subject, store, log, record } = history();
  const held = Promise.withResolvers<void>();
  store.hold = held.promise;
  record(20_000 + 5);
  const lost = subject.lostRows;
  held.resolve();
  await subject.settle();
  record(1);
  await subject.settle();

  assert.equal(lost, 5);
  assert.equal(subject.lostRows, 5);
  assert.deepEqual(log, ["executions are not being recorded: the store cannot keep pace"]);
});
