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
import { Rests } from "./rests.ts";
import { transaction } from "./transaction.ts";

const NOTHING: readonly Cell[] = EXTRA_CELLS.map(() => null);
const COLUMNS = 15;
const PLACES = `(${"?, ".repeat(COLUMNS - 1)}?)`;
/** That go in by one statement: a quarter less work for each. More together gain nothing. */
const TOGETHER = 10;
/** So long at a time. A few records are those of callers who wait for each answer: their slowest hundredth is a sixth quicker for it. */
const WORK_MS_OF_FEW = 0.1;
/** With many, rests cost more than they bring. */
const WORK_MS_OF_MANY = 0.25;
const FEW = 256;

/** One execution of a batch. */
interface Put extends ProgramKeys {
  readonly cells: readonly Cell[];
  readonly at: number;
  readonly extras: readonly Cell[];
  readonly from: number;
}

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
  readonly #insertTogether: StatementSync;
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
    // OR FAIL: what fails takes the whole transaction with it, so SQLite need not keep what a statement changes.
    const insert = (rows: number): StatementSync =>
      database.prepare(
        `INSERT OR FAIL INTO executions VALUES ${Array(rows).fill(PLACES).join(", ")} ON CONFLICT (id) DO NOTHING`,
      );
    this.#insert = insert(1);
    this.#insertTogether = insert(TOGETHER);
    this.#select = database.prepare("SELECT sequence, function_key, outcome, flags FROM executions WHERE id = ?");
    this.#replace = database.prepare(`INSERT OR REPLACE INTO executions VALUES ${PLACES}`);
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
      const puts: Put[] = [];
      for (let at = 0; at < cells.length; at += CELLS.length) {
        const own = keys[Number(cells[at + 1])];
        if (own === undefined) continue; // its function was deleted meanwhile
        const place = cells[at + 7] ?? null;
        const extra = place === null ? { extras: NOTHING, from: 0 } : { extras, from: Number(place) };
        puts.push({ programKey: own.programKey, functionKey: own.functionKey, cells, at, ...extra });
      }
      const rests = new Rests(puts.length < FEW ? WORK_MS_OF_FEW : WORK_MS_OF_MANY);
      let first = 0;
      for (; first + TOGETHER <= puts.length; first += TOGETHER) {
        this.#put(this.#insertTogether, puts.slice(first, first + TOGETHER));
        rests.mayTake();
      }
      for (const put of puts.slice(first)) this.#put(this.#insert, [put]);
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

  /** @param insert takes so many */
  #put(insert: StatementSync, puts: readonly Put[]): void {
    const first = this.#nextSequence;
    this.#nextSequence += puts.length;
    const columns = puts.flatMap((put, index) => columnsOf(put, first + index));
    const areAllNew = insert.run(...columns).changes === puts.length;
    for (const [index, put] of puts.entries()) {
      const sequence = first + index;
      const stored = areAllNew ? undefined : this.#storedAs(put);
      if (stored === undefined || stored.sequence === sequence) {
        this.counts.add(put.functionKey, 1);
        this.#tell(put, sequence);
      } else if (statusOf(stored.outcome) === "running") this.#replaceBy(put, stored);
    }
  }

  #storedAs({ cells, at }: Put): StoredRow {
    return this.#select.get(cells[at] ?? null) as object as StoredRow;
  }

  #replaceBy(put: Put, stored: StoredRow): void {
    const { sequence } = stored;
    this.#replace.run(...columnsOf(put, sequence));
    this.#removeDetails.run(sequence);
    if ((stored.flags & FLAGS.hasWords) !== 0) this.#removeWords.run(sequence);
    this.counts.add(stored.function_key, -1);
    this.counts.add(put.functionKey, 1);
    this.#tell(put, sequence);
  }

  /** What is told of an execution beside its row. */
  #tell({ programKey, functionKey, cells, at, extras, from }: Put, sequence: number): void {
    const outcome = Number(cells[at + 2]);
    const queuedAtMs = Number(cells[at + 3]);
    const error = extras[from + 1] ?? null;
    const event = extras[from + 4] ?? null;
    const response = extras[from + 5] ?? null;
    const lines = extras[from + 6] ?? null;
    if (event !== null || response !== null || lines !== null) this.#putDetails.run(sequence, event, response, lines);
    if (error !== null || lines !== null) {
      const facets = { functionKey, programKey, outcome };
      this.#insertWords.run(sequence, indexWords(sequence, facets, error as string | null, lines as string | null));
    }
    this.blocks.add(sequence, queuedAtMs);
    const flags = Number(cells[at + 6]);
    this.#count(
      { functionKey, outcome },
      queuedAtMs,
      Number(cells[at + 5]),
      flags,
      Number(cells[at + 8]),
      Number(cells[at + 9]),
    );
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

/** In the table's order. */
function columnsOf({ programKey, functionKey, cells, at, extras, from }: Put, sequence: number): Cell[] {
  const error = extras[from + 1] ?? null;
  const hasWords = error !== null || (extras[from + 6] ?? null) !== null;
  return [
    sequence,
    cells[at] ?? null,
    programKey,
    functionKey,
    Number(cells[at + 2]),
    Number(cells[at + 3]),
    cells[at + 4] ?? null,
    Number(cells[at + 5]),
    Number(cells[at + 6]) | (hasWords ? FLAGS.hasWords : 0),
    extras[from] ?? null,
    error,
    extras[from + 2] ?? null,
    extras[from + 3] ?? null,
    cells[at + 8] ?? null,
    cells[at + 9] ?? null,
  ];
}
