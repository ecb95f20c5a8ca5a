import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ExecutionSummary } from "../../core/execution.ts";
import type { ExecutionQuery, Page } from "../store.ts";
import { filterOf } from "./execution-filter.ts";
import type { ExecutionFilter } from "./execution-filter.ts";
import { SELECT_SUMMARY, toSummary } from "./execution-rows.ts";
import type { SummaryRow } from "./execution-rows.ts";
import { TextSearch } from "./execution-text-search.ts";
import { MAX_QUERY_WORDS, wordsOf } from "../words.ts";
import type { ExecutionsTable } from "./executions-table.ts";
import type { FunctionKeys } from "./function-keys.ts";

/**
 * Lists of executions. Whatever is asked for, rows are taken from the ends of index prefixes that hold nothing else, and
 * merged here: SQL would sort them all, or pass over all others, where a prefix leaves its last column open.
 */
export class ExecutionSearch {
  readonly #database: DatabaseSync;
  readonly #functions: FunctionKeys;
  readonly #executions: ExecutionsTable;
  readonly #text: TextSearch;

  constructor(database: DatabaseSync, functions: FunctionKeys, executions: ExecutionsTable) {
    this.#database = database;
    this.#functions = functions;
    this.#executions = executions;
    this.#text = new TextSearch(database);
  }

  list(query: ExecutionQuery): Page<ExecutionSummary> {
    const limit = Math.max(0, Math.floor(query.limit));
    const below = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(query.cursor);
    const filter =
      limit === 0
        ? undefined
        : filterOf(query, below, {
            functions: this.#functions,
            programs: this.#executions.programs,
            blocks: this.#executions.blocks,
          });
    if (filter === undefined) return { items: [], cursor: undefined };
    const words = query.text === undefined ? [] : [...wordsOf(query.text)].slice(0, MAX_QUERY_WORDS);
    const sequences = words.length === 0 ? this.#walk(filter, limit + 1) : this.#text.find(filter, words, limit + 1);

    const page = sequences.slice(0, limit);
    const select = this.#database.prepare(`${SELECT_SUMMARY} WHERE sequence = ?`);
    const rows = page.map((sequence) => select.get(sequence) as object as SummaryRow);
    return {
      items: rows.map((row) => toSummary(row, this.#functions)),
      cursor: sequences.length > limit ? String(page.at(-1)) : undefined,
    };
  }

  /** The `wanted` highest sequences that the filter lets through, the highest first. */
  #walk(filter: ExecutionFilter, wanted: number): number[] {
    const { select, prefixes } = this.#source(filter);
    const sequences: number[] = [];
    for (const { low, high } of filter.ranges) {
      const missing = wanted - sequences.length;
      const found = prefixes.flatMap((prefix) =>
        select.all(...prefix, low, high, ...filter.values, missing).map((row) => Number(row["sequence"])),
      );
      if (prefixes.length > 1) found.sort((a, b) => b - a);
      sequences.push(...found.slice(0, missing));
      if (sequences.length >= wanted) break;
    }
    return sequences;
  }

  #source({ programs, outcomes, conditions }: ExecutionFilter): { select: StatementSync; prefixes: number[][] } {
    const selectFrom = (place: string, columns: readonly string[]): StatementSync => {
      const equal = columns.map((column) => `${column} = ?`);
      const where = [...equal, "sequence >= ?", "sequence < ?", ...conditions].join(" AND ");
      return this.#database.prepare(`SELECT sequence FROM ${place} WHERE ${where} ORDER BY sequence DESC LIMIT ?`);
    };
    if (programs !== undefined) {
      return {
        select: selectFrom("executions INDEXED BY executions_by_program", ["program_key", "outcome"]),
        prefixes: programs.flatMap((program) =>
          (outcomes ?? this.#executions.outcomesOf(program)).map((outcome) => [program, outcome]),
        ),
      };
    }
    if (outcomes !== undefined) {
      return {
        select: selectFrom("executions INDEXED BY executions_by_outcome", ["outcome"]),
        prefixes: outcomes.map((outcome) => [outcome]),
      };
    }
    return { select: selectFrom("executions", []), prefixes: [[]] };
  }
}

/** 0, before which there is nothing, for a cursor that is not ours. */
function parseCursor(cursor: string): number {
  return /^[1-9]\d{0,14}$/.test(cursor) ? Number(cursor) : 0;
}
