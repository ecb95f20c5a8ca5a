import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { messageOf } from "../../core/errors.ts";
import { APPLICATION_ID, takenMigrations } from "./migrate.ts";
import type { Migration } from "./migrations.ts";
import { SQLITE, sqliteCode } from "./sqlite-error.ts";

// A full check reads every page: 64 MiB take about 60 ms, which a start can afford.
const FULL_CHECK_BYTES = 64 * 1024 * 1024;

/**
 * Throws, with advice, unless `file` is missing, empty, or a sound database of ours with a schema that we know. Changes
 * no byte of it. The caller holds the lock, so nobody else changes it meanwhile.
 */
export function inspectFile(file: string, migrations: readonly Migration[]): void {
  const fileBytes = sizeOf(file);
  const walBytes = sizeOf(`${file}-wal`);
  if (fileBytes === 0) {
    if (walBytes === 0) return;
    // SQLite would throw the log away and begin an empty database.
    throw new Error(`"${file}" is empty or gone, but its log "${file}-wal" is there: restore both from a backup`);
  }

  let database: DatabaseSync | undefined;
  try {
    database = openUntouched(file, walBytes > 0);
    if (isUnused(database)) return;
    refuseForeign(database, file);
    refuseUnknownSchema(database, file, migrations);
    refuseDamaged(database, file, fileBytes <= FULL_CHECK_BYTES);
  } catch (error) {
    throw new Error(adviceFor(error, file), { cause: error });
  } finally {
    database?.close();
  }
}

/** What a crash left in the write-ahead log counts; without a log, "immutable" spares us the side files of reading one. */
function openUntouched(file: string, hasLog: boolean): DatabaseSync {
  const url = pathToFileURL(file);
  if (!hasLog) url.search = "?immutable=1";
  return new DatabaseSync(url, { readOnly: true });
}

/** True for what a crash during our very first start leaves: a header and nothing else. */
function isUnused(database: DatabaseSync): boolean {
  return applicationId(database) === 0 && database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
}

function refuseForeign(database: DatabaseSync, file: string): void {
  if (applicationId(database) === APPLICATION_ID) return;
  throw new Error(`"${file}" is a database of another program: move it away, or choose another data folder`);
}

function applicationId(database: DatabaseSync): unknown {
  return database.prepare("PRAGMA application_id").get()?.["application_id"];
}

function refuseUnknownSchema(database: DatabaseSync, file: string, migrations: readonly Migration[]): void {
  for (const [index, name] of takenMigrations(database).entries()) {
    if (migrations[index]?.name === name) continue;
    const step = `schema step ${index + 1} "${name}"`;
    throw new Error(`"${file}" has ${step}, which this program does not know: start the newer program that made it`);
  }
}

/**
 * Finds damage before users do. In a big file only what users deployed is walked; its executions are history, and make
 * nearly all of its size. That the file was cut short is found in any case, by SQLite, on the first read.
 */
function refuseDamaged(database: DatabaseSync, file: string, all: boolean): void {
  const checks = all ? ["quick_check(1)"] : ["quick_check(versions)", "quick_check(sources)"];
  for (const check of checks) {
    const finding = database.prepare(`PRAGMA ${check}`).get()?.["quick_check"];
    if (finding !== "ok") throw new Error(damaged(file, String(finding).replaceAll("\n", " ")));
  }
}

function damaged(file: string, finding: string): string {
  return `"${file}" is damaged (${finding}): restore it from a backup, or save what is left with sqlite3's ".recover"`;
}

function adviceFor(error: unknown, file: string): string {
  const message = messageOf(error);
  switch (sqliteCode(error)) {
    case undefined:
      return message; // our own refusal
    case SQLITE.NOTADB:
      return `"${file}" is not a SQLite database: move it away, or restore it from a backup`;
    case SQLITE.CORRUPT:
      return damaged(file, message);
    case SQLITE.BUSY:
      return `"${file}" is locked by another program: close that one and start again`;
    default:
      return `"${file}" cannot be read (${message}): check that it is a file which this user may read and write`;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
