import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../core/errors.ts";
import { SQLITE, sqliteCode } from "./sqlite-error.ts";

/**
 * Keeps every other server away from `file` until the returned database is closed. The lock is the kernel's, on an empty
 * file beside it, so a server that died leaves none behind.
 *
 * Not on the database itself, for two reasons: an operator may look into it with `sqlite3` while the server runs, and
 * POSIX locks of a process end as soon as any part of it closes the file, as a backup made by copying would.
 */
export function lockFile(file: string): DatabaseSync {
  const lockedFile = `${file}.lock`;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(lockedFile, { timeout: 0 });
    lock.exec("BEGIN EXCLUSIVE"); // nothing is written, so the file stays empty
    return lock;
  } catch (error) {
    lock?.close();
    const why =
      sqliteCode(error) === SQLITE.BUSY
        ? `"${file}" is in use by another server: stop that one, or give this one a data folder of its own`
        : `cannot lock "${file}" by "${lockedFile}" (${messageOf(error)}): its folder must allow this user to create files`;
    throw new Error(why, { cause: error });
  }
}
