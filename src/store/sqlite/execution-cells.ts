import type { Execution } from "../../core/execution.ts";

export type Cell = string | number | null;

/** The columns of an execution in the order of its cells. The last one goes to a table of its own. */
export const CELL_COLUMNS = [
  "id",
  "trigger",
  "function_name",
  "version",
  "language",
  "status",
  "error",
  "queued_at_ms",
  "wait_ms",
  "run_ms",
  "cold_start",
  "logs_truncated",
  "lines",
] as const;

/**
 * Executions as one flat array, CELL_COLUMNS.length cells each. A batch crosses to the worker thread in this shape because
 * it costs the gateway's thread least, per row: 0.3 us, the objects themselves 0.6 to 1.2, one JSON text 0.8 to 1.3.
 */
export function toCells(executions: readonly Execution[]): Cell[] {
  const cells: Cell[] = [];
  for (const execution of executions) {
    cells.push(
      execution.id,
      execution.trigger,
      execution.functionName ?? null,
      execution.version ?? null,
      execution.language,
      execution.status,
      execution.error ?? null,
      execution.queuedAtMs,
      execution.waitMs,
      execution.runMs,
      Number(execution.coldStart),
      Number(execution.logsTruncated),
      execution.logs.length === 0 ? null : JSON.stringify(execution.logs),
    );
  }
  return cells;
}
