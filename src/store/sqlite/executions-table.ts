import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Execution } from "../../core/execution.ts";
import { ExecutionBlocks } from "./execution-blocks.ts";
import { CELLS, EXTRA_CELLS, FLAGS } from "./execution-cells.ts";
import type { Cell, ExecutionBatch } from "./execution-cells.ts";
import { ExecutionCounts } from "./execution-counts.ts";
import { SELECT_EXECUTION, toExecution } from "./execution-rows.ts";
import type { ExecutionRow } from "./execution-rows.ts";
import { indexWords } from "./execution-words.ts";
import type { FunctionKeys } from "./function-keys.ts";
import { MetricsTable } from "./metrics-table.ts";
import { outcomeCode, outcomesOf, statusOf, triggerOf } from "./outcome-codes.ts";
import { ProgramsTable } from "./programs-table.ts";
import type { ProgramKeys } from "./programs-table.ts";
import { transaction } from "./transaction.ts";

const NOTHING: readonly Cell[] = EXTRA_CELLS.map(() => null);

interface StoredRow {
  readonly sequence: number;
  readonly function_key: number;
  readonly outcome: number;
  readonly flags: number;
}

/** The records of what was run, and what is told of them: words, metrics, counts. */
export class ExecutionsTable {
  readonly programs: ProgramsTable;
  readonly blocks: ExecutionBlocks;
  readonly counts: ExecutionCounts;
  readonly metrics: MetricsTable;
  readonly #database: DatabaseSync;
  readonly #functions: FunctionKeys;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #replace: StatementSync;
  readonly #putDetails: StatementSync;
  readonly #removeDetails: StatementSync;
  readonly #insertWords: StatementSync;
  readonly #removeWords: StatementSync;
  readonly #selectExecution: StatementSync;
  readonly #selectMax: StatementSync;
  readonly #nextOutcome: StatementSync;
  #nextSequence: number;

  constructor(database: DatabaseSync, functions: FunctionKeys) {
    this.programs = new ProgramsTable(database, functions);
    this.blocks = new ExecutionBlocks(database);
    this.counts = new ExecutionCounts(database);
    this.metrics = new MetricsTable(database);
    this.#database = database;
    this.#functions = functions;
    this.#insert = database.prepare(
      "INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    );
    this.#select = database.prepare("SELECT sequence, function_key, outcome, flags FROM executions WHERE id = ?");
    this.#replace = database.prepare(
      "INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#putDetails = database.prepare("INSERT INTO execution_details VALUES (?, ?, ?, ?)");
    this.#removeDetails = database.prepare("DELETE FROM execution_details WHERE sequence = ?");
    this.#insertWords = database.prepare("INSERT INTO execution_words (rowid, words) VALUES (?, ?)");
    this.#removeWords = database.prepare("DELETE FROM execution_words WHERE rowid = ?");
    this.#selectExecution = database.prepare(`${SELECT_EXECUTION} WHERE executions.id = ?`);
    this.#selectMax = database.prepare("SELECT coalesce(max(sequence), 0) AS last FROM executions");
    this.#nextOutcome = database.prepare(`
      SELECT min(outcome) AS outcome FROM executions INDEXED BY executions_by_program
      WHERE program_key = ? AND outcome > ?
    `);
    this.#nextSequence = this.#lastSequence() + 1;
  }

  /**
   * Appends what `toBatch` made.
   *
   * @param afterwards runs within the same transaction
   */
  append({ cells, programs, extras }: ExecutionBatch, afterwards: (functionKeys: ReadonlySet<number>) => void): void {
    this.change(() => {
      const keys = programs.map((program) => this.programs.findOrAdd(program));
      for (let at = 0; at < cells.length; at += CELLS.length) {
        const own = keys[Number(cells[at + 1])];
        if (own === undefined) continue; // its function was deleted meanwhile
        const place = cells[at + 7] ?? null;
        if (place === null) this.#put(own, cells, at, NOTHING, 0);
        else this.#put(own, cells, at, extras, Number(place));
      }
      this.#flush();
      afterwards(new Set(keys.flatMap((own) => (own === undefined ? [] : [own.functionKey]))));
    });
  }

  find(id: string): Execution | undefined {
    const found = this.#selectExecution.get(id);
    if (found === undefined) return undefined;
    const row = found as object as ExecutionRow;
    return this.#functions.toClear.has(row.function_key) ? undefined : toExecution(row, this.#functions);
  }

  /** The outcomes that there are of a program. */
  outcomesOf(programKey: number): number[] {
    const outcomes: number[] = [];
    for (let last = -1; ;) {
      const next = this.#nextOutcome.get(programKey, last)?.["outcome"] ?? null;
      if (next === null) return outcomes;
      last = Number(next);
      outcomes.push(last);
    }
  }

  /** Ends all that is stored as running; returns how many there were. */
  endRunning(error: string): number {
    const running = this.#database.prepare(`
      ${SELECT_EXECUTION} WHERE outcome IN (${outcomesOf("running", undefined).join(", ")}) ORDER BY sequence
    `);
    const selectProgram = this.#database.prepare("SELECT program_key FROM executions WHERE sequence = ?");
    const end = this.#database.prepare("UPDATE executions SET outcome = ?, error = ?, flags = ? WHERE sequence = ?");
    return this.change(() => {
      const rows = running.all() as object[] as ExecutionRow[];
      for (const row of rows) {
        const { sequence } = row;
        const outcome = outcomeCode("error", triggerOf(row.outcome));
        end.run(outcome, error, row.flags | FLAGS.hasWords, sequence);
        if ((row.flags & FLAGS.hasWords) !== 0) this.#removeWords.run(sequence);
        const programKey = Number(selectProgram.get(sequence)?.["program_key"]);
        const facets = { functionKey: row.function_key, programKey, outcome };
        this.#insertWords.run(sequence, indexWords(sequence, facets, error, row.lines));
        this.#count(facets, row.queued_at_ms, row.run_ms, row.flags, 0, 0);
      }
      this.#flush();
      return rows.filter((row) => !this.#functions.toClear.has(row.function_key)).length;
    });
  }

  /** A transaction over executions: what is kept in memory of them goes back with it where it fails. */
  change<T>(work: () => T): T {
    try {
      return transaction(this.#database, work);
    } catch (error) {
      for (const memory of [this.#functions, this.programs, this.blocks, this.metrics, this.counts]) memory.forget();
      this.#nextSequence = this.#lastSequence() + 1;
      throw error;
    }
  }

  #put(keys: ProgramKeys, cells: readonly Cell[], at: number, extras: readonly Cell[], from: number): void {
    const { programKey, functionKey } = keys;
    // Each cell by its place: a copy of the row costs as much as an index of the table.
    const id = cells[at] ?? null;
    const outcome = Number(cells[at + 2]);
    const queuedAtMs = Number(cells[at + 3]);
    const waitMs = cells[at + 4] ?? null;
    const runMs = Number(cells[at + 5]);
    const cpuMs = cells[at + 8] ?? null;
    const peakKib = cells[at + 9] ?? null;
    const httpStatus = extras[from] ?? null;
    const error = extras[from + 1] ?? null;
    const errorLine = extras[from + 2] ?? null;
    const errorTip = extras[from + 3] ?? null;
    const event = extras[from + 4] ?? null;
    const response = extras[from + 5] ?? null;
    const lines = extras[from + 6] ?? null;
    const hasWords = error !== null || lines !== null;
    const flags = Number(cells[at + 6]) | (hasWords ? FLAGS.hasWords : 0);
    const put = (statement: StatementSync, sequence: number): boolean =>
      statement.run(
        sequence,
        id,
        programKey,
        functionKey,
        outcome,
        queuedAtMs,
        waitMs,
        runMs,
        flags,
        httpStatus,
        error,
        errorLine,
        errorTip,
        cpuMs,
        peakKib,
      ).changes === 1;

    let sequence = this.#nextSequence;
    if (put(this.#insert, sequence)) {
      this.#nextSequence++;
      this.counts.add(functionKey, 1);
    } else {
      const stored = this.#select.get(id) as object as StoredRow;
      if (statusOf(stored.outcome) !== "running") return;
      ({ sequence } = stored);
      put(this.#replace, sequence);
      this.#removeDetails.run(sequence);
      if ((stored.flags & FLAGS.hasWords) !== 0) this.#removeWords.run(sequence);
      this.counts.add(stored.function_key, -1);
      this.counts.add(functionKey, 1);
    }
    if (event !== null || response !== null || lines !== null) this.#putDetails.run(sequence, event, response, lines);
    if (hasWords) {
      const facets = { functionKey, programKey, outcome };
      this.#insertWords.run(sequence, indexWords(sequence, facets, error as string | null, lines as string | null));
    }
    this.blocks.add(sequence, queuedAtMs);
    this.#count({ functionKey, outcome }, queuedAtMs, runMs, flags, Number(cpuMs), Number(peakKib));
  }

  #count(
    facets: { functionKey: number; outcome: number },
    queuedAtMs: number,
    runMs: number,
    flags: number,
    cpuMs: number,
    peakKib: number,
  ): void {
    const status = statusOf(facets.outcome);
    if (status === "running" || facets.functionKey === 0) return;
    const coldStart = (flags & FLAGS.coldStart) !== 0;
    this.metrics.add(facets.functionKey, {
      queuedAtMs,
      runMs,
      coldStart,
      isError: status !== "success",
      cpuMs,
      peakKib,
    });
  }

  #flush(): void {
    this.blocks.flush();
    this.metrics.flush();
    this.counts.flush();
  }

  #lastSequence(): number {
    return Number(this.#selectMax.get()?.["last"]);
  }
}
