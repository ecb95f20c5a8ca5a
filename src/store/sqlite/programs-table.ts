import type { DatabaseSync, StatementSync } from "node:sqlite";
import { NO_FUNCTION } from "./function-keys.ts";
import type { FunctionKeys } from "./function-keys.ts";

const MAX_KNOWN = 10_000; // some hundred bytes each

/** What was run. An execution of ad-hoc code has no function. */
export interface Program {
  readonly functionId: string | undefined;
  readonly functionName: string | undefined;
  readonly version: number | undefined;
  readonly language: string;
}

export interface ProgramKeys {
  readonly programKey: number;
  readonly functionKey: number;
}

/** What is asked for by a filter; at least one of them. */
export interface WantedPrograms {
  readonly functionKey?: number | undefined;
  readonly functionName?: string | undefined;
  readonly version?: number | undefined;
}

/** What executions ran, each stored once. Call its changes within a transaction. */
export class ProgramsTable {
  readonly #database: DatabaseSync;
  readonly #functions: FunctionKeys;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #clear: StatementSync;
  readonly #selectOf: StatementSync;
  readonly #known = new Map<string, ProgramKeys>();

  constructor(database: DatabaseSync, functions: FunctionKeys) {
    this.#database = database;
    this.#functions = functions;
    this.#select = database.prepare(`
      SELECT key FROM programs
      WHERE function_key = $functionKey AND version IS $version AND function_name IS $functionName AND language = $language
    `);
    this.#insert = database.prepare(`
      INSERT INTO programs (function_key, version, function_name, language)
      VALUES ($functionKey, $version, $functionName, $language) RETURNING key
    `);
    this.#selectOf = database.prepare("SELECT key FROM programs WHERE function_key = ?");
    this.#clear = database.prepare("DELETE FROM programs WHERE function_key = ?");
  }

  /** Undefined where its function was deleted. */
  findOrAdd(program: Program): ProgramKeys | undefined {
    const name = programName(program);
    const known = this.#known.get(name);
    const functionKey = program.functionId === undefined ? NO_FUNCTION : this.#functions.findOrAdd(program.functionId);
    if (functionKey === undefined) return undefined;
    if (known?.functionKey === functionKey) return known;
    const row = {
      functionKey,
      version: program.version ?? null,
      functionName: program.functionName ?? null,
      language: program.language,
    };
    const programKey = Number((this.#select.get(row) ?? this.#insert.get(row))?.["key"]);
    const found = { programKey, functionKey };
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(name, found);
    return found;
  }

  /** All of a function, be it deleted or not. */
  listOf(functionKey: number): number[] {
    return this.#selectOf.all(functionKey).map((row) => Number(row["key"]));
  }

  /** Those that a filter means, in no order; none of a deleted function. */
  list(wanted: WantedPrograms): number[] {
    const columns = [
      ["function_key", wanted.functionKey],
      ["function_name", wanted.functionName],
      ["version", wanted.version],
    ] as const;
    const given = columns.filter(([, value]) => value !== undefined);
    const where = given.map(([column]) => `${column} = ?`).join(" AND ");
    const hidden = [...this.#functions.toClear].join(", ");
    return this.#database
      .prepare(`SELECT key FROM programs WHERE ${where} AND function_key NOT IN (${hidden})`)
      .all(...given.flatMap(([, value]) => (value === undefined ? [] : [value])))
      .map((row) => Number(row["key"]));
  }

  /** Removes those of a deleted function of which no execution is left. */
  clear(functionKey: number): void {
    this.#clear.run(functionKey);
    this.#known.clear();
  }

  /** After a transaction that was rolled back. */
  forget(): void {
    this.#known.clear();
  }
}

/** A text that no other program has. */
function programName({ functionId, functionName, version, language }: Program): string {
  return `${version} ${functionId?.length} ${functionId} ${language.length} ${language} ${functionName?.length} ${functionName}`;
}
