import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ExecutionFilter } from "./execution-filter.ts";
import { textOf, wordsOf } from "../words.ts";
import { unpackLines } from "./execution-lines.ts";
import { facetQuery, firstOfPart, partOf, wordQuery } from "./execution-words.ts";

// So few rows are read and checked one by one (15 us each), rather than looking for a common word in a part (3 ms).
const FEW_ROWS = 32;
const CHUNK_ROWS = 256;

/** Executions by the words of their logs and errors, part by part of the index, from the newest. */
export class TextSearch {
  readonly #database: DatabaseSync;
  readonly #match: StatementSync;
  readonly #selectText: StatementSync;
  readonly #selectBounds: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#match = database.prepare(`
      SELECT rowid FROM execution_words
      WHERE execution_words MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?
    `);
    this.#selectText = database.prepare(
      "SELECT error, lines FROM executions LEFT JOIN execution_details USING (sequence) WHERE sequence = ?",
    );
    this.#selectBounds = database.prepare(
      "SELECT (SELECT min(sequence) FROM executions) AS first, (SELECT max(sequence) FROM executions) AS last",
    );
  }

  /** The `wanted` highest sequences that the filter lets through and that have each word, or one that begins with it. */
  find(filter: ExecutionFilter, words: readonly string[], wanted: number): number[] {
    const bounds = this.#selectBounds.get();
    const low = Math.max(filter.ranges.at(-1)?.low ?? 0, Number(bounds?.["first"] ?? 0));
    const high = Math.min(filter.ranges[0]?.high ?? 0, Number(bounds?.["last"] ?? 0) + 1);
    if (low >= high) return [];
    const isLetThrough = this.#check(filter);
    const sequences: number[] = [];
    let ordered = words.toSorted((a, b) => b.length - a.length); // long words are rare, more often than not
    for (let part = partOf(high - 1); part >= partOf(low) && sequences.length < wanted; part--) {
      const within = { low: Math.max(low, firstOfPart(part)), high: Math.min(high, firstOfPart(part + 1)) };
      const facets = facetQuery(part, filter.facets);
      const few = this.#few(part, facets, ordered, within);
      if (few.rows !== undefined) {
        for (const sequence of few.rows) {
          if (isLetThrough(sequence) && this.#hasWords(sequence, words)) sequences.push(sequence);
        }
        continue;
      }
      if (few.common !== undefined) ordered = [...ordered.filter((word) => word !== few.common), few.common];
      const query = [...(facets === undefined ? [] : [facets]), ...words.map((word) => wordQuery(part, word))].join(
        " AND ",
      );
      for (let below = within.high; sequences.length < wanted;) {
        const rows = this.#rows(query, { low: within.low, high: below }, Math.max(wanted, CHUNK_ROWS));
        sequences.push(...rows.filter(isLetThrough));
        if (rows.length < Math.max(wanted, CHUNK_ROWS)) break;
        below = rows.at(-1) ?? 0;
      }
    }
    return sequences.slice(0, wanted);
  }

  /** Rows to check where one condition alone leaves few; else the word that was found to be common, if one was tried. */
  #few(
    part: number,
    facets: string | undefined,
    words: readonly string[],
    within: { low: number; high: number },
  ): { readonly rows?: number[]; readonly common?: string } {
    if (facets !== undefined) {
      const rows = this.#rows(facets, within, FEW_ROWS + 1);
      if (rows.length <= FEW_ROWS) return { rows };
    }
    const [rarest = ""] = words;
    if (words.length === 1) return {};
    const query = wordQuery(part, rarest);
    const rows = this.#rows(facets === undefined ? query : `${facets} AND ${query}`, within, FEW_ROWS + 1);
    return rows.length <= FEW_ROWS ? { rows } : { common: rarest };
  }

  #rows(query: string, { low, high }: { low: number; high: number }, limit: number): number[] {
    return this.#match.all(query, low, high, limit).map((row) => Number(row["rowid"]));
  }

  /** What the index of words does not know. */
  #check({ conditions, wordConditions, values }: ExecutionFilter): (sequence: number) => boolean {
    if (conditions.length + wordConditions.length === 0) return () => true;
    const where = ["sequence = ?", ...conditions, ...wordConditions].join(" AND ");
    const select = this.#database.prepare(`SELECT 1 FROM executions WHERE ${where}`);
    return (sequence) => select.get(sequence, ...values) !== undefined;
  }

  #hasWords(sequence: number, wanted: readonly string[]): boolean {
    const row = this.#selectText.get(sequence);
    if (row === undefined) return false;
    const [error, lines] = [row["error"], row["lines"]];
    const own = [
      ...wordsOf(
        textOf(typeof error === "string" ? error : undefined, unpackLines(typeof lines === "string" ? lines : null)),
      ),
    ];
    return wanted.every((word) => own.some((have) => have.startsWith(word)));
  }
}
