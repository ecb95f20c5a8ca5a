import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../core/clock.ts";
import { DEFAULT_SETTINGS } from "../core/function.ts";
import { aFunction, eventually, openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import { summaryOf } from "./executions.contract.ts";
import { anExecution } from "./executions.fixture.ts";

const DAY_MS = 86_400_000;

export function retentionContract(open: OpenStore): void {
  test("the oldest executions beyond the limit are gone once a batch is stored", async (t) => {
    const store = await openFor(t, open, 5);
    const executions = Array.from({ length: 23 }, (_, n) => anExecution(n, { error: "boom" }));

    for (let start = 0; start < executions.length; start += 4) {
      await store.appendExecutions(executions.slice(start, start + 4));
    }

    const kept = executions.toReversed().slice(0, 5).map(summaryOf);
    assert.deepEqual((await store.listExecutions({ limit: 100 })).items, kept);
    assert.deepEqual((await store.listExecutions({ text: "boom", limit: 100 })).items, kept);
    assert.equal(await store.findExecution(anExecution(0, {}).id), undefined);
  });

  test("a limit of no executions keeps none", async (t) => {
    const store = await openFor(t, open, 0);

    await store.appendExecutions([anExecution(1, {}), anExecution(2, {})]);

    assert.deepEqual((await store.listExecutions({ limit: 100 })).items, []);
  });

  test("a function keeps the number of executions that it is set to, and others keep theirs", async (t) => {
    const store = await openFor(t, open);
    const { id: few } = await aFunction(store, "few", { retentionCount: 3 });
    const executions = Array.from({ length: 40 }, (_, n) =>
      anExecution(n, {
        functionId: n % 2 === 0 ? few : "other",
        functionName: undefined,
        status: n % 3 === 0 ? "error" : "success",
      }),
    );

    for (let start = 0; start < executions.length; start += 7) {
      await store.appendExecutions(executions.slice(start, start + 7));
    }

    const kept = executions.filter(({ functionId }) => functionId === few).slice(-3);
    assert.deepEqual(
      (await store.listExecutions({ functionId: few, limit: 99 })).items,
      kept.toReversed().map(summaryOf),
    );
    assert.equal((await store.listExecutions({ functionId: "other", limit: 99 })).items.length, 20);
  });

  test("what a function's own limit removes does not count against that of all", async (t) => {
    const store = await openFor(t, open, 10);
    const { id: few } = await aFunction(store, "few", { retentionCount: 1 });

    for (let n = 0; n < 30; n++) {
      await store.appendExecutions([anExecution(n, { functionId: n % 2 === 0 ? few : "other" })]);
    }

    assert.equal((await store.listExecutions({ limit: 99 })).items.length, 10);
    assert.equal((await store.listExecutions({ functionId: "other", limit: 99 })).items.length, 9);
  });

  test("an execution that is older than its function keeps them is removed, others are not", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "short", { retentionDays: 2 });
    const nowMs = systemClock.now();
    const old = anExecution(1, { functionId: id, queuedAtMs: nowMs - 2 * DAY_MS - 1_000 });
    const young = anExecution(2, { functionId: id, queuedAtMs: nowMs - 2 * DAY_MS + 60_000 });
    const others = anExecution(3, { functionId: undefined, queuedAtMs: old.queuedAtMs });

    await store.appendExecutions([old, young, others]);

    assert.deepEqual((await store.listExecutions({ limit: 9 })).items, [others, young].map(summaryOf));
  });

  test("an idle function's old executions go in the end", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "idle");
    const old = Array.from({ length: 600 }, (_, n) => anExecution(n, { functionId: id, queuedAtMs: T0_MS + n }));
    await store.appendExecutions(old);

    await store.updateFunction(id, { settings: { ...DEFAULT_SETTINGS, retentionDays: 1 }, nowMs: T0_MS });

    await eventually(async () => (await store.listExecutions({ functionId: id, limit: 1 })).items.length === 0);
  });
}
