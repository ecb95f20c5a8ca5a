import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StoredBlob } from "../store.ts";

/** The bytes of all artifacts, each once however many versions have it. Call its changes within a transaction. */
export class BlobsTable {
  readonly #insert: StatementSync;
  readonly #selectId: StatementSync;
  readonly #select: StatementSync;
  readonly #removeUnused: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare("INSERT INTO blobs (sha256, size_bytes, bytes) VALUES (?, ?, ?) RETURNING id");
    this.#selectId = database.prepare("SELECT id FROM blobs WHERE sha256 = ?");
    this.#select = database.prepare("SELECT bytes FROM blobs WHERE sha256 = ?");
    this.#removeUnused = database.prepare(`
      DELETE FROM blobs WHERE id = $id
        AND NOT EXISTS (SELECT 1 FROM versions WHERE native_blob = $id)
        AND NOT EXISTS (SELECT 1 FROM versions WHERE wasm_blob = $id)
    `);
  }

  /** Its id. Bytes that are there already are not written again. */
  add({ hash, sizeBytes }: StoredBlob, bytes: Uint8Array): number {
    return Number((this.#selectId.get(hash) ?? this.#insert.get(hash, sizeBytes, bytes))?.["id"]);
  }

  find(hash: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#select.get(hash)?.["bytes"] as Uint8Array<ArrayBuffer> | undefined;
  }

  /** Removes those of these that no version has any more. */
  removeUnused(ids: readonly number[]): void {
    for (const id of ids) this.#removeUnused.run({ id });
  }
}
