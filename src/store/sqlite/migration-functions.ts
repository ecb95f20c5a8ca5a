import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { ExecutionStatus, Trigger } from "../../core/execution.ts";
import { newId } from "../../core/id.ts";
import { hashContent } from "../content-hash.ts";
import { indexWords } from "./execution-words.ts";
import { Histogram } from "../histogram.ts";
import { outcomeCode } from "./outcome-codes.ts";

const textOrNull = (value: SQLInputValue): string | null => (typeof value === "string" ? value : null);

/** What migrations compute that SQL cannot. A released migration relies on it, so what a function gives must not change. */
export function addMigrationFunctions(database: DatabaseSync): void {
  database.function("new_id", () => newId());
  database.function("lower_case", (text) => String(text).toLowerCase());
  database.function("content_hash", (language, source) =>
    hashContent({ language: String(language), source: String(source), entry: undefined, files: {} }),
  );
  database.function("outcome_code", (status, trigger) => outcomeCode(status as ExecutionStatus, trigger as Trigger));
  database.function("index_words", (sequence, functionKey, programKey, outcome, error, lines) =>
    indexWords(
      Number(sequence),
      { functionKey: Number(functionKey), programKey: Number(programKey), outcome: Number(outcome) },
      textOrNull(error),
      textOrNull(lines),
    ),
  );
  database.aggregate("histogram", {
    start: () => new Histogram() as never, // the types know values of SQL only
    step: (histogram: unknown, runMs: SQLInputValue) => {
      (histogram as Histogram).add(Number(runMs));
      return histogram as never;
    },
    result: (histogram: unknown) => (histogram as Histogram).encode(),
  });
}
