import type { DatabaseSync } from "node:sqlite";

/** Runs `work` as one transaction: all of it is kept, or nothing where it throws. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE"); // the write lock first: a read that turns into a write can fail half way
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK"); // SQLite itself has rolled back after some errors
    throw error;
  }
}

/** As `transaction`, and what it wrote has reached the disk when it returns: a power cut takes nothing back. */
export function durableTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("PRAGMA synchronous = FULL");
  try {
    return transaction(database, work);
  } finally {
    database.exec("PRAGMA synchronous = NORMAL");
  }
}
