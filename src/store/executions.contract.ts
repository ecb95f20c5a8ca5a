import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Execution, ExecutionStatus, ExecutionSummary } from "../core/execution.ts";
import { STATUSES, TRIGGERS } from "../core/execution.ts";
import type { LogLevel, OutputStream } from "../core/log-line.ts";
import { openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import { anExecution } from "./executions.fixture.ts";

const PLAIN = { noNullPrototype: true }; // the objects of real code
const anyText = fc.string({ unit: "binary", maxLength: 40 }); // any Unicode, NUL included
const anyLogs = fc.array(
  fc.record(
    {
      stream: fc.constantFrom<OutputStream>("stdout", "stderr"),
      level: fc.constantFrom<LogLevel>("debug", "info", "warn", "error"),
      atMs: fc.nat(),
      text: anyText,
    },
    PLAIN,
  ),
  { maxLength: 3 },
);
const maybe = <T>(any: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(any, { nil: undefined });
const anyExecution: fc.Arbitrary<Execution> = fc.record(
  {
    id: fc.uuid({ version: 7 }),
    trigger: fc.constantFrom(...TRIGGERS),
    functionId: maybe(fc.uuid({ version: 7 })),
    functionName: maybe(anyText),
    version: maybe(fc.nat()),
    language: fc.constantFrom("javascript", "python"),
    status: fc.constantFrom(...STATUSES),
    error: maybe(anyText),
    errorLine: maybe(fc.nat()),
    errorTip: maybe(anyText),
    queuedAtMs: fc.nat({ max: 2 ** 48 }),
    waitMs: fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs), // no -0: no time is
    runMs: fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs),
    cpuMs: maybe(fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs)),
    peakMemoryBytes: maybe(fc.nat({ max: 2 ** 30 }).map((kib) => kib * 1024)),
    coldStart: fc.boolean(),
    event: maybe(fc.json()),
    response: maybe(fc.json()),
    httpStatus: maybe(fc.integer({ min: 100, max: 999 })),
    logs: anyLogs,
    logsTruncated: fc.boolean(),
  },
  PLAIN,
);

export function summaryOf({
  event: _event,
  response: _response,
  logs: _logs,
  ...summary
}: Execution): ExecutionSummary {
  return summary;
}

export function executionsContract(open: OpenStore): void {
  const line = (text: string) => ({ stream: "stdout", level: "info", atMs: T0_MS, text }) as const;

  test("ends what is running, within many that are new, or were running in the same batch; what has ended stays", async (t) => {
    const store = await openFor(t, open);
    const running = (n: number): Execution => anExecution(n, { status: "running", runMs: 0, logs: [line("begun")] });
    const ended = (n: number): Execution => anExecution(n, { error: `the ${n}th`, status: "error" });
    await store.appendExecutions([running(3), running(27), anExecution(12, {})]);
    const batch = Array.from({ length: 35 }, (_, n) => ended(n));
    await store.appendExecutions([...batch.slice(0, 20), running(40), ...batch.slice(20), ended(40), ended(12)]);
    const found = await Promise.all([...Array(35).keys(), 40].map((n) => store.findExecution(anExecution(n, {}).id)));
    const { items } = await store.listExecutions({ limit: 100 });

    assert.deepEqual(
      found,
      [...Array(35).keys(), 40].map((n) => (n === 12 ? anExecution(12, {}) : ended(n))),
    );
    assert.equal(items.length, 36);
  });

  test("executions come back as they were, the last appended first", async (t) => {
    const store = await openFor(t, open);
    const newestFirst: Execution[] = [];

    const anyBatch = fc.uniqueArray(anyExecution, { maxLength: 4, selector: (execution) => execution.id });
    await fc.assert(
      fc.asyncProperty(anyBatch, async (batch) => {
        await store.appendExecutions(batch);
        newestFirst.unshift(...batch.toReversed());
        const { items } = await store.listExecutions({ limit: 6 });
        assert.deepEqual(items, newestFirst.slice(0, 6).map(summaryOf));
        for (const execution of batch) assert.deepEqual(await store.findExecution(execution.id), execution);
      }),
      { numRuns: 50 },
    );
  });

  test("an execution that nobody appended is not found", async (t) => {
    const store = await openFor(t, open);
    await store.appendExecutions([anExecution(1, {})]);

    assert.equal(await store.findExecution(anExecution(2, {}).id), undefined);
    assert.equal(await store.findExecution(""), undefined);
  });

  test("an execution that is appended again is stored once, as it was", async (t) => {
    const store = await openFor(t, open);
    const first = anExecution(1, { logs: [line("hello")] });
    const second = anExecution(2, {});

    await store.appendExecutions([first]);
    await store.appendExecutions([{ ...first, status: "error", error: "late", logs: [] }, second]);
    await store.appendExecutions([{ ...second, status: "running" }]);

    assert.deepEqual((await store.listExecutions({ limit: 10 })).items, [second, first].map(summaryOf));
    assert.deepEqual(await store.findExecution(first.id), first);
    assert.deepEqual((await store.listExecutions({ text: "late", limit: 10 })).items, []);
  });

  test("a running execution is replaced by its end, in its place", async (t) => {
    const store = await openFor(t, open);
    const running = anExecution(1, { status: "running", event: '{"a":1}', logs: [line("before")], runMs: 0 });
    const other = anExecution(2, {});
    const ended: Execution = { ...running, status: "error", error: "boom", logs: [line("after")], runMs: 7 };
    await store.appendExecutions([running]);
    await store.appendExecutions([{ ...running, waitMs: 3 }, other]);

    assert.deepEqual(await store.findExecution(running.id), { ...running, waitMs: 3 });
    await store.appendExecutions([ended]);

    assert.deepEqual(await store.findExecution(running.id), ended);
    assert.deepEqual((await store.listExecutions({ limit: 10 })).items, [other, ended].map(summaryOf));
    assert.deepEqual((await store.listExecutions({ status: "running", limit: 10 })).items, []);
    assert.deepEqual((await store.listExecutions({ status: "error", limit: 10 })).items, [summaryOf(ended)]);
    assert.deepEqual((await store.listExecutions({ text: "before", limit: 10 })).items, []);
    assert.deepEqual((await store.listExecutions({ text: "after boom", limit: 10 })).items, [summaryOf(ended)]);
  });

  test("a running execution and its end may come in one batch", async (t) => {
    const store = await openFor(t, open);
    const ended = anExecution(1, { response: "1" });

    await store.appendExecutions([{ ...ended, status: "running", response: undefined }, ended]);

    assert.deepEqual(await store.findExecution(ended.id), ended);
    assert.equal((await store.listExecutions({ limit: 10 })).items.length, 1);
  });

  test("what was running when the server ended is ended with an error", async (t) => {
    const store = await openFor(t, open);
    const running = TRIGGERS.map((trigger, n) => anExecution(n, { trigger, status: "running", logs: [line("hello")] }));
    const done = anExecution(50, {});
    await store.appendExecutions([...running, done]);

    assert.equal(await store.endInterrupted("interrupted by a restart"), running.length);

    for (const execution of running) {
      const ended = { ...execution, status: "error", error: "interrupted by a restart" };
      assert.deepEqual(await store.findExecution(execution.id), ended);
    }
    assert.deepEqual(await store.findExecution(done.id), done);
    assert.deepEqual((await store.listExecutions({ status: "running", limit: 99 })).items, []);
    const found = await store.listExecutions({ text: "interrupted hello", limit: 99 });
    assert.equal(found.items.length, running.length);
    assert.equal(await store.endInterrupted("again"), 0);
    await store.appendExecutions([anExecution(0, { trigger: "http" })]); // its end, too late
    assert.equal((await store.findExecution(anExecution(0, {}).id))?.status, "error" satisfies ExecutionStatus);
  });

  test("appending nothing does nothing", async (t) => {
    const store = await openFor(t, open);

    await store.appendExecutions([]);

    assert.deepEqual(await store.listExecutions({ limit: 100 }), { items: [], cursor: undefined });
  });
}
