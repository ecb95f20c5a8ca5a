import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StoredVariable } from "../store.ts";
import type { FunctionsTable } from "./functions-table.ts";
import { durableTransaction } from "./transaction.ts";

/** Variables and secrets of functions. */
export class VariablesTable {
  readonly #database: DatabaseSync;
  readonly #functions: FunctionsTable;
  readonly #put: StatementSync;
  readonly #selectAll: StatementSync;
  readonly #selectSecret: StatementSync;
  readonly #delete: StatementSync;
  readonly #deletePlain: StatementSync;
  readonly #clear: StatementSync;

  constructor(database: DatabaseSync, functions: FunctionsTable) {
    this.#database = database;
    this.#functions = functions;
    this.#put = database.prepare("INSERT OR REPLACE INTO variables VALUES (?, ?, ?, ?)");
    this.#selectAll = database.prepare(
      "SELECT name, secret, value FROM variables WHERE function_key = ? ORDER BY name",
    );
    this.#selectSecret = database.prepare("SELECT secret FROM variables WHERE function_key = ? AND name = ?");
    this.#delete = database.prepare("DELETE FROM variables WHERE function_key = ? AND name = ? AND secret = ?");
    this.#deletePlain = database.prepare("DELETE FROM variables WHERE function_key = ? AND secret = 0");
    this.#clear = database.prepare("DELETE FROM variables WHERE function_key = ?");
  }

  list(functionId: string): StoredVariable[] {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) return [];
    return this.#selectAll.all(key).map((row) => {
      const [name, value] = [String(row["name"]), String(row["value"])];
      return row["secret"] === 1 ? { name, secret: true, sealed: value } : { name, secret: false, value };
    });
  }

  replace(functionId: string, values: Readonly<Record<string, string>>, nowMs: number): "done" | "missing" | "taken" {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) return "missing";
    const names = Object.keys(values);
    if (names.some((name) => this.#selectSecret.get(key, name)?.["secret"] === 1)) return "taken";
    durableTransaction(this.#database, () => {
      this.#deletePlain.run(key);
      for (const [name, value] of Object.entries(values)) this.#put.run(key, name, 0, value);
      this.#functions.touch(key, nowMs);
    });
    return "done";
  }

  put(functionId: string, variable: StoredVariable, nowMs: number): "done" | "missing" | "taken" {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) return "missing";
    const secret = Number(variable.secret);
    const stored = this.#selectSecret.get(key, variable.name);
    if (stored !== undefined && stored["secret"] !== secret) return "taken";
    durableTransaction(this.#database, () => {
      this.#put.run(key, variable.name, secret, variable.secret ? variable.sealed : variable.value);
      this.#functions.touch(key, nowMs);
    });
    return "done";
  }

  delete(functionId: string, wanted: { name: string; secret: boolean }, nowMs: number): boolean {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) return false;
    return durableTransaction(this.#database, () => {
      const isThere = this.#delete.run(key, wanted.name, Number(wanted.secret)).changes === 1;
      if (isThere) this.#functions.touch(key, nowMs);
      return isThere;
    });
  }

  /** Removes all of a function that is being deleted, within the transaction. */
  clear(key: number): void {
    this.#clear.run(key);
  }
}
