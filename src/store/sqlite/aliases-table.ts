import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AliasTarget } from "../../core/function.ts";
import type { StoredAlias } from "../store.ts";
import type { FunctionsTable } from "./functions-table.ts";
import { durableTransaction } from "./transaction.ts";

/** Names for versions, within each function. */
export class AliasesTable {
  readonly #database: DatabaseSync;
  readonly #functions: FunctionsTable;
  readonly #put: StatementSync;
  readonly #select: StatementSync;
  readonly #delete: StatementSync;
  readonly #clear: StatementSync;
  readonly #selectVersion: StatementSync;

  constructor(database: DatabaseSync, functions: FunctionsTable) {
    this.#database = database;
    this.#functions = functions;
    this.#put = database.prepare("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)");
    this.#select = database.prepare("SELECT name, targets FROM aliases WHERE function_key = ? ORDER BY name");
    this.#delete = database.prepare("DELETE FROM aliases WHERE function_key = ? AND name = ?");
    this.#clear = database.prepare("DELETE FROM aliases WHERE function_key = ?");
    this.#selectVersion = database.prepare("SELECT 1 FROM versions WHERE function_key = ? AND number = ?");
  }

  put(functionId: string, { name, targets }: StoredAlias, nowMs: number): boolean {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) return false;
    if (!targets.every(({ version }) => this.#selectVersion.get(key, version) !== undefined)) return false;
    durableTransaction(this.#database, () => {
      this.#put.run(key, name.toWellFormed(), JSON.stringify(targets));
      this.#functions.touch(key, nowMs);
    });
    return true;
  }

  list(functionId: string): StoredAlias[] {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) return [];
    return this.#select.all(key).map((row) => ({
      name: String(row["name"]),
      targets: JSON.parse(String(row["targets"])) as AliasTarget[],
    }));
  }

  delete(functionId: string, name: string): boolean {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) return false;
    return durableTransaction(this.#database, () => this.#delete.run(key, name).changes === 1);
  }

  /** Removes all of a deleted function, within a transaction. */
  clear(key: number): void {
    this.#clear.run(key);
  }
}
