import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** The texts of all versions, each once however often it is uploaded. Call its changes within a transaction. */
export class SourcesTable {
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #insertFile: StatementSync;
  readonly #selectFiles: StatementSync;
  readonly #selectIds: StatementSync;
  readonly #removeFiles: StatementSync;
  readonly #removeUnused: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare("INSERT INTO sources (sha256, text) VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#select = database.prepare("SELECT id FROM sources WHERE sha256 = ?");
    this.#insertFile = database.prepare("INSERT INTO version_files VALUES (?, ?, ?, ?)");
    this.#selectFiles = database.prepare(`
      SELECT path, text FROM version_files JOIN sources ON sources.id = source_id
      WHERE function_key = ? AND number = ? ORDER BY path
    `);
    this.#selectIds = database.prepare(`
      SELECT source_id FROM versions WHERE function_key = $key AND number = $number
      UNION ALL SELECT source_id FROM version_files WHERE function_key = $key AND number = $number
    `);
    this.#removeFiles = database.prepare("DELETE FROM version_files WHERE function_key = ? AND number = ?");
    this.#removeUnused = database.prepare(`
      DELETE FROM sources WHERE id = $id
        AND NOT EXISTS (SELECT 1 FROM versions WHERE source_id = $id)
        AND NOT EXISTS (SELECT 1 FROM version_files WHERE source_id = $id)
    `);
  }

  /** Its id. */
  add(text: string): number {
    const sha256 = createHash("sha256").update(text).digest();
    this.#insert.run(sha256, text);
    return Number(this.#select.get(sha256)?.["id"]);
  }

  addFiles(functionKey: number, number: number, files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) this.#insertFile.run(functionKey, number, path, this.add(text));
  }

  files(functionKey: number, number: number): Record<string, string> {
    const rows = this.#selectFiles.all(functionKey, number);
    return Object.fromEntries(rows.map((row) => [String(row["path"]), String(row["text"])]));
  }

  /** The ids of all texts of a version. */
  of(functionKey: number, number: number): number[] {
    return this.#selectIds.all({ key: functionKey, number }).map((row) => Number(row["source_id"]));
  }

  removeFiles(functionKey: number, number: number): void {
    this.#removeFiles.run(functionKey, number);
  }

  /** Removes those of these that no version has any more. */
  removeUnused(ids: readonly number[]): void {
    for (const id of ids) this.#removeUnused.run({ id });
  }
}
