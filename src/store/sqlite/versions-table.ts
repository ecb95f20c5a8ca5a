import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { Style } from "../../core/function.ts";
import { DEFAULT_SETTINGS } from "../../core/function.ts";
import type { NewVersion, Page, StoredVersion, VersionSummary } from "../store.ts";
import type { AliasesTable } from "./aliases-table.ts";
import { hashContent } from "./content-hash.ts";
import { decodeCursor, pageOf, wholeLimit } from "./cursor.ts";
import type { FunctionsTable } from "./functions-table.ts";
import { SourcesTable } from "./sources-table.ts";
import { durableTransaction } from "./transaction.ts";

interface SummaryRow {
  readonly function_id: string;
  readonly function_name: string;
  readonly number: number;
  readonly language: string;
  readonly entry: string | null;
  readonly style: string | null;
  readonly egress: string | null;
  readonly created_by: string | null;
  readonly created_at_ms: number;
  readonly content_hash: string;
  readonly size_bytes: number;
}

const COLUMNS = `
  functions.id AS function_id, name AS function_name, number, versions.language, entry, style, egress, created_by,
  versions.created_at_ms, content_hash, size_bytes
`;
const TABLES = "versions JOIN functions ON functions.key = function_key";
const SELECT = `SELECT ${COLUMNS}, text FROM ${TABLES} JOIN sources ON sources.id = source_id`;

/** The uploads of every function. */
export class VersionsTable {
  readonly #database: DatabaseSync;
  readonly #functions: FunctionsTable;
  readonly #aliases: AliasesTable;
  readonly #sources: SourcesTable;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #selectPage: StatementSync;
  readonly #selectSame: StatementSync;
  readonly #selectSome: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync, functions: FunctionsTable, aliases: AliasesTable) {
    this.#database = database;
    this.#functions = functions;
    this.#aliases = aliases;
    this.#sources = new SourcesTable(database);
    this.#insert = database.prepare(`
      INSERT INTO versions (
        function_key, number, language, source_id, entry, style, egress, created_by, created_at_ms, content_hash, size_bytes
      ) VALUES (
        $key, $number, $language, $sourceId, $entry, $style, $egress, $createdBy, $createdAtMs, $contentHash, $sizeBytes
      )
    `);
    this.#select = database.prepare(`${SELECT} WHERE function_key = ? AND number = ?`);
    this.#selectPage = database.prepare(`
      SELECT ${COLUMNS} FROM ${TABLES} WHERE function_key = ? AND number < ? ORDER BY number DESC LIMIT ?
    `);
    this.#selectSame = database.prepare(`
      SELECT number FROM versions
      WHERE function_key = $key AND content_hash = $contentHash AND egress IS $egress AND style IS $style
      ORDER BY number DESC LIMIT 1
    `);
    this.#selectSome = database.prepare("SELECT number FROM versions WHERE function_key = ? LIMIT ?");
    this.#delete = database.prepare("DELETE FROM versions WHERE function_key = ? AND number = ?");
  }

  add(upload: NewVersion): { version: StoredVersion; isNew: boolean } {
    const { nowMs } = upload;
    const name = upload.functionName.toWellFormed();
    const language = upload.language.toWellFormed();
    const source = upload.source.toWellFormed();
    const entry = upload.entry?.toWellFormed();
    const files: Record<string, string> = {};
    for (const [path, text] of Object.entries(upload.files ?? {})) files[path.toWellFormed()] = text.toWellFormed();
    const content = {
      egress: upload.egress === undefined ? null : JSON.stringify(upload.egress),
      style: upload.style ?? null,
      contentHash: hashContent({ language, source, entry, files }),
    };
    const texts = [source, ...Object.values(files)];

    return durableTransaction(this.#database, () => {
      const owner = this.#functions.find({ name });
      const key =
        owner === undefined
          ? this.#functions.insert({ name, settings: DEFAULT_SETTINGS, nowMs }).key
          : this.#keyOf(owner.id);
      const same = upload.reuse === true ? this.#selectSame.get({ key, ...content }) : undefined;
      const number =
        same === undefined ? this.#functions.nextVersion(key, Math.floor(nowMs / 1000)) : Number(same["number"]);
      if (same === undefined) {
        this.#insert.run({
          key,
          number,
          language,
          sourceId: this.#sources.add(source),
          entry: entry ?? null,
          createdBy: upload.createdBy?.toWellFormed() ?? null,
          createdAtMs: nowMs,
          sizeBytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
          ...content,
        });
        this.#sources.addFiles(key, number, files);
      }
      if (upload.activate !== false) {
        if (owner?.activeVersion !== number) this.#functions.activate(key, { number, language }, nowMs);
      } else if (same === undefined) this.#functions.touch(key, nowMs);
      return { version: this.#read(key, number), isNew: same === undefined };
    });
  }

  find(functionId: string, number: number | undefined): StoredVersion | undefined {
    const key = this.#functions.keyOf(functionId);
    const wanted = number ?? this.#functions.find({ id: functionId })?.activeVersion;
    if (key === undefined || wanted === undefined || !this.#has(key, wanted)) return undefined;
    return this.#read(key, wanted);
  }

  list(functionId: string, query: { limit: number; cursor?: string | undefined }): Page<VersionSummary> {
    const key = this.#functions.keyOf(functionId);
    const limit = wholeLimit(query.limit);
    const place = query.cursor === undefined ? [Number.MAX_SAFE_INTEGER] : decodeCursor(query.cursor, [0] as const);
    if (key === undefined || place === undefined) return { items: [], cursor: undefined };
    const rows = this.#selectPage.all(key, place[0] ?? 0, limit + 1) as object[] as SummaryRow[];
    return pageOf(rows.map(toSummary), limit, (version) => [version.number]);
  }

  activate(functionId: string, number: number, nowMs: number): "done" | "missing" {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined || !this.#has(key, number)) return "missing";
    const { language } = this.#read(key, number);
    durableTransaction(this.#database, () => this.#functions.activate(key, { number, language }, nowMs));
    return "done";
  }

  delete(functionId: string, number: number, nowMs: number): "done" | "missing" | "in-use" {
    const owner = this.#functions.find({ id: functionId });
    if (owner === undefined) return "missing";
    const key = this.#keyOf(functionId);
    if (!this.#has(key, number)) return "missing";
    const aliases = this.#aliases.list(functionId);
    const isAliased = aliases.some(({ targets }) => targets.some((target) => target.version === number));
    if (owner.activeVersion === number || isAliased) return "in-use";
    durableTransaction(this.#database, () => {
      this.#remove(key, number);
      this.#functions.touch(key, nowMs);
    });
    return "done";
  }

  /** Removes at most `limit` versions of a deleted function, within a transaction; returns how many. */
  clear(key: number, limit: number): number {
    const numbers = this.#selectSome.all(key, limit).map((row) => Number(row["number"]));
    for (const number of numbers) this.#remove(key, number);
    return numbers.length;
  }

  #remove(key: number, number: number): void {
    const sourceIds = this.#sources.of(key, number);
    this.#sources.removeFiles(key, number);
    this.#delete.run(key, number);
    this.#sources.removeUnused(sourceIds);
  }

  #keyOf(functionId: string): number {
    const key = this.#functions.keyOf(functionId);
    if (key === undefined) throw new Error(`function ${functionId} is gone`);
    return key;
  }

  #has(key: number, number: number): boolean {
    return this.#select.get(key, number) !== undefined;
  }

  #read(key: number, number: number): StoredVersion {
    const row = this.#select.get(key, number);
    if (row === undefined) throw new Error(`version ${number} of function ${key} is gone`);
    const files = this.#sources.files(key, number);
    return { ...toSummary(row as object as SummaryRow), source: String(row["text"]), files };
  }
}

function toSummary(row: SummaryRow): VersionSummary {
  return {
    functionId: row.function_id,
    functionName: row.function_name,
    number: row.number,
    language: row.language,
    entry: row.entry ?? undefined,
    style: (row.style as Style | null) ?? undefined,
    egress: row.egress === null ? undefined : (JSON.parse(row.egress) as EgressPolicy),
    createdBy: row.created_by ?? undefined,
    createdAtMs: row.created_at_ms,
    contentHash: row.content_hash,
    sizeBytes: row.size_bytes,
  };
}
