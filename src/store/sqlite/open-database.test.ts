import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { PlatformError } from "../../core/errors.ts";
import { anExecution } from "../executions.fixture.ts";
import { MIGRATIONS } from "./migrations.ts";
import { openDatabase } from "./open-database.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { firstOutput, runWithStore } from "./store-process.fixture.ts";

const folder = await mkdtemp(join(tmpdir(), "cloche-open-"));
after(() => rm(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}.db`);
const nextMigration = { name: "labels", sql: "ALTER TABLE versions ADD COLUMN label TEXT NOT NULL DEFAULT 'none'" };

test("a text file is refused", async () => {
  const file = newFile();
  await writeFile(file, "Dear diary, ".repeat(1000));

  await assertRefused(file, /is not a SQLite database: move it away/);
});

test("a file too short to be a database is refused", async () => {
  const file = newFile();
  await writeFile(file, "SQLite");

  await assertRefused(file, /is not a SQLite database/);
});

test("a database that was cut short is refused", async () => {
  const file = await populated();
  await truncate(file, (await stat(file)).size - 8192);

  await assertRefused(file, /is damaged .*: restore it from a backup/);
});

test("a database with an overwritten page is refused", async () => {
  const file = await populated();
  const handle = await open(file, "r+");
  await handle.write(Buffer.alloc(4096, 0xab), 0, 4096, (await stat(file)).size - 2 * 4096);
  await handle.close();

  await assertRefused(file, /is damaged .*: restore it from a backup/);
});

test("a database of another program is refused", async () => {
  const file = newFile();
  const database = new DatabaseSync(file);
  database.exec("CREATE TABLE bookmarks (url TEXT)");
  database.close();

  await assertRefused(file, /is a database of another program/);
});

test("a database with a schema newer than ours is refused", async () => {
  const file = await populated();
  openDatabase(file, [...MIGRATIONS, nextMigration]).close();

  await assertRefused(file, /schema step \d+ "labels", which this program does not know: start the newer program/);
});

test("a newer schema is refused also while it is in the log only, as a crash leaves it", async () => {
  const live = await populated();
  const opened = openDatabase(live, [...MIGRATIONS, nextMigration]);
  const file = newFile();
  await copyFile(live, file);
  await copyFile(`${live}-wal`, `${file}-wal`);
  opened.close();

  await assertRefused(file, /schema step \d+ "labels"/);
});

test("a log without its database is refused", async () => {
  const file = newFile();
  await writeFile(`${file}-wal`, "frames");

  await assertRefused(file, /is empty or gone, but its log .* is there/);
});

test("a folder in the place of the file is refused", async () => {
  await assert.rejects(openSqliteStore({ file: folder, keepExecutions: 10 }), {
    code: "STORE_UNAVAILABLE",
    message: /cannot be read .*: check that it is a file/,
  });
  await rm(`${folder}.lock`);
});

test("a missing folder is refused", async () => {
  await assert.rejects(openSqliteStore({ file: join(folder, "none", "a.db"), keepExecutions: 10 }), {
    code: "STORE_UNAVAILABLE",
    message: /none" must exist and be writable for this user/,
  });
});

test("a folder that takes no files is refused", async () => {
  await assert.rejects(openSqliteStore({ file: "/proc/cloche.db", keepExecutions: 10 }), {
    code: "STORE_UNAVAILABLE",
    message: /"\/proc"|its folder must allow this user to create files/, // the latter as root, who may write anywhere
  });
});

test("a file in use by another server is refused until that server has gone, even by a crash", async (t) => {
  const file = await populated();
  const other = runWithStore(file, "console.log('open'); setInterval(() => {}, 1000);");
  t.after(() => other.kill("SIGKILL"));
  await firstOutput(other);

  await assertRefused(file, /is in use by another server/);
  other.kill("SIGKILL");
  await once(other, "close");

  const store = await openSqliteStore({ file, keepExecutions: 10 });
  await store.close();
});

test("a file in use by another store of this process is refused", async (t) => {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 10 });
  t.after(() => store.close());

  await assertRefused(file, /is in use by another server/);
});

test("a database with nothing in it, as a crash of the very first start leaves it, becomes ours", async () => {
  const file = newFile();
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL");
  database.close();
  assert.ok((await stat(file)).size > 0);

  const store = await openSqliteStore({ file, keepExecutions: 10 });
  await store.close();
});

test("a new database can be read by nobody else", async () => {
  const file = newFile();
  openDatabase(file).close();

  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("a later migration changes a populated database once, and is recorded by name", async () => {
  const file = await populated();

  openDatabase(file, [...MIGRATIONS, nextMigration]).close();
  const opened = openDatabase(file, [...MIGRATIONS, nextMigration]);

  const all = (sql: string): unknown[] =>
    opened.database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  assert.deepEqual(all("SELECT label FROM versions"), ["none"]);
  assert.deepEqual(all("SELECT count(*) FROM executions"), [500]);
  assert.deepEqual(all("SELECT name FROM schema_migrations"), [...MIGRATIONS.map(({ name }) => name), "labels"]);
  opened.close();
});

test("a migration that fails leaves the schema as it was", async () => {
  const file = await populated();

  assert.throws(() => openDatabase(file, [...MIGRATIONS, nextMigration, { name: "typo", sql: "CREATE TABEL x" }]));

  const opened = openDatabase(file);
  assert.equal(opened.database.prepare("SELECT count(*) AS n FROM schema_migrations").get()?.["n"], MIGRATIONS.length);
  opened.close();
});

/** A closed database with a version and some hundred pages of executions. */
async function populated(): Promise<string> {
  const file = newFile();
  const store = await openSqliteStore({ file, keepExecutions: 1_000 });
  await store.addVersion({ functionName: "resize", language: "javascript", source: "return 1", nowMs: 1_000 });
  await store.appendExecutions(Array.from({ length: 500 }, (_, n) => anExecution(n, {})));
  await store.close();
  return file;
}

/** Opening fails with advice that names the file, and changes no byte of the database or its log. */
async function assertRefused(file: string, advice: RegExp): Promise<void> {
  const before = await hashes(file);
  await assert.rejects(openSqliteStore({ file, keepExecutions: 10 }), (error: Error) => {
    assert.ok(error instanceof PlatformError);
    assert.equal(error.code, "STORE_UNAVAILABLE");
    assert.match(error.message, advice);
    assert.ok(error.message.includes(`"${file}"`));
    return true;
  });
  assert.deepEqual(await hashes(file), before);
}

async function hashes(file: string): Promise<(string | undefined)[]> {
  const sha256 = async (path: string): Promise<string | undefined> =>
    existsSync(path)
      ? createHash("sha256")
          .update(await readFile(path))
          .digest("hex")
      : undefined;
  return Promise.all([file, `${file}-wal`].map(sha256));
}
