import type { DatabaseSync, StatementSync } from "node:sqlite";
import { FLAGS } from "./execution-flags.ts";
import type { ExecutionsTable } from "./executions-table.ts";

interface OldRow {
  readonly sequence: number;
  readonly flags: number;
  readonly atMs: number;
}

/** Removes executions with all that is told of them; their metrics stay. Call it within a transaction. */
export class ExecutionRemoval {
  readonly #executions: ExecutionsTable;
  readonly #selectNth: StatementSync;
  readonly #countBelow: StatementSync;
  readonly #removeBelow: readonly StatementSync[];
  readonly #selectOldest: StatementSync;
  readonly #removeOne: StatementSync;
  readonly #removeDetails: StatementSync;
  readonly #removeWords: StatementSync;

  constructor(database: DatabaseSync, executions: ExecutionsTable) {
    this.#executions = executions;
    this.#selectNth = database.prepare("SELECT sequence FROM executions ORDER BY sequence LIMIT 1 OFFSET ?");
    this.#countBelow = database.prepare(
      "SELECT function_key, count(*) AS n FROM executions WHERE sequence <= ? GROUP BY function_key",
    );
    this.#removeBelow = [
      `DELETE FROM execution_words WHERE rowid IN (
         SELECT sequence FROM executions WHERE sequence <= ? AND flags & ${FLAGS.hasWords}
       )`,
      "DELETE FROM execution_details WHERE sequence <= ?",
      "DELETE FROM executions WHERE sequence <= ?",
    ].map((sql) => database.prepare(sql));
    this.#selectOldest = database.prepare(`
      SELECT sequence, queued_at_ms, flags FROM executions INDEXED BY executions_by_program
      WHERE program_key = ? AND outcome = ? ORDER BY sequence LIMIT ?
    `);
    this.#removeOne = database.prepare("DELETE FROM executions WHERE sequence = ?");
    this.#removeDetails = database.prepare("DELETE FROM execution_details WHERE sequence = ?");
    this.#removeWords = database.prepare("DELETE FROM execution_words WHERE rowid = ?");
  }

  /** Removes this many of all, the first appended first. */
  removeOldest(rows: number): void {
    if (rows <= 0) return;
    const last = Number(this.#selectNth.get(rows - 1)?.["sequence"]);
    const { counts, blocks } = this.#executions;
    for (const row of this.#countBelow.all(last)) counts.add(Number(row["function_key"]), -Number(row["n"]));
    for (const statement of this.#removeBelow) statement.run(last);
    counts.flush();
    blocks.removeBelow(last + 1);
  }

  /**
   * Removes at most `limit` of one function's, the first appended first, as long as they were queued before `beforeMs`.
   *
   * @returns how many
   */
  removeOldestOf(functionKey: number, limit: number, beforeMs: number): number {
    const [first] = this.#oldestOf(functionKey, 1);
    if (first === undefined || first.atMs >= beforeMs) return 0; // as nearly always
    const old = this.#oldestOf(functionKey, limit);
    const end = old.findIndex(({ atMs }) => atMs >= beforeMs);
    return this.#remove(functionKey, end === -1 ? old : old.slice(0, end));
  }

  /** Removes at most `limit` of one function's, in whatever order is the quickest; returns how many. */
  removeAnyOf(functionKey: number, limit: number): number {
    const rows: OldRow[] = [];
    for (const program of this.#executions.programs.listOf(functionKey)) {
      for (const outcome of this.#executions.outcomesOf(program)) {
        if (rows.length < limit) rows.push(...this.#oldest(program, outcome, limit - rows.length));
      }
      if (rows.length >= limit) break;
    }
    return this.#remove(functionKey, rows);
  }

  #remove(functionKey: number, rows: readonly OldRow[]): number {
    for (const { sequence, flags } of rows) {
      if ((flags & FLAGS.hasWords) !== 0) this.#removeWords.run(sequence);
      this.#removeDetails.run(sequence);
      this.#removeOne.run(sequence);
    }
    if (rows.length > 0) this.#executions.counts.add(functionKey, -rows.length);
    this.#executions.counts.flush();
    return rows.length;
  }

  #oldestOf(functionKey: number, limit: number): OldRow[] {
    return this.#executions.programs
      .listOf(functionKey)
      .flatMap((program) =>
        this.#executions.outcomesOf(program).flatMap((outcome) => this.#oldest(program, outcome, limit)),
      )
      .sort((a, b) => a.sequence - b.sequence)
      .slice(0, limit);
  }

  #oldest(program: number, outcome: number, limit: number): OldRow[] {
    return this.#selectOldest.all(program, outcome, limit).map((row) => ({
      sequence: Number(row["sequence"]),
      flags: Number(row["flags"]),
      atMs: Number(row["queued_at_ms"]),
    }));
  }
}
