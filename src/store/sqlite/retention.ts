import type { DatabaseSync } from "node:sqlite";
import type { FunctionSettings } from "../../core/function.ts";
import type { ExecutionRemoval } from "./execution-removal.ts";
import type { ExecutionsTable } from "./executions-table.ts";

// An append removes twice what it added, and at least this many: a backlog, left where a limit was lowered, shrinks on every
// append, and no append does much more work than another. 256 rows take about a millisecond.
const MIN_REMOVED_ROWS = 256;
const SWEPT_FUNCTIONS = 2; // per append, beside those that it adds to
const DAY_MS = 86_400_000;

interface Rule {
  readonly count: number | undefined;
  readonly days: number | undefined;
}

/** Which executions are too many or too old, for all and for each function. */
export class Retention {
  readonly #keepExecutions: number;
  readonly #executions: ExecutionsTable;
  readonly #removal: ExecutionRemoval;
  readonly #rules = new Map<number, Rule>();
  /** Keys that have a rule, in the order in which their turn comes. */
  #queue: number[] = [];

  constructor(database: DatabaseSync, keepExecutions: number, executions: ExecutionsTable, removal: ExecutionRemoval) {
    this.#keepExecutions = keepExecutions;
    this.#executions = executions;
    this.#removal = removal;
    const rows = database
      .prepare(
        `SELECT key, retention_count, retention_days FROM functions
         WHERE retention_count IS NOT NULL OR retention_days IS NOT NULL`,
      )
      .all();
    for (const row of rows) {
      const [count, days] = [row["retention_count"], row["retention_days"]];
      this.#rules.set(Number(row["key"]), {
        count: typeof count === "number" ? count : undefined,
        days: typeof days === "number" ? days : undefined,
      });
    }
  }

  /** Takes note of a function's rule; undefined settings: it is gone. */
  setRule(functionKey: number, settings: FunctionSettings | undefined): void {
    const [count, days] = [settings?.retentionCount, settings?.retentionDays];
    if (count === undefined && days === undefined) this.#rules.delete(functionKey);
    else this.#rules.set(functionKey, { count, days });
  }

  /** Removes a bounded number, within the transaction of an append of `addedRows`. */
  afterAppend(addedRows: number, functionKeys: ReadonlySet<number>, nowMs: number): void {
    const rows = Math.max(2 * addedRows, MIN_REMOVED_ROWS);
    this.#removal.removeOldest(Math.min(this.#executions.counts.total - this.#keepExecutions, rows));
    let left = rows;
    for (const functionKey of functionKeys) left -= this.#enforceCount(functionKey, left);
    for (const functionKey of this.#next(SWEPT_FUNCTIONS)) left -= this.#enforce(functionKey, left, nowMs);
  }

  /** One bounded step for the function whose turn it is; returns how many rows it removed. Call it within a transaction. */
  sweep(nowMs: number): number {
    const excess = Math.min(this.#executions.counts.total - this.#keepExecutions, MIN_REMOVED_ROWS);
    this.#removal.removeOldest(excess);
    let removed = Math.max(0, excess);
    for (const functionKey of this.#next(SWEPT_FUNCTIONS))
      removed += this.#enforce(functionKey, MIN_REMOVED_ROWS, nowMs);
    return removed;
  }

  /** How many steps of `sweep` it takes until each function has had its turn. */
  get round(): number {
    return Math.ceil(this.#rules.size / SWEPT_FUNCTIONS);
  }

  #enforce(functionKey: number, maxRows: number, nowMs: number): number {
    const rule = this.#rules.get(functionKey);
    const removed = this.#enforceCount(functionKey, maxRows);
    if (rule?.days === undefined || removed >= maxRows) return removed;
    return removed + this.#removal.removeOldestOf(functionKey, maxRows - removed, nowMs - rule.days * DAY_MS);
  }

  #enforceCount(functionKey: number, maxRows: number): number {
    const count = this.#rules.get(functionKey)?.count;
    if (count === undefined || maxRows <= 0) return 0;
    const tooMany = Math.min(this.#executions.counts.ofFunction(functionKey) - count, maxRows);
    return tooMany <= 0 ? 0 : this.#removal.removeOldestOf(functionKey, tooMany, Number.POSITIVE_INFINITY);
  }

  #next(functions: number): number[] {
    if (this.#queue.length === 0) this.#queue = [...this.#rules.keys()];
    return this.#queue.splice(0, functions);
  }
}
