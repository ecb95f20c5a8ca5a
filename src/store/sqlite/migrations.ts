/** One step of the schema, in SQL, which may use the functions of `migration-functions.ts`. */
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
  {
    name: "functions",
    sql: `
      -- What stands for a function in the big tables: an id is 36 bytes, and a key one or two. Key 0 is no function: ad-hoc code,
      -- and the keys and values that all functions share. A key stays when its function is deleted, so that what comes late is known.
      CREATE TABLE function_keys (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        deletion INTEGER NOT NULL DEFAULT 0, -- 0 not deleted, 1 deleted and being cleared away, 2 cleared away
        executions INTEGER NOT NULL DEFAULT 0 -- how many are stored
      ) STRICT;
      INSERT INTO function_keys (key, id) VALUES (0, '');
      CREATE INDEX function_keys_to_clear ON function_keys (key) WHERE deletion = 1;

      CREATE TABLE functions (
        key INTEGER PRIMARY KEY REFERENCES function_keys (key),
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL, -- JSON of FunctionSettings; what is absent has its default
        search_text TEXT NOT NULL, -- name and description in lower case
        retention_days INTEGER, -- of the settings
        retention_count INTEGER,
        active_version INTEGER,
        language TEXT, -- of the active version
        last_version INTEGER NOT NULL, -- the highest number ever, so that none comes again; 0 before the first
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX functions_by_creation ON functions (created_at_ms, id);
      CREATE INDEX functions_by_update ON functions (updated_at_ms, id);

      INSERT INTO function_keys (id)
        SELECT new_id() FROM (SELECT min(created_at_ms) AS first FROM versions GROUP BY function_name ORDER BY first);
      INSERT INTO functions
        SELECT
          key, id, name, '{}', lower_case(name), NULL, NULL, last,
          (SELECT language FROM versions WHERE function_name = name AND number = last), last, first, latest
        FROM (SELECT key, id, row_number() OVER (ORDER BY key) AS place FROM function_keys WHERE key > 0)
        JOIN (
          SELECT
            function_name AS name, max(number) AS last, min(created_at_ms) AS first, max(created_at_ms) AS latest,
            row_number() OVER (ORDER BY min(created_at_ms), function_name) AS place
          FROM versions GROUP BY function_name
        ) USING (place);

      CREATE TABLE new_versions (
        function_key INTEGER NOT NULL,
        number INTEGER NOT NULL,
        language TEXT NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        entry TEXT,
        style TEXT,
        egress TEXT, -- JSON: a word or a list of hosts; NULL: what the function or the server allows
        created_by TEXT,
        created_at_ms INTEGER NOT NULL,
        content_hash TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        PRIMARY KEY (function_key, number)
      ) STRICT, WITHOUT ROWID;
      INSERT INTO new_versions
        SELECT
          key, number, versions.language, source_id, NULL, NULL, egress, NULL, versions.created_at_ms,
          content_hash(versions.language, text), octet_length(text)
        FROM versions JOIN functions ON name = function_name JOIN sources ON sources.id = source_id;
      DROP TABLE versions;
      ALTER TABLE new_versions RENAME TO versions;
      CREATE INDEX versions_by_content ON versions (function_key, content_hash);
      CREATE INDEX versions_by_source ON versions (source_id);

      -- The files of a version besides its main one.
      CREATE TABLE version_files (
        function_key INTEGER NOT NULL,
        number INTEGER NOT NULL,
        path TEXT NOT NULL,
        source_id INTEGER NOT NULL REFERENCES sources (id),
        PRIMARY KEY (function_key, number, path)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX version_files_by_source ON version_files (source_id);

      CREATE TABLE aliases (
        function_key INTEGER NOT NULL,
        name TEXT NOT NULL,
        targets TEXT NOT NULL, -- JSON array of AliasTarget
        PRIMARY KEY (function_key, name)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE variables (
        function_key INTEGER NOT NULL,
        name TEXT NOT NULL,
        secret INTEGER NOT NULL,
        value TEXT NOT NULL, -- of a secret, as it was sealed
        PRIMARY KEY (function_key, name)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: "keys and values of functions",
    sql: `
      CREATE TABLE kv (
        function_key INTEGER NOT NULL,
        key BLOB NOT NULL, -- UTF-8, in whose order keys are listed
        value TEXT NOT NULL, -- JSON
        expires_at_ms INTEGER,
        PRIMARY KEY (function_key, key)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX kv_by_expiry ON kv (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

      -- Bytes of keys and values, so that nobody need add them up.
      CREATE TABLE kv_sizes (
        function_key INTEGER PRIMARY KEY,
        bytes INTEGER NOT NULL
      ) STRICT;
    `,
  },
  {
    name: "sessions",
    sql: `
      CREATE TABLE sessions (
        hash TEXT PRIMARY KEY, -- SHA-256 of the cookie, which itself is kept nowhere
        key_id TEXT REFERENCES keys (id) ON DELETE CASCADE, -- NULL: the operator's
        scope TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX sessions_by_key ON sessions (key_id);
      CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms);
    `,
  },
  {
    name: "executions by function, metrics and words",
    sql: `
      -- What was run, once for all of its executions: the function, its name and version then, and the language.
      CREATE TABLE programs (
        key INTEGER PRIMARY KEY,
        function_key INTEGER NOT NULL,
        function_name TEXT,
        version INTEGER,
        language TEXT NOT NULL
      ) STRICT;
      CREATE INDEX programs_by_function ON programs (function_key, version);
      CREATE INDEX programs_by_name ON programs (function_name, version);
      CREATE INDEX programs_by_version ON programs (version);
      INSERT INTO programs (function_key, function_name, version, language)
        SELECT DISTINCT coalesce(functions.key, 0), function_name, version, executions.language
        FROM executions LEFT JOIN functions ON name = function_name;

      CREATE TABLE new_executions (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        program_key INTEGER NOT NULL,
        function_key INTEGER NOT NULL, -- of the program
        outcome INTEGER NOT NULL, -- status and trigger, see outcome-codes.ts
        queued_at_ms INTEGER NOT NULL,
        wait_ms REAL NOT NULL,
        run_ms REAL NOT NULL,
        flags INTEGER NOT NULL, -- see execution-flags.ts
        http_status INTEGER,
        error TEXT,
        error_line INTEGER,
        error_tip TEXT
      ) STRICT;
      INSERT INTO new_executions
        SELECT
          sequence, executions.id, programs.key, function_key,
          outcome_code(status, trigger), queued_at_ms, wait_ms, run_ms,
          cold_start + 2 * logs_truncated + CASE WHEN error IS NULL AND lines IS NULL THEN 0 ELSE 4 END,
          NULL, error, NULL, NULL
        FROM executions
        LEFT JOIN execution_logs USING (sequence)
        JOIN programs ON
          programs.function_name IS executions.function_name AND programs.version IS executions.version
          AND programs.language = executions.language
        ORDER BY sequence;

      -- What makes an execution long. No row where there is nothing of it.
      CREATE TABLE execution_details (
        sequence INTEGER PRIMARY KEY,
        event TEXT, -- JSON
        response TEXT, -- JSON
        lines TEXT -- JSON array of LogLine
      ) STRICT;
      INSERT INTO execution_details SELECT sequence, NULL, NULL, lines FROM execution_logs;

      DROP TABLE execution_logs;
      DROP TABLE executions;
      ALTER TABLE new_executions RENAME TO executions;
      -- An index ends with the table's key, the sequence, so each prefix of these is a list with the newest at its end.
      CREATE INDEX executions_by_outcome ON executions (outcome);
      CREATE INDEX executions_by_program ON executions (program_key, outcome);
      UPDATE function_keys SET executions = counted.n
        FROM (SELECT function_key, count(*) AS n FROM executions GROUP BY function_key) AS counted
        WHERE function_key = key;

      -- When the executions of 1,024 sequences were queued: leads from a time to sequences, a thousand times smaller than an index.
      CREATE TABLE execution_blocks (
        block INTEGER PRIMARY KEY,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL
      ) STRICT;
      INSERT INTO execution_blocks
        SELECT sequence >> 10, min(queued_at_ms), max(queued_at_ms) FROM executions GROUP BY sequence >> 10;

      -- The words of log lines and errors, see execution-words.ts. It keeps which execution has a word, neither text nor place.
      CREATE VIRTUAL TABLE execution_words
        USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
      -- By default a tenth of a part being removed has the rest written again: at the limit of what is kept that is most of the work.
      INSERT INTO execution_words (execution_words, rank) VALUES ('deletemerge', 60);
      INSERT INTO execution_words (rowid, words)
        SELECT sequence, index_words(sequence, function_key, program_key, outcome, error, lines)
        FROM executions LEFT JOIN execution_details USING (sequence)
        WHERE flags & 4;

      -- A minute of a function's calls.
      CREATE TABLE metrics (
        function_key INTEGER NOT NULL,
        minute INTEGER NOT NULL, -- of Unix time
        calls INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        cold_starts INTEGER NOT NULL,
        run_ms_sum REAL NOT NULL,
        run_ms_max REAL NOT NULL,
        histogram BLOB NOT NULL, -- see histogram.ts
        PRIMARY KEY (function_key, minute)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX metrics_by_minute ON metrics (minute);
      INSERT INTO metrics
        SELECT
          function_key, queued_at_ms / 60000, count(*), sum(outcome >> 4 <> 1), sum(flags & 1),
          sum(run_ms), max(run_ms), histogram(run_ms)
        FROM executions WHERE function_key > 0 GROUP BY function_key, queued_at_ms / 60000;
    `,
  },
  {
    name: "artifacts and uploads",
    sql: `
      -- Executables and modules, each once however many versions have it.
      CREATE TABLE blobs (
        id INTEGER PRIMARY KEY,
        sha256 TEXT NOT NULL UNIQUE, -- hexadecimal
        size_bytes INTEGER NOT NULL, -- before the bytes, so that it is read without them
        bytes BLOB NOT NULL
      ) STRICT;

      ALTER TABLE versions ADD COLUMN native_blob INTEGER REFERENCES blobs (id);
      ALTER TABLE versions ADD COLUMN wasm_blob INTEGER REFERENCES blobs (id);
      ALTER TABLE versions ADD COLUMN mode TEXT;
      -- How the native API knows a version; NULL for one that did not come that way.
      ALTER TABLE versions ADD COLUMN upload_id TEXT;
      ALTER TABLE versions ADD COLUMN upload_label TEXT;
      ALTER TABLE versions ADD COLUMN upload_description TEXT;
      CREATE INDEX versions_by_native_blob ON versions (native_blob) WHERE native_blob IS NOT NULL;
      CREATE INDEX versions_by_wasm_blob ON versions (wasm_blob) WHERE wasm_blob IS NOT NULL;
      CREATE INDEX versions_by_upload ON versions (upload_id) WHERE upload_id IS NOT NULL;
      CREATE INDEX uploads_by_creation ON versions (created_at_ms, number, upload_id) WHERE upload_id IS NOT NULL;
      CREATE UNIQUE INDEX versions_by_label ON versions (function_key, upload_label) WHERE upload_label IS NOT NULL;
    `,
  },
  {
    name: "CPU and memory of executions",
    sql: `
      ALTER TABLE executions ADD COLUMN cpu_ms REAL; -- NULL where nobody knows
      ALTER TABLE executions ADD COLUMN peak_kib INTEGER;
      ALTER TABLE metrics ADD COLUMN cpu_ms_sum REAL NOT NULL DEFAULT 0;
      ALTER TABLE metrics ADD COLUMN peak_kib INTEGER NOT NULL DEFAULT 0;
    `,
  },
];
