import type { DatabaseSync } from "node:sqlite";
import type { JobRetention, JobStatus } from "../queue.ts";

const TRIM_EVERY = 200; // ends of jobs: a trim of some hundred rows takes a millisecond
const MOST_AT_ONCE = 1_000; // rows; a backlog of them goes step by step, so that nobody waits for it

/** Removes jobs that have been over for long, and keys that have expired. */
export class Trimming {
  readonly #database: DatabaseSync;
  readonly #keep: JobRetention;
  #ended = 0;

  constructor(database: DatabaseSync, keep: JobRetention) {
    this.#database = database;
    this.#keep = keep;
  }

  /** A job has ended, in the transaction that goes on. */
  afterEnd(nowMs: number): void {
    if (++this.#ended % TRIM_EVERY === 0) this.trim(nowMs);
  }

  trim(nowMs: number): void {
    this.#trimStatus("completed", this.#keep.completed, nowMs);
    this.#trimStatus("dead", this.#keep.dead, nowMs);
    this.#trimStatus("cancelled", this.#keep.dead, nowMs);
    this.#database.prepare("DELETE FROM once_keys WHERE expires_at_ms <= ?").run(nowMs);
  }

  #trimStatus(status: JobStatus, keep: { readonly count: number; readonly ageMs: number }, nowMs: number): void {
    this.#database
      .prepare(
        `DELETE FROM jobs WHERE sequence IN (
           SELECT sequence FROM jobs WHERE status = $status AND finished_at_ms <= $before
           UNION SELECT * FROM (
             SELECT sequence FROM jobs WHERE status = $status AND finished_at_ms IS NOT NULL
             ORDER BY finished_at_ms DESC LIMIT -1 OFFSET $count)
           LIMIT ${MOST_AT_ONCE})`,
      )
      .run({ status, before: nowMs - keep.ageMs, count: keep.count });
  }
}
