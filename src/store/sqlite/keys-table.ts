import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StoredKey } from "../store.ts";
import { durableTransaction } from "./transaction.ts";

const COLUMNS = "id, name, scope, hash, hint, created_at_ms AS createdAtMs";

export class KeysTable {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #selectAll: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare("INSERT INTO keys VALUES ($id, $name, $scope, $hash, $hint, $createdAtMs)");
    this.#selectAll = database.prepare(`SELECT ${COLUMNS} FROM keys ORDER BY created_at_ms, id`);
    this.#delete = database.prepare("DELETE FROM keys WHERE id = ?");
  }

  add({ id, name, scope, hash, hint, createdAtMs }: StoredKey): void {
    const row = { id, name: name.toWellFormed(), scope, hash, hint, createdAtMs };
    durableTransaction(this.#database, () => this.#insert.run(row));
  }

  list(): StoredKey[] {
    return this.#selectAll.all() as object[] as StoredKey[];
  }

  remove(id: string): boolean {
    return durableTransaction(this.#database, () => this.#delete.run(id).changes === 1);
  }
}
