import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DEFAULT_SETTINGS } from "../../core/function.ts";
import { allPages } from "../contract.fixture.ts";
import { MIGRATIONS } from "./migrations.ts";
import { openDatabase } from "./open-database.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const T0_MS = 1_700_000_000_000;
const folder = await mkdtemp(join(tmpdir(), "cloche-migrations-"));
after(() => rm(folder, { recursive: true }));
let files = 0;

/** A file as the program wrote it before functions had ids, with what `fill` adds. */
function fileOfVersion3(fill: (run: (sql: string, ...values: (string | number | null)[]) => void) => void): string {
  const file = join(folder, `${++files}.db`);
  const opened = openDatabase(file, MIGRATIONS.slice(0, 3));
  fill((sql, ...values) => opened.database.prepare(sql).run(...values));
  opened.close();
  return file;
}

function withUploads(): string {
  return fileOfVersion3((run) => {
    run("INSERT INTO sources VALUES (1, x'01', 'return 1'), (2, x'02', 'print(\"é\")')");
    const version =
      "INSERT INTO versions (function_name, number, language, source_id, created_at_ms, egress) VALUES (?, ?, ?, ?, ?, ?)";
    run(version, "resize", 1_700_000_000, "javascript", 1, T0_MS, null);
    run(version, "resize", 1_700_000_060, "python", 2, T0_MS + 60_000, '["a.example"]');
    run(version, "Café/1", 1_700_000_001, "javascript", 1, T0_MS - 1_000, '"none"');
    const execution = `INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0.25, ?, ?, ?)`;
    run(execution, 1, "e1", "script", "resize", 1_700_000_000, "javascript", "success", null, T0_MS + 1, 10, 1, 0);
    run(execution, 2, "e2", "run-now", null, null, "lua", "timeout", "took too long", T0_MS + 2, 30, 0, 1);
    run(execution, 5, "e3", "script", "resize", 1_700_000_060, "python", "error", "Boom", T0_MS + 120_000, 20, 0, 0);
    run(execution, 6, "e4", "script", "gone", 7, "python", "success", null, T0_MS + 130_000, 20, 0, 0);
    run(
      "INSERT INTO execution_logs VALUES (5, ?)",
      JSON.stringify([{ stream: "stdout", level: "info", atMs: 1, text: "hello" }]),
    );
    run("INSERT INTO keys VALUES ('k', 'key', 'admin', 'h', 'clo_', 5)");
  });
}

test("every name becomes a function whose highest version is active", async () => {
  const store = await openSqliteStore({ file: withUploads(), keepExecutions: 100 });
  const resize = await store.findFunction({ name: "resize" });
  const other = await store.findFunction({ name: "Café/1" });
  assert.ok(resize !== undefined && other !== undefined);

  assert.match(resize.id, /^[\da-f]{8}-[\da-f]{4}-7/);
  assert.notEqual(resize.id, other.id);
  assert.deepEqual(resize, {
    id: resize.id,
    name: "resize",
    settings: DEFAULT_SETTINGS,
    activeVersion: 1_700_000_060,
    language: "python",
    createdAtMs: T0_MS,
    updatedAtMs: T0_MS + 60_000,
  });
  assert.equal((await store.listFunctions({ search: "CAFÉ", sort: "name", limit: 9 })).items.length, 1);
  assert.equal((await store.listFunctions({ sort: "created", limit: 9 })).items[0]?.name, "resize");
  assert.deepEqual(await store.listKeys(), [
    { id: "k", name: "key", scope: "admin", hash: "h", hint: "clo_", createdAtMs: 5 },
  ]);
  await store.close();
});

test("versions keep what they had, and have the hash that the same upload has now", async () => {
  const store = await openSqliteStore({ file: withUploads(), keepExecutions: 100 });
  const functionId = (await store.findFunction({ name: "resize" }))?.id ?? "";

  const active = await store.findVersion(functionId, undefined);
  assert.deepEqual(active, {
    functionId,
    functionName: "resize",
    number: 1_700_000_060,
    language: "python",
    source: 'print("é")',
    entry: undefined,
    files: {},
    artifacts: {},
    mode: undefined,
    upload: undefined,
    style: undefined,
    egress: ["a.example"],
    createdBy: undefined,
    createdAtMs: T0_MS + 60_000,
    contentHash: active?.contentHash,
    sizeBytes: 11,
  });
  const upload = { functionName: "resize", language: "javascript", source: "return 1", nowMs: T0_MS, reuse: true };
  const again = await store.addVersion(upload);
  assert.deepEqual([again.isNew, again.version.number], [false, 1_700_000_000]);
  assert.equal((await store.addVersion({ ...upload, reuse: false })).version.number, 1_700_000_061);
  await store.close();
});

test("executions keep their order, get their function's id, and are found, counted and replaced as new ones are", async () => {
  const store = await openSqliteStore({ file: withUploads(), keepExecutions: 4 });
  const functionId = (await store.findFunction({ name: "resize" }))?.id ?? "";
  const ids = async (filter: object): Promise<string[]> =>
    (await allPages((cursor) => store.listExecutions({ ...filter, limit: 1, cursor }))).items.map(({ id }) => id);

  assert.deepEqual(await ids({}), ["e4", "e3", "e2", "e1"]);
  assert.deepEqual(await ids({ functionId }), ["e3", "e1"]);
  assert.deepEqual(await ids({ functionName: "gone" }), ["e4"]);
  assert.deepEqual(await ids({ status: "timeout", trigger: "run-now" }), ["e2"]);
  assert.deepEqual(await ids({ text: "hello boom" }), ["e3"]);
  assert.deepEqual(await ids({ text: "long" }), ["e2"]);
  assert.deepEqual(await ids({ fromMs: T0_MS + 2, toMs: T0_MS + 130_000 }), ["e3", "e2"]);
  const found = await store.findExecution("e3");
  assert.deepEqual(found, {
    id: "e3",
    trigger: "script",
    functionId,
    functionName: "resize",
    version: 1_700_000_060,
    language: "python",
    status: "error",
    error: "Boom",
    errorLine: undefined,
    errorTip: undefined,
    queuedAtMs: T0_MS + 120_000,
    waitMs: 0.25,
    runMs: 20,
    cpuMs: undefined,
    peakMemoryBytes: undefined,
    coldStart: false,
    event: undefined,
    response: undefined,
    httpStatus: undefined,
    logs: [{ stream: "stdout", level: "info", atMs: 1, text: "hello" }],
    logsTruncated: false,
  });
  assert.equal((await store.findExecution("e1"))?.coldStart, true);
  assert.equal((await store.findExecution("e2"))?.logsTruncated, true);
  const metrics = await store.metrics(functionId, { fromMs: 0, toMs: 2 * T0_MS, stepMs: 3_600_000 });
  assert.deepEqual(
    metrics.map(({ calls, errors, coldStarts, runMsSum }) => [calls, errors, coldStarts, runMsSum]),
    [[2, 1, 1, 30]],
  );
  await store.appendExecutions([{ ...found, id: "e5", functionName: "resize" }]);
  assert.deepEqual(await ids({}), ["e5", "e4", "e3", "e2"]); // four are kept
  await store.close();
});

test("a file that holds nothing yet is brought up to date, too", async () => {
  const store = await openSqliteStore({ file: fileOfVersion3(() => {}), keepExecutions: 4 });

  assert.deepEqual(await store.listFunctions({ sort: "name", limit: 9 }), { items: [], cursor: undefined });
  const { version } = await store.addVersion({ functionName: "f", language: "lua", source: "1", nowMs: T0_MS });
  assert.equal(version.number, T0_MS / 1000);
  await store.close();
});
