import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { anExecution } from "../executions.fixture.ts";
import { summaryOf } from "../executions.contract.ts";
import { DEFAULT_SETTINGS } from "../../core/function.ts";
import { eventually } from "../contract.fixture.ts";
import { storeContract } from "../store.contract.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { firstOutput, runWithStore } from "./store-process.fixture.ts";
import { WorkerCalls } from "./worker-calls.ts";

const folder = await mkdtemp(join(tmpdir(), "cloche-store-"));
after(() => rm(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}.db`);
const upload = { functionName: "resize", language: "javascript", source: "return 1", nowMs: 1_700_000_000_000 };

storeContract(({ keepExecutions }) => openSqliteStore({ file: newFile(), keepExecutions }));

test("a store that is opened again has everything", async () => {
  const file = newFile();
  const logs = [{ stream: "stderr", level: "error", atMs: 1, text: "a\0b \ud800" }] as const;
  const execution = anExecution(1, { logs });
  const before = await openSqliteStore({ file, keepExecutions: 10 });
  const { version } = await before.addVersion(upload);
  await before.appendExecutions([execution]);
  await before.close();

  const store = await openSqliteStore({ file, keepExecutions: 10 });

  assert.deepEqual(await store.findVersion(version.functionId, undefined), version);
  assert.deepEqual(await store.findExecution(execution.id), execution);
  await store.close();
});

test("closing finishes the calls that were made before it, and none may follow", async () => {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 10 });
  const appended = store.appendExecutions([anExecution(1, {})]);
  const added = store.addVersion(upload);

  await store.close();

  await Promise.all([appended, added]);
  await assert.rejects(store.findFunction({ name: "resize" }), { code: "STORE_UNAVAILABLE" });
  const again = await openSqliteStore({ file, keepExecutions: 10 });
  assert.equal((await again.listExecutions({ limit: 10 })).items.length, 1);
  assert.equal((await again.findFunction({ name: "resize" }))?.name, "resize");
  await again.close();
});

test("a source is stored once however often it is uploaded", async () => {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 10 });
  await store.addVersion(upload);
  await store.addVersion(upload);
  await store.addVersion({ ...upload, functionName: "other" });
  await store.addVersion({ ...upload, source: "return 2" });
  await store.close();

  const database = new DatabaseSync(file);
  assert.equal(database.prepare("SELECT count(*) AS n FROM versions").get()?.["n"], 4);
  assert.equal(database.prepare("SELECT count(*) AS n FROM sources").get()?.["n"], 2);
  database.close();
});

test("10,000 executions are read back in order", async () => {
  const store = await openSqliteStore({ file: newFile(), keepExecutions: 10_000 });
  const executions = Array.from({ length: 10_000 }, (_, n) => anExecution(n, {}));

  const batches = Array.from({ length: 40 }, (_, n) => executions.slice(n * 250, (n + 1) * 250));
  await Promise.all(batches.map((batch) => store.appendExecutions(batch)));

  assert.deepEqual((await store.listExecutions({ limit: 10_000 })).items, executions.toReversed().map(summaryOf));
  await store.close();
});

test("a lowered limit is reached in steps, and logs go with their executions", async () => {
  const file = newFile();
  const logs = [{ stream: "stdout", level: "info", atMs: 1, text: "hello" }] as const;
  const before = await openSqliteStore({ file, keepExecutions: 1_000 });
  await before.appendExecutions(Array.from({ length: 1_000 }, (_, n) => anExecution(n, { logs })));
  await before.close();

  const store = await openSqliteStore({ file, keepExecutions: 10 });
  const lengths: number[] = [];
  for (let n = 1_000; n < 1_005; n++) {
    await store.appendExecutions([anExecution(n, { logs })]);
    lengths.push((await store.listExecutions({ limit: 2_000 })).items.length);
  }
  await store.close();

  assert.deepEqual(lengths, [745, 490, 235, 10, 10]);
  const database = new DatabaseSync(file);
  assert.equal(database.prepare("SELECT count(*) AS n FROM execution_details").get()?.["n"], 10);
  database.close();
});

test("a failed batch leaves nothing behind in memory: the next one is counted and found as if it were the first", async (t) => {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 2 });
  t.after(() => store.close());
  const functionId = "id of a new function";
  const range = { fromMs: 0, toMs: 2_000_000_000_000, stepMs: 60_000 };
  await assert.rejects(
    store.appendExecutions([anExecution(1, { functionId }), anExecution(2, { functionId, runMs: Number.NaN })]),
  );

  await store.appendExecutions([3, 4, 5].map((n) => anExecution(n, { functionId })));

  const { items } = await store.listExecutions({ functionId, fromMs: 0, limit: 10 });
  assert.deepEqual(items, [anExecution(5, { functionId }), anExecution(4, { functionId })].map(summaryOf));
  assert.deepEqual(
    (await store.metrics(functionId, range)).map(({ calls }) => calls),
    [3],
  );
});

test("nothing of a deleted function is left in the file, nor its words, though a restart came between", async () => {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 10_000 });
  const { version } = await store.addVersion({ ...upload, files: { "a.js": "1" } });
  const { version: other } = await store.addVersion({ ...upload, functionName: "other" });
  const { functionId } = version;
  const logs = [{ stream: "stdout", level: "info", atMs: 1, text: "needle" }] as const;
  const executions = Array.from({ length: 2_000 }, (_, n) => anExecution(n, { functionId, logs, event: "1" }));
  await store.appendExecutions(executions);
  await store.appendExecutions([anExecution(5_000, { functionId: other.functionId })]);
  for (let n = 0; n < 300; n++)
    void store.kvChange({ functionId }, { kind: "set", key: `${n}`, value: "1" }, 10_000, 1);
  await store.putVariable(functionId, { name: "A", secret: true, sealed: "x" }, 1);
  await store.putAlias(functionId, { name: "live", targets: [{ version: version.number, weight: 100 }] }, 1);

  await store.deleteFunction(functionId);
  await store.close();
  const again = await openSqliteStore({ file, keepExecutions: 10_000 });
  await again.deleteFunction(
    (await again.createFunction({ name: "c", settings: DEFAULT_SETTINGS, nowMs: 1 }))?.id ?? "",
  );
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = (sql: string): number => Number(database.prepare(`SELECT count(*) AS n FROM ${sql}`).get()?.["n"]);
  await eventually(async () => rows("function_keys WHERE deletion = 2") === 2);
  const tables = ["executions", "programs", "functions", "versions", "sources", "metrics"];
  const left = tables.map((table) => `${table} ${rows(table)}`);
  const none = ["execution_details", "version_files", "aliases", "variables", "kv", "kv_sizes"].map(rows);
  const words = rows(`execution_words WHERE execution_words MATCH '"\u4e00needle"'`);
  database.close();
  await again.close();

  assert.deepEqual(
    left,
    tables.map((table) => `${table} 1`),
  );
  assert.deepEqual(none, [0, 0, 0, 0, 0, 0]);
  assert.equal(words, 0);
});

test("changes of keys that come together share a transaction, and each is told what it did", async (t) => {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 10 });
  t.after(() => store.close());
  const incr = () => store.kvChange("global", { kind: "incr", key: "n", by: 1 }, 1_000_000, 1);
  await incr();
  const bytesBefore = (await stat(`${file}-wal`)).size;

  const results = await Promise.all(Array.from({ length: 200 }, incr));

  assert.deepEqual(
    results.map((result) => result.ok && result.value),
    results.map((_, n) => String(n + 2)),
  );
  const grownBytes = (await stat(`${file}-wal`)).size - bytesBefore;
  assert.ok(grownBytes < 100 * 4096, `${grownBytes} bytes`); // each transaction writes a page or more, and a commit with it
});

test("one change that cannot be carried out does not harm those that share its transaction", async (t) => {
  const store = await openSqliteStore({ file: newFile(), keepExecutions: 10 });
  t.after(() => store.close());
  const set = (key: string, value: unknown) =>
    store.kvChange("global", { kind: "set", key, value: value as string }, 1_000, 1);

  const [first, wrong, last] = await Promise.allSettled([set("a", "1"), set("b", undefined), set("c", "3")]);

  assert.deepEqual([first.status, wrong.status, last.status], ["fulfilled", "rejected", "fulfilled"]);
  const { items } = await store.kvList("global", { limit: 9, nowMs: 1 });
  assert.deepEqual(
    items.map(({ key }) => key),
    ["a", "c"],
  );
});

test("a change of a key is on the disk when it is told, and other calls keep their order around it", async () => {
  const file = newFile();
  const child = runWithStore(
    file,
    `const set = (key, value) => store.kvChange("global", { kind: "set", key, value }, 1000, 1);
     const seen = await Promise.all([
       set("a", "1"), store.kvGet("global", "a", 1), store.listKeys(), set("a", "2"), store.kvGet("global", "a", 1)]);
     console.log(JSON.stringify([seen[1], seen[4]]));
     setInterval(() => {}, 1000);`,
  );
  const printed = await firstOutput(child);
  child.kill("SIGKILL");
  await once(child, "close");

  const store = await openSqliteStore({ file, keepExecutions: 10 });
  assert.deepEqual(JSON.parse(printed), ["1", "2"]);
  assert.equal(await store.kvGet("global", "a", 1), "2");
  await store.close();
});

test("nothing that was stored is lost when the process is killed", async () => {
  const file = newFile();
  const child = runWithStore(
    file,
    `const { version } = await store.addVersion({ functionName: "resize", language: "javascript", source: "1", nowMs: 5000 });
     await store.appendExecutions([${JSON.stringify(anExecution(1, {}))}]);
     console.log(version.number);
     setInterval(() => {}, 1000);`,
  );
  const printed = await firstOutput(child);
  child.kill("SIGKILL");
  await once(child, "close");

  const store = await openSqliteStore({ file, keepExecutions: 10 });

  const owner = await store.findFunction({ name: "resize" });
  assert.equal((await store.findVersion(owner?.id ?? "", undefined))?.number, Number(printed));
  assert.deepEqual((await store.listExecutions({ limit: 10 })).items, [summaryOf(anExecution(1, {}))]);
  await store.close();
});

test("a process ends by itself once its store is closed, or when it is idle", async () => {
  const closed = runWithStore(newFile(), "await store.close();");
  const idle = runWithStore(newFile(), "await store.listKeys();");

  const exits = await Promise.all([once(closed, "close"), once(idle, "close")]);

  assert.deepEqual(
    exits.map(([exitCode]: unknown[]) => exitCode),
    [0, 0],
  );
});

test("a process does not end in the midst of a call", async () => {
  const file = newFile();
  const child = runWithStore(file, `void store.appendExecutions([${JSON.stringify(anExecution(1, {}))}]);`);
  await once(child, "close");

  const store = await openSqliteStore({ file, keepExecutions: 10 });

  assert.equal((await store.listExecutions({ limit: 10 })).items.length, 1);
  await store.close();
});

test("a call that the database cannot carry out rejects, and the next one works", async (t) => {
  const store = await openSqliteStore({ file: newFile(), keepExecutions: 10 });
  t.after(() => store.close());

  await assert.rejects(store.appendExecutions([anExecution(1, {}), anExecution(2, { runMs: Number.NaN })]), {
    name: "PlatformError",
    code: "STORE_UNAVAILABLE",
    message: /NOT NULL constraint failed: executions.run_ms/,
  });

  assert.deepEqual((await store.listExecutions({ limit: 10 })).items, []); // all of a batch or none
  await store.appendExecutions([anExecution(3, {})]);
  assert.equal((await store.listExecutions({ limit: 10 })).items.length, 1);
});

test("a crash of the worker thread rejects every pending and every later call", async () => {
  const calls = new WorkerCalls(
    new Worker(
      `const { parentPort } = require("node:worker_threads");
       parentPort.postMessage({ id: 0, ok: true });
       parentPort.on("message", ({ id }) => { if (id === 2) throw new Error("boom"); });`,
      { eval: true },
    ),
  );
  await calls.opened;
  const unavailable = { name: "PlatformError", code: "STORE_UNAVAILABLE", message: /its thread crashed/ };

  const unanswered = calls.call("removeKey", "a");
  const crashing = calls.call("removeKey", "b");

  await Promise.all([assert.rejects(unanswered, unavailable), assert.rejects(crashing, unavailable)]);
  await assert.rejects(calls.call("removeKey", "c"), unavailable);
  await calls.ended;
});
