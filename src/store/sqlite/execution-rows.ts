import type { Execution, ExecutionSummary } from "../../core/execution.ts";
import { FLAGS } from "./execution-flags.ts";
import { unpackLines } from "./execution-lines.ts";
import type { FunctionKeys } from "./function-keys.ts";
import { statusOf, triggerOf } from "./outcome-codes.ts";

export interface SummaryRow {
  readonly sequence: number;
  readonly id: string;
  readonly function_key: number;
  readonly function_name: string | null;
  readonly version: number | null;
  readonly language: string;
  readonly outcome: number;
  readonly queued_at_ms: number;
  readonly wait_ms: number;
  readonly run_ms: number;
  readonly flags: number;
  readonly http_status: number | null;
  readonly error: string | null;
  readonly error_line: number | null;
  readonly error_tip: string | null;
  readonly cpu_ms: number | null;
  readonly peak_kib: number | null;
}

export interface ExecutionRow extends SummaryRow {
  readonly event: string | null;
  readonly response: string | null;
  readonly lines: string | null;
}

const COLUMNS = `
  sequence, executions.id, executions.function_key, function_name, version, language, outcome, queued_at_ms, wait_ms, run_ms,
  flags, http_status, error, error_line, error_tip, cpu_ms, peak_kib
`;
const TABLES = "executions JOIN programs ON programs.key = program_key";

export const SELECT_SUMMARY = `SELECT ${COLUMNS} FROM ${TABLES}`;
export const SELECT_EXECUTION = `
  SELECT ${COLUMNS}, event, response, lines FROM ${TABLES} LEFT JOIN execution_details USING (sequence)
`;

export function toSummary(row: SummaryRow, functions: FunctionKeys): ExecutionSummary {
  return {
    id: row.id,
    trigger: triggerOf(row.outcome),
    functionId: functions.idOf(row.function_key),
    functionName: row.function_name ?? undefined,
    version: row.version ?? undefined,
    language: row.language,
    status: statusOf(row.outcome),
    error: row.error ?? undefined,
    errorLine: row.error_line ?? undefined,
    errorTip: row.error_tip ?? undefined,
    queuedAtMs: row.queued_at_ms,
    waitMs: row.wait_ms,
    runMs: row.run_ms,
    cpuMs: row.cpu_ms ?? undefined,
    peakMemoryBytes: row.peak_kib === null ? undefined : row.peak_kib * 1024,
    coldStart: (row.flags & FLAGS.coldStart) !== 0,
    httpStatus: row.http_status ?? undefined,
    logsTruncated: (row.flags & FLAGS.logsTruncated) !== 0,
  };
}

export function toExecution(row: ExecutionRow, functions: FunctionKeys): Execution {
  return {
    ...toSummary(row, functions),
    event: row.event ?? undefined,
    response: row.response ?? undefined,
    logs: unpackLines(row.lines),
  };
}
