import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Execution, ExecutionStatus, Trigger } from "../core/execution.ts";
import type { LogLevel, OutputStream } from "../core/log-line.ts";
import { anExecution } from "./executions.fixture.ts";
import type { Store, StoredKey } from "./store.ts";

const T0_MS = 1_700_000_000_000;
const MAX_SOURCE_BYTES = 256 * 1024;

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
const anyExecution: fc.Arbitrary<Execution> = fc.record(
  {
    id: fc.uuid({ version: 7 }),
    trigger: fc.constantFrom<Trigger>("script", "run-now"),
    functionName: fc.option(anyText, { nil: undefined }),
    version: fc.option(fc.nat(), { nil: undefined }),
    language: fc.constantFrom("javascript", "python"),
    status: fc.constantFrom<ExecutionStatus>("success", "error", "timeout", "oom", "killed", "cancelled"),
    error: fc.option(anyText, { nil: undefined }),
    queuedAtMs: fc.nat({ max: 2 ** 48 }),
    waitMs: fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs), // no -0: no time is
    runMs: fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs),
    coldStart: fc.boolean(),
    logs: anyLogs,
    logsTruncated: fc.boolean(),
  },
  PLAIN,
);

/** What every store must do. Each adapter's test calls this; `open` gives an empty store. */
export function storeContract(open: (settings: { readonly keepExecutions: number }) => Promise<Store>): void {
  const keepAll = { keepExecutions: 1_000_000 };
  const upload = { functionName: "resize", language: "javascript", source: "return 1", nowMs: T0_MS };

  test("a stored version is found by its number and as the latest", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());

    const version = await store.addVersion({ ...upload, nowMs: T0_MS + 999 });

    assert.deepEqual(version, {
      functionName: "resize",
      number: T0_MS / 1000,
      language: "javascript",
      source: "return 1",
      egress: undefined,
      createdAtMs: T0_MS + 999,
    });
    assert.deepEqual(await store.findVersion("resize", version.number), version);
    assert.deepEqual(await store.findVersion("resize", undefined), version);
  });

  test("a version keeps the egress that it was stored with", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    const hosts = ["api.example.com", "*.example.org:8443"];
    const shut = await store.addVersion({ ...upload, egress: "none" });
    const narrow = await store.addVersion({ ...upload, egress: hosts });

    assert.equal((await store.findVersion("resize", shut.number))?.egress, "none");
    assert.deepEqual((await store.findVersion("resize", narrow.number))?.egress, hosts);
  });

  test("keys are listed oldest first until they are removed", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    const key = (id: string, createdAtMs: number): StoredKey => {
      return { id, name: `key ${id} é`, scope: "deploy", hash: `hash of ${id}`, hint: "clo_1234", createdAtMs };
    };
    await store.addKey(key("b", 2));
    await store.addKey(key("a", 1));
    const listed = await store.listKeys();
    const removed = [await store.removeKey("a"), await store.removeKey("a")];

    assert.deepEqual(listed, [key("a", 1), key("b", 2)]);
    assert.deepEqual(removed, [true, false]);
    assert.deepEqual(await store.listKeys(), [key("b", 2)]);
    await assert.rejects(store.addKey(key("b", 3)), { code: "STORE_UNAVAILABLE" });
  });

  test("an older version stays as it was when a newer one is stored", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());

    const older = await store.addVersion(upload);
    const newer = await store.addVersion({ ...upload, source: "print(2)", language: "python", nowMs: T0_MS + 60_000 });

    assert.deepEqual(await store.findVersion("resize", older.number), older);
    assert.deepEqual(await store.findVersion("resize", undefined), newer);
  });

  test("a version number grows by one when the clock stands still or goes back", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());

    const first = await store.addVersion(upload);
    const sameSecond = await store.addVersion({ ...upload, nowMs: T0_MS + 10 });
    const anHourBack = await store.addVersion({ ...upload, nowMs: T0_MS - 3_600_000 });

    assert.equal(sameSecond.number, first.number + 1);
    assert.equal(anHourBack.number, first.number + 2);
  });

  test("version numbers are distinct, not before their second, and end in the latest, among concurrent uploads", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    let run = 0;

    const anyUpload = fc.record({ name: fc.constantFrom("a", "b"), offsetMs: fc.nat({ max: 5_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(anyUpload, { minLength: 1, maxLength: 8 }), async (uploads) => {
        run += 1;
        const versions = await Promise.all(
          uploads.map(({ name, offsetMs }) =>
            store.addVersion({ ...upload, functionName: `${name}${run}`, nowMs: T0_MS + offsetMs }),
          ),
        );

        for (const functionName of new Set(versions.map((version) => version.functionName))) {
          const own = versions.filter((version) => version.functionName === functionName);
          const numbers = own.map((version) => version.number);
          assert.equal(new Set(numbers).size, own.length);
          assert.ok(own.every((version) => version.number >= Math.floor(version.createdAtMs / 1000)));
          const latest = await store.findVersion(functionName, undefined);
          assert.equal(latest?.number, Math.max(...numbers));
        }
      }),
      { numRuns: 25 }, // each upload waits for the disk
    );
  });

  test("a function that nobody uploaded is not found", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    const version = await store.addVersion(upload);

    assert.equal(await store.hasFunction("resize"), true);
    assert.equal(await store.hasFunction("Resize"), false);
    assert.equal(await store.findVersion("Resize", undefined), undefined);
    assert.equal(await store.findVersion("resize", version.number + 1), undefined);
  });

  test("names and sources of any Unicode come back as they were", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());

    const anyName = anyText.map((text) => text.replaceAll("\0", ""));
    await fc.assert(
      fc.asyncProperty(anyName, anyText, async (functionName, source) => {
        const { number } = await store.addVersion({ ...upload, functionName, source });
        const found = await store.findVersion(functionName, number);
        assert.equal(found?.functionName, functionName);
        assert.equal(found.source, source);
      }),
      { numRuns: 25, examples: [["a", "before\0after"]] },
    );
  });

  test("names that differ only in how Unicode composes them are different functions", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());

    await store.addVersion({ ...upload, functionName: "caf\u00e9" });

    assert.equal(await store.hasFunction("cafe\u0301"), false);
  });

  test("a lone surrogate in a source is stored as U+FFFD", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());

    const version = await store.addVersion({ ...upload, source: "'\ud800'" });

    assert.equal(version.source, "'\ufffd'");
    assert.deepEqual(await store.findVersion("resize", version.number), version);
  });

  test("the largest source is stored whole, and again under another name", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    const source = "/".repeat(MAX_SOURCE_BYTES);

    await store.addVersion({ ...upload, source });
    await store.addVersion({ ...upload, source, functionName: "other" });

    assert.equal((await store.findVersion("resize", undefined))?.source, source);
    assert.equal((await store.findVersion("other", undefined))?.source, source);
  });

  test("executions come back as they were, the last appended first", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    const newestFirst: Execution[] = [];

    const anyBatch = fc.uniqueArray(anyExecution, { maxLength: 4, selector: (execution) => execution.id });
    await fc.assert(
      fc.asyncProperty(anyBatch, async (batch) => {
        await store.appendExecutions(batch);
        newestFirst.unshift(...batch.toReversed());
        assert.deepEqual(await store.listExecutions({ limit: 6 }), newestFirst.slice(0, 6));
      }),
      { numRuns: 50 },
    );
  });

  test("a list of one function's executions holds no other's", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    const executions = ["a", "b", undefined, "a", "A", "a"].map((functionName, n) => anExecution(n, { functionName }));

    await store.appendExecutions(executions);

    const ids = (await store.listExecutions({ functionName: "a", limit: 2 })).map((execution) => execution.id);
    assert.deepEqual(ids, [executions[5]?.id, executions[3]?.id]);
    assert.deepEqual(await store.listExecutions({ functionName: "nobody", limit: 2 }), []);
    assert.deepEqual(await store.listExecutions({ limit: 0 }), []);
  });

  test("an execution that is appended again is stored once, as it was", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());
    const logs = [{ stream: "stdout", level: "info", atMs: T0_MS, text: "hello" }] as const;
    const first = anExecution(1, { logs });
    const second = anExecution(2, {});

    await store.appendExecutions([first]);
    await store.appendExecutions([{ ...first, status: "error" }, second]);

    assert.deepEqual(await store.listExecutions({ limit: 10 }), [second, first]);
  });

  test("the oldest executions beyond the limit are gone once a batch is stored", async (t) => {
    const store = await open({ keepExecutions: 5 });
    t.after(() => store.close());
    const executions = Array.from({ length: 23 }, (_, n) => anExecution(n, {}));

    for (let start = 0; start < executions.length; start += 4) {
      await store.appendExecutions(executions.slice(start, start + 4));
    }

    const newestFirst = executions.toReversed();
    assert.deepEqual(await store.listExecutions({ limit: 100 }), newestFirst.slice(0, 5));
  });

  test("a limit of no executions keeps none", async (t) => {
    const store = await open({ keepExecutions: 0 });
    t.after(() => store.close());

    await store.appendExecutions([anExecution(1, {}), anExecution(2, {})]);

    assert.deepEqual(await store.listExecutions({ limit: 100 }), []);
  });

  test("appending nothing does nothing", async (t) => {
    const store = await open(keepAll);
    t.after(() => store.close());

    await store.appendExecutions([]);

    assert.deepEqual(await store.listExecutions({ limit: 100 }), []);
  });
}
