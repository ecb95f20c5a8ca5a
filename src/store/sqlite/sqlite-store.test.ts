import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { anExecution } from "../executions.fixture.ts";
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
  const version = await before.addVersion(upload);
  await before.appendExecutions([execution]);
  await before.close();

  const store = await openSqliteStore({ file, keepExecutions: 10 });

  assert.deepEqual(await store.findVersion("resize", undefined), version);
  assert.deepEqual(await store.listExecutions({ limit: 10 }), [execution]);
  await store.close();
});

test("closing finishes the calls that were made before it, and none may follow", async () => {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 10 });
  const appended = store.appendExecutions([anExecution(1, {})]);
  const added = store.addVersion(upload);

  await store.close();

  await Promise.all([appended, added]);
  await assert.rejects(store.hasFunction("resize"), { code: "STORE_UNAVAILABLE" });
  const again = await openSqliteStore({ file, keepExecutions: 10 });
  assert.equal((await again.listExecutions({ limit: 10 })).length, 1);
  assert.equal(await again.hasFunction("resize"), true);
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

  assert.deepEqual(await store.listExecutions({ limit: 10_000 }), executions.toReversed());
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
    lengths.push((await store.listExecutions({ limit: 2_000 })).length);
  }
  await store.close();

  assert.deepEqual(lengths, [745, 490, 235, 10, 10]);
  const database = new DatabaseSync(file);
  assert.equal(database.prepare("SELECT count(*) AS n FROM execution_logs").get()?.["n"], 10);
  database.close();
});

test("nothing that was stored is lost when the process is killed", async () => {
  const file = newFile();
  const child = runWithStore(
    file,
    `const version = await store.addVersion({ functionName: "resize", language: "javascript", source: "1", nowMs: 5000 });
     await store.appendExecutions([${JSON.stringify(anExecution(1, {}))}]);
     console.log(version.number);
     setInterval(() => {}, 1000);`,
  );
  const printed = await firstOutput(child);
  child.kill("SIGKILL");
  await once(child, "close");

  const store = await openSqliteStore({ file, keepExecutions: 10 });

  assert.equal((await store.findVersion("resize", undefined))?.number, Number(printed));
  assert.deepEqual(await store.listExecutions({ limit: 10 }), [anExecution(1, {})]);
  await store.close();
});

test("a process ends by itself once its store is closed, or when it is idle", async () => {
  const closed = runWithStore(newFile(), "await store.close();");
  const idle = runWithStore(newFile(), "await store.hasFunction('a');");

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

  assert.equal((await store.listExecutions({ limit: 10 })).length, 1);
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

  assert.deepEqual(await store.listExecutions({ limit: 10 }), []); // all of a batch or none
  await store.appendExecutions([anExecution(3, {})]);
  assert.equal((await store.listExecutions({ limit: 10 })).length, 1);
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

  const unanswered = calls.call("hasFunction", "a");
  const crashing = calls.call("hasFunction", "b");

  await Promise.all([assert.rejects(unanswered, unavailable), assert.rejects(crashing, unavailable)]);
  await assert.rejects(calls.call("hasFunction", "c"), unavailable);
  await calls.ended;
});
