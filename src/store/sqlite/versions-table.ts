import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { StoredVersion } from "../store.ts";
import type { NewVersion } from "./sqlite-calls.ts";
import { durableTransaction } from "./transaction.ts";

interface VersionRow {
  readonly number: number;
  readonly language: string;
  readonly text: string;
  readonly egress: string | null;
  readonly created_at_ms: number;
}

const SELECT =
  "SELECT number, language, text, egress, created_at_ms FROM versions JOIN sources ON sources.id = source_id";

/** The uploads of every function. */
export class VersionsTable {
  readonly #database: DatabaseSync;
  readonly #insertSource: StatementSync;
  readonly #insertVersion: StatementSync;
  readonly #selectNumber: StatementSync;
  readonly #selectLatest: StatementSync;
  readonly #selectAny: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insertSource = database.prepare("INSERT INTO sources (sha256, text) VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#insertVersion = database.prepare(`
      INSERT INTO versions (function_name, number, language, source_id, egress, created_at_ms)
      SELECT
        $functionName,
        max($seconds, (SELECT coalesce(max(number), 0) + 1 FROM versions WHERE function_name = $functionName)),
        $language,
        (SELECT id FROM sources WHERE sha256 = $sha256),
        $egress,
        $nowMs
      RETURNING number
    `);
    this.#selectNumber = database.prepare(`${SELECT} WHERE function_name = ? AND number = ?`);
    this.#selectLatest = database.prepare(`${SELECT} WHERE function_name = ? ORDER BY number DESC LIMIT 1`);
    this.#selectAny = database.prepare("SELECT 1 FROM versions WHERE function_name = ? LIMIT 1");
  }

  add(upload: NewVersion): StoredVersion {
    const functionName = upload.functionName.toWellFormed();
    const language = upload.language.toWellFormed();
    const source = upload.source.toWellFormed();
    const egress = upload.egress === undefined ? null : JSON.stringify(upload.egress);
    const sha256 = createHash("sha256").update(source).digest();
    const seconds = Math.floor(upload.nowMs / 1000);

    const number = durableTransaction(this.#database, () => {
      this.#insertSource.run(sha256, source);
      const { nowMs } = upload;
      const row = this.#insertVersion.get({ functionName, seconds, language, sha256, egress, nowMs });
      return Number(row?.["number"]);
    });
    return { functionName, number, language, source, egress: upload.egress, createdAtMs: upload.nowMs };
  }

  find(functionName: string, number: number | undefined): StoredVersion | undefined {
    const found =
      number === undefined ? this.#selectLatest.get(functionName) : this.#selectNumber.get(functionName, number);
    if (found === undefined) return undefined;
    const row = found as object as VersionRow;
    return {
      functionName: functionName.toWellFormed(),
      number: row.number,
      language: row.language,
      source: row.text,
      egress: row.egress === null ? undefined : (JSON.parse(row.egress) as EgressPolicy),
      createdAtMs: row.created_at_ms,
    };
  }

  has(functionName: string): boolean {
    return this.#selectAny.get(functionName) !== undefined;
  }
}
