import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Execution, ExecutionStatus, Trigger } from "../../core/execution.ts";
import type { LogLine } from "../../core/log-line.ts";
import { CELL_COLUMNS } from "./execution-cells.ts";
import type { Cell } from "./execution-cells.ts";
import type { ExecutionQuery } from "./sqlite-calls.ts";
import { transaction } from "./transaction.ts";

// An append removes twice what it added, and at least this many: a backlog, left where `keepExecutions` was lowered,
// shrinks on every append, and no append does much more work than another. 256 rows take about a millisecond.
const MIN_REMOVED_ROWS = 256;

/** A row as `toCells` wrote it. */
interface ExecutionRow {
  readonly id: string;
  readonly trigger: Trigger;
  readonly function_name: string | null;
  readonly version: number | null;
  readonly language: string;
  readonly status: ExecutionStatus;
  readonly error: string | null;
  readonly queued_at_ms: number;
  readonly wait_ms: number;
  readonly run_ms: number;
  readonly cold_start: number;
  readonly logs_truncated: number;
  readonly lines: string | null;
}

const COLUMNS = CELL_COLUMNS.slice(0, -1);
const SELECT = `SELECT ${CELL_COLUMNS.join(", ")} FROM executions LEFT JOIN execution_logs USING (sequence)`;

/** The newest `keepExecutions` executions and their logs. */
export class ExecutionsTable {
  readonly #database: DatabaseSync;
  readonly #keepExecutions: number;
  readonly #insert: StatementSync;
  readonly #insertLogs: StatementSync;
  readonly #removeOldest: StatementSync;
  readonly #selectAll: StatementSync;
  readonly #selectOfFunction: StatementSync;

  constructor(database: DatabaseSync, keepExecutions: number) {
    this.#database = database;
    this.#keepExecutions = keepExecutions;
    this.#insert = database.prepare(`
      INSERT INTO executions (${COLUMNS.join(", ")}) VALUES (${COLUMNS.map(() => "?").join(", ")})
      ON CONFLICT (id) DO NOTHING
    `);
    this.#insertLogs = database.prepare("INSERT INTO execution_logs (sequence, lines) VALUES (?, ?)");
    // Sequences have no gaps: a new one is the highest plus one, and only the lowest are removed. So none need be counted.
    this.#removeOldest = database.prepare(`
      DELETE FROM executions WHERE sequence IN (
        SELECT sequence FROM executions
        WHERE sequence <= (SELECT max(sequence) FROM executions) - ?
        ORDER BY sequence LIMIT ?
      )
    `);
    this.#selectAll = database.prepare(`${SELECT} ORDER BY sequence DESC LIMIT ?`);
    this.#selectOfFunction = database.prepare(`${SELECT} WHERE function_name = ? ORDER BY sequence DESC LIMIT ?`);
  }

  /** Appends the executions that `toCells` made flat. */
  append(cells: readonly Cell[]): void {
    const width = CELL_COLUMNS.length;
    transaction(this.#database, () => {
      for (let start = 0; start < cells.length; start += width) {
        const { changes, lastInsertRowid } = this.#insert.run(...cells.slice(start, start + width - 1));
        const lines = cells[start + width - 1] ?? null;
        if (changes === 1 && lines !== null) this.#insertLogs.run(lastInsertRowid, lines);
      }
      const addedRows = cells.length / width;
      this.#removeOldest.run(this.#keepExecutions, Math.max(2 * addedRows, MIN_REMOVED_ROWS));
    });
  }

  list(query: ExecutionQuery): Execution[] {
    const limit = Math.max(0, query.limit); // a negative one would mean "all" to SQLite
    const rows =
      query.functionName === undefined
        ? this.#selectAll.all(limit)
        : this.#selectOfFunction.all(query.functionName, limit);
    return (rows as object[] as ExecutionRow[]).map(toExecution);
  }
}

function toExecution(row: ExecutionRow): Execution {
  return {
    id: row.id,
    trigger: row.trigger,
    functionName: row.function_name ?? undefined,
    version: row.version ?? undefined,
    language: row.language,
    status: row.status,
    error: row.error ?? undefined,
    queuedAtMs: row.queued_at_ms,
    waitMs: row.wait_ms,
    runMs: row.run_ms,
    coldStart: row.cold_start === 1,
    logs: row.lines === null ? [] : (JSON.parse(row.lines) as LogLine[]),
    logsTruncated: row.logs_truncated === 1,
  };
}
