import { parseHistory } from "../job-history.ts";
import type { Job, JobStatus, JobSummary } from "../queue.ts";

/** A row of `jobs` as SQLite gives it. */
export interface JobRow {
  readonly sequence: number;
  readonly id: string;
  readonly kind: string;
  readonly function_id: string | null;
  readonly limited_by: string | null;
  readonly priority: number;
  readonly attempts: number;
  readonly status: JobStatus;
  readonly run_at_ms: number;
  readonly created_at_ms: number;
  readonly attempt: number;
  readonly base: number;
  readonly fence: number;
  readonly lease_until_ms: number | null;
  readonly cancel_requested: number;
  readonly history: string;
  readonly error: string | null;
  readonly finished_at_ms: number | null;
}

export interface JobTexts {
  readonly payload: string;
  readonly result: string | null;
}

export function toSummary(row: JobRow): JobSummary {
  return {
    id: row.id,
    kind: row.kind,
    functionId: row.function_id ?? undefined,
    status: row.status,
    priority: row.priority,
    attempts: row.attempts,
    attemptsMade: row.attempt - row.base,
    createdAtMs: row.created_at_ms,
    runAtMs: row.run_at_ms,
    finishedAtMs: row.finished_at_ms ?? undefined,
    error: row.error ?? undefined,
  };
}

export function toJob(row: JobRow, texts: JobTexts): Job {
  return {
    ...toSummary(row),
    limitedBy: row.limited_by ?? undefined,
    payload: texts.payload,
    history: parseHistory(row.history),
    result: texts.result ?? undefined,
  };
}
