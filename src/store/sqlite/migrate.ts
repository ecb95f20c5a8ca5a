import { systemClock } from "../../core/clock.ts";
import type { DatabaseSync } from "node:sqlite";
import { addMigrationFunctions } from "./migration-functions.ts";
import type { Migration } from "./migrations.ts";
import { durableTransaction } from "./transaction.ts";

/** "Clch", in the header of each of our files: tells them from those of other programs. */
export const APPLICATION_ID = 0x436c6368;

/** Brings the schema of a sound database of ours, or of an empty one, up to the last of `migrations`: wholly or not at all. */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  durableTransaction(database, () => {
    database.exec(`
      PRAGMA application_id = ${APPLICATION_ID};
      CREATE TABLE IF NOT EXISTS schema_migrations (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        applied_at_ms INTEGER NOT NULL
      ) STRICT;
    `);
    const record = database.prepare("INSERT INTO schema_migrations (number, name, applied_at_ms) VALUES (?, ?, ?)");
    const taken = takenMigrations(database).length;
    if (taken < migrations.length) addMigrationFunctions(database);
    for (const [index, migration] of migrations.entries()) {
      if (index < taken) continue;
      database.exec(migration.sql);
      record.run(index + 1, migration.name, systemClock.now());
    }
  });
}

/** The names of the migrations that this database has taken, in order. */
export function takenMigrations(database: DatabaseSync): string[] {
  return database
    .prepare("SELECT name FROM schema_migrations ORDER BY number")
    .all()
    .map((row) => String(row["name"]));
}
