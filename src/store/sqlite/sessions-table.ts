import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Scope } from "../../core/access.ts";
import type { StoredSession } from "../store.ts";
import { durableTransaction } from "./transaction.ts";

/** Browsers that have logged in. Those of a key go with it: the schema sees to that. */
export class SessionsTable {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #selectAll: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteExpired: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare("INSERT INTO sessions VALUES (?, ?, ?, ?)");
    this.#selectAll = database.prepare("SELECT * FROM sessions ORDER BY expires_at_ms, hash");
    this.#delete = database.prepare("DELETE FROM sessions WHERE hash = ?");
    this.#deleteExpired = database.prepare("DELETE FROM sessions WHERE expires_at_ms <= ?");
  }

  add({ hash, keyId, scope, expiresAtMs }: StoredSession): void {
    durableTransaction(this.#database, () => this.#insert.run(hash, keyId ?? null, scope, expiresAtMs));
  }

  list(nowMs: number): StoredSession[] {
    this.#deleteExpired.run(nowMs);
    return this.#selectAll.all().map((row) => ({
      hash: String(row["hash"]),
      keyId: typeof row["key_id"] === "string" ? row["key_id"] : undefined,
      scope: row["scope"] as Scope,
      expiresAtMs: Number(row["expires_at_ms"]),
    }));
  }

  remove(hash: string): boolean {
    return durableTransaction(this.#database, () => this.#delete.run(hash).changes === 1);
  }
}
