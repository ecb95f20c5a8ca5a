import type { Migration } from "../../store/sqlite/migrations.ts";

/** The schema of the queue's own file. Forward only, as that of the store. */
export const QUEUE_MIGRATIONS: readonly Migration[] = [
  {
    name: "jobs",
    sql: `
      CREATE TABLE jobs (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        function_id TEXT,
        limited_by TEXT,
        priority INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        status TEXT NOT NULL,
        -- 1 once it is due: an index over priorities alone must not hold what waits for another day.
        ready INTEGER NOT NULL,
        run_at_ms INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL,
        -- Attempts begun in all; those before the last replay.
        attempt INTEGER NOT NULL DEFAULT 0,
        base INTEGER NOT NULL DEFAULT 0,
        fence INTEGER NOT NULL DEFAULT 0,
        lease_until_ms INTEGER,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        history TEXT NOT NULL DEFAULT '[]',
        error TEXT,
        finished_at_ms INTEGER
      ) STRICT;
      CREATE INDEX jobs_ready ON jobs (priority DESC, sequence, limited_by) WHERE status = 'queued' AND ready = 1;
      CREATE INDEX jobs_waiting ON jobs (run_at_ms) WHERE status = 'queued' AND ready = 0;
      CREATE INDEX jobs_leases ON jobs (lease_until_ms) WHERE status = 'running';
      CREATE INDEX jobs_finished ON jobs (status, finished_at_ms) WHERE finished_at_ms IS NOT NULL;
      CREATE INDEX jobs_by_status ON jobs (status, sequence);
      CREATE INDEX jobs_by_function ON jobs (function_id, sequence);

      -- What is long, apart from what changes with every attempt.
      CREATE TABLE job_texts (
        sequence INTEGER PRIMARY KEY REFERENCES jobs (sequence) ON DELETE CASCADE,
        payload TEXT NOT NULL,
        result TEXT
      ) STRICT;

      CREATE TABLE once_keys (
        key TEXT PRIMARY KEY,
        job_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX once_keys_expiring ON once_keys (expires_at_ms);
    `,
  },
];
