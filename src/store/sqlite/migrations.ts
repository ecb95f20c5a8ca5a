/** One step of the schema, in plain SQL. */
export interface Migration {
  /** Kept in the database beside its number; says what the step is for. */
  readonly name: string;
  readonly sql: string;
}

/**
 * Every step from an empty file to today's schema; a step's number is its place, from 1. Forward only: a released step
 * is never changed or removed, because databases out there have taken it.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: "versions and executions",
    sql: `
      -- The text of a source once, however often it is uploaded.
      CREATE TABLE sources (
        id INTEGER PRIMARY KEY,
        sha256 BLOB NOT NULL UNIQUE,
        text TEXT NOT NULL
      ) STRICT;

      CREATE TABLE versions (
        function_name TEXT NOT NULL,
        number INTEGER NOT NULL,
        language TEXT NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (function_name, number)
      ) STRICT, WITHOUT ROWID;

      -- "sequence" is the order of appending: UUIDv7 ids are not ordered within a millisecond.
      CREATE TABLE executions (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        trigger TEXT NOT NULL,
        function_name TEXT,
        version INTEGER,
        language TEXT NOT NULL,
        status TEXT NOT NULL,
        error TEXT,
        queued_at_ms INTEGER NOT NULL,
        wait_ms REAL NOT NULL,
        run_ms REAL NOT NULL,
        cold_start INTEGER NOT NULL,
        logs_truncated INTEGER NOT NULL
      ) STRICT;

      -- Serves "the newest of one function": an index ends with the table's key, here the sequence.
      CREATE INDEX executions_by_function ON executions (function_name) WHERE function_name IS NOT NULL;

      -- Apart from executions, so that a list without logs would read no log pages; no row where nothing was printed.
      CREATE TABLE execution_logs (
        sequence INTEGER PRIMARY KEY REFERENCES executions (sequence) ON DELETE CASCADE,
        lines TEXT NOT NULL -- JSON array of LogLine
      ) STRICT;
    `,
  },
  {
    name: "egress of versions",
    sql: "ALTER TABLE versions ADD COLUMN egress TEXT; -- JSON: a word or a list of hosts; NULL: what the server allows",
  },
  {
    name: "keys",
    sql: `
      CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        scope TEXT NOT NULL,
        hash TEXT NOT NULL UNIQUE, -- SHA-256 of the key, which itself is kept nowhere
        hint TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
];
