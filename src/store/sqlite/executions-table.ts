import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Execution } from "../../core/execution.ts";
import { ExecutionBlocks } from "./execution-blocks.ts";
import { ExecutionCounts } from "./execution-counts.ts";
import { FLAGS } from "./execution-flags.ts";
import { SELECT_EXECUTION, toExecution } from "./execution-rows.ts";
import type { ExecutionRow } from "./execution-rows.ts";
import { indexWords } from "./execution-words.ts";
import type { FunctionKeys } from "./function-keys.ts";
import { MetricsTable } from "./metrics-table.ts";
import { outcomeCode, outcomesOf, statusOf, triggerOf } from "./outcome-codes.ts";
import { PackedRows } from "./packed-executions.ts";
import type { PackedExecutions, PackedRow } from "./packed-executions.ts";
import { ProgramsTable } from "./programs-table.ts";
import type { ProgramKeys } from "./programs-table.ts";
import { Rests } from "./rests.ts";
import { transaction } from "./transaction.ts";

type Cell = string | number | null;

const COLUMNS = 15;
/** Columns of `execution_details`. */
const DETAILS = 4;
/** That go in by one statement: a quarter less work for each. More together gain nothing. */
const TOGETHER = 10;
/** With fewer, the store's thread rests: they are those of callers who wait for each answer, and their slowest hundredth is a sixth quicker for it. */
const FEW = 256;

/** One execution of a batch. */
interface Put {
  readonly keys: ProgramKeys;
  readonly row: PackedRow;
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
  readonly #insertDetails: StatementSync;
  readonly #insertDetailsTogether: StatementSync;
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
      database.prepare(`INSERT OR FAIL INTO executions VALUES ${places(rows, COLUMNS)} ON CONFLICT (id) DO NOTHING`);
    this.#insert = insert(1);
    this.#insertTogether = insert(TOGETHER);
    this.#select = database.prepare("SELECT sequence, function_key, outcome, flags FROM executions WHERE id = ?");
    this.#replace = database.prepare(`INSERT OR REPLACE INTO executions VALUES ${places(1, COLUMNS)}`);
    const insertDetails = (rows: number): StatementSync =>
      database.prepare(`INSERT OR FAIL INTO execution_details VALUES ${places(rows, DETAILS)}`);
    this.#insertDetails = insertDetails(1);
    this.#insertDetailsTogether = insertDetails(TOGETHER);
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

  /** @param afterwards runs within the same transaction */
  append(batch: PackedExecutions, afterwards: (functionKeys: ReadonlySet<number>) => void): void {
    this.change(() => {
      const keys = batch.programs.map((program) => this.programs.findOrAdd(program));
      const rests = batch.rows < FEW ? new Rests() : undefined;
      const rows = new PackedRows(batch);
      let together: Put[] = [];
      for (let row = rows.next(); row !== undefined; row = rows.next()) {
        const own = keys[row.program];
        if (own === undefined) continue; // its function was deleted meanwhile
        if (together.push({ keys: own, row }) < TOGETHER) continue;
        this.#put(this.#insertTogether, together);
        together = [];
        rests?.mayTake();
      }
      for (const put of together) this.#put(this.#insert, [put]);
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
    const columns: Cell[] = [];
    for (const [index, put] of puts.entries()) addColumns(columns, put, first + index);
    const areAllNew = insert.run(...columns).changes === puts.length;
    const details: Cell[] = [];
    for (const [index, put] of puts.entries()) {
      const sequence = first + index;
      const stored = areAllNew ? undefined : this.#storedAs(put);
      if (stored === undefined || stored.sequence === sequence) {
        this.counts.add(put.keys.functionKey, 1);
        addDetails(details, put, sequence);
        this.#tell(put, sequence);
      } else if (statusOf(stored.outcome) === "running") {
        this.#insertAllDetails(details); // those that it replaces may be among them
        this.#replaceBy(put, stored);
      }
    }
    this.#insertAllDetails(details);
  }

  /** @param details is empty afterwards */
  #insertAllDetails(details: Cell[]): void {
    if (details.length === TOGETHER * DETAILS) this.#insertDetailsTogether.run(...details);
    else
      for (let at = 0; at < details.length; at += DETAILS) this.#insertDetails.run(...details.slice(at, at + DETAILS));
    details.length = 0;
  }

  #storedAs({ row }: Put): StoredRow {
    return this.#select.get(row.id) as object as StoredRow;
  }

  #replaceBy(put: Put, stored: StoredRow): void {
    const { sequence } = stored;
    const columns: Cell[] = [];
    addColumns(columns, put, sequence);
    this.#replace.run(...columns);
    this.#removeDetails.run(sequence);
    const details: Cell[] = [];
    addDetails(details, put, sequence);
    this.#insertAllDetails(details);
    if ((stored.flags & FLAGS.hasWords) !== 0) this.#removeWords.run(sequence);
    this.counts.add(stored.function_key, -1);
    this.counts.add(put.keys.functionKey, 1);
    this.#tell(put, sequence);
  }

  /** What is told of an execution beside its row. */
  #tell({ keys: { programKey, functionKey }, row }: Put, sequence: number): void {
    const { outcome, queuedAtMs, runMs, flags, extra } = row;
    const { error = null, lines = null } = extra ?? {};
    if (error !== null || lines !== null) {
      this.#insertWords.run(sequence, indexWords(sequence, { functionKey, programKey, outcome }, error, lines));
    }
    this.blocks.add(sequence, queuedAtMs);
    this.#count({ functionKey, outcome }, queuedAtMs, runMs, flags, row.cpuMs ?? 0, row.peakKib ?? 0);
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

function places(rows: number, columns: number): string {
  return Array<string>(rows)
    .fill(`(${"?, ".repeat(columns - 1)}?)`)
    .join(", ");
}

/** In the table's order. */
function addColumns(columns: Cell[], { keys, row }: Put, sequence: number): void {
  const { error = null, errorLine = null, errorTip = null, lines = null } = row.extra ?? {};
  const hasWords = error !== null || lines !== null;
  columns.push(
    sequence,
    row.id,
    keys.programKey,
    keys.functionKey,
    row.outcome,
    row.queuedAtMs,
    row.waitMs,
    row.runMs,
    row.flags | (hasWords ? FLAGS.hasWords : 0),
    row.httpStatus,
    error,
    errorLine,
    errorTip,
    row.cpuMs,
    row.peakKib,
  );
}

/** The same of the table of details, where there are any. */
function addDetails(details: Cell[], { row: { event, extra } }: Put, sequence: number): void {
  const { response = null, lines = null } = extra ?? {};
  if (event !== null || response !== null || lines !== null) details.push(sequence, event, response, lines);
}
