import { accessSync, closeSync, constants, existsSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../core/errors.ts";
import { lockFile } from "./file-lock.ts";
import { inspectFile } from "./inspect-file.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Migration } from "./migrations.ts";

const BUSY_TIMEOUT_MS = 5_000; // an operator's `sqlite3` may hold the write lock for a moment
/** Of a new file. With SQLite's own 4 KiB records cost an eighth more CPU; with 16 KiB, an eighth less, a small change writes too much. */
const PAGE_BYTES = 8 * 1024;
const CACHE_KIB = 16 * 1024; // holds the ends of all indexes, where rows are added; the default of 2 MiB does not

export interface OpenDatabase {
  readonly database: DatabaseSync;
  close(): void;
}

/**
 * Opens `file`, which is created where it is missing, for this process alone, with the newest schema.
 *
 * @throws Error that names the file and what to do, before a byte of it was changed
 */
export function openDatabase(file: string, migrations: readonly Migration[] = MIGRATIONS): OpenDatabase {
  const path = resolve(file);
  const lockedPath = `${path}.lock`;
  refuseUnwritable([dirname(path), path, lockedPath]);
  const lock = lockFile(path);
  let database: DatabaseSync | undefined;
  try {
    inspectFile(path, migrations);
    closeSync(openSync(path, "a", 0o600)); // else SQLite creates it readable for everyone; its side files follow
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}`); // of a file that has pages it changes nothing
    useWriteAheadLog(database, path);
    migrate(database, migrations);
    database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  } catch (error) {
    database?.close();
    lock.close();
    throw error;
  }
  const opened = database;
  return {
    database: opened,
    close() {
      opened.close();
      lock.close();
    },
  };
}

// SQLite opens what it may not write for reading, and only the first write fails.
function refuseUnwritable(paths: readonly string[]): void {
  for (const [index, path] of paths.entries()) {
    if (index > 0 && !existsSync(path)) continue; // a file is created, a folder is not
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch (error) {
      throw new Error(`"${path}" must exist and be writable for this user (${messageOf(error)})`, { cause: error });
    }
  }
}

function useWriteAheadLog(database: DatabaseSync, path: string): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
  if (mode !== "wal") {
    throw new Error(`"${path}" cannot use a write-ahead log (${String(mode)}): keep it on a local disk`);
  }
  database.exec("PRAGMA synchronous = NORMAL"); // `durableTransaction` raises it where a power cut counts
}
