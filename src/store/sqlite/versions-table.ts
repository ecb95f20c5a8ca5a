import type { DatabaseSync, StatementSync } from "node:sqlite";
import { DEFAULT_SETTINGS } from "../../core/function.ts";
import type { ArtifactMode } from "../../core/program.ts";
import { contentOf } from "../content.ts";
import type { NewVersion, Page, StoredVersion, VersionSummary } from "../store.ts";
import type { AliasesTable } from "./aliases-table.ts";
import type { BlobsTable } from "./blobs-table.ts";
import { decodeCursor, pageOf, wholeLimit } from "../../core/cursor.ts";
import type { FunctionsTable } from "./functions-table.ts";
import { SourcesTable } from "./sources-table.ts";
import { durableTransaction } from "./transaction.ts";
import { COLUMNS, type SummaryRow, TABLES, toSummary } from "./version-rows.ts";

const SELECT = `SELECT ${COLUMNS}, text FROM ${TABLES} JOIN sources ON sources.id = source_id`;

/** The versions of every function. */
export class VersionsTable {
  readonly #database: DatabaseSync;
  readonly #functions: FunctionsTable;
  readonly #aliases: AliasesTable;
  readonly #sources: SourcesTable;
  readonly #blobs: BlobsTable;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #selectPage: StatementSync;
  readonly #selectSame: StatementSync;
  readonly #selectLabel: StatementSync;
  readonly #selectUpload: StatementSync;
  readonly #selectUploads: StatementSync;
  readonly #selectBlobs: StatementSync;
  readonly #selectSome: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync, functions: FunctionsTable, aliases: AliasesTable, blobs: BlobsTable) {
    this.#database = database;
    this.#functions = functions;
    this.#aliases = aliases;
    this.#sources = new SourcesTable(database);
    this.#blobs = blobs;
    this.#insert = database.prepare(`
      INSERT INTO versions (
        function_key, number, language, source_id, entry, style, egress, created_by, created_at_ms, content_hash, size_bytes,
        native_blob, wasm_blob, mode, upload_id, upload_label, upload_description
      ) VALUES (
        $key, $number, $language, $sourceId, $entry, $style, $egress, $createdBy, $createdAtMs, $contentHash, $sizeBytes,
        $native, $wasm, $mode, $uploadId, $label, $description
      )
    `);
    this.#select = database.prepare(`${SELECT} WHERE function_key = ? AND number = ?`);
    this.#selectPage = database.prepare(`
      SELECT ${COLUMNS} FROM ${TABLES} WHERE function_key = ? AND number < ? ORDER BY number DESC LIMIT ?
    `);
    this.#selectSame = database.prepare(`
      SELECT number FROM versions
      WHERE function_key = $key AND content_hash = $contentHash AND egress IS $egress AND style IS $style AND mode IS $mode
      ORDER BY number DESC LIMIT 1
    `);
    this.#selectLabel = database.prepare("SELECT 1 FROM versions WHERE function_key = ? AND upload_label = ?");
    this.#selectUpload = database.prepare(`SELECT ${COLUMNS} FROM ${TABLES} WHERE upload_id = ?`);
    this.#selectUploads = database.prepare(`
      SELECT ${COLUMNS} FROM ${TABLES}
      WHERE upload_id IS NOT NULL AND (versions.created_at_ms, number, upload_id) < ($ms, $number, $id)
      ORDER BY versions.created_at_ms DESC, number DESC, upload_id DESC LIMIT $limit
    `);
    this.#selectBlobs = database.prepare(
      "SELECT native_blob, wasm_blob FROM versions WHERE function_key = ? AND number = ?",
    );
    this.#selectSome = database.prepare("SELECT number FROM versions WHERE function_key = ? LIMIT ?");
    this.#delete = database.prepare("DELETE FROM versions WHERE function_key = ? AND number = ?");
  }

  /** `exists`: the function has a version with this label; `taken`: it is there and should not be. */
  add(upload: NewVersion): { version: StoredVersion; isNew: boolean } | "exists" | "taken" {
    const { nowMs, newFunction: settings = DEFAULT_SETTINGS } = upload;
    const name = upload.functionName.toWellFormed();
    const { language, source, entry, files, artifacts, contentHash, sizeBytes } = contentOf(upload);
    const content = {
      egress: upload.egress === undefined ? null : JSON.stringify(upload.egress),
      style: upload.style ?? null,
      mode: upload.mode ?? null,
      contentHash,
    };
    const label = upload.upload?.label.toWellFormed() ?? null;

    return durableTransaction(this.#database, () => {
      const owner = this.#functions.find({ name });
      if (owner !== undefined && upload.newFunction !== undefined) return "taken";
      if (label !== null && owner !== undefined) {
        if (this.#selectLabel.get(this.#keyOf(owner.id), label) !== undefined) return "exists";
      }
      const key = owner === undefined ? this.#functions.insert({ name, settings, nowMs }).key : this.#keyOf(owner.id);
      const same = upload.reuse === true ? this.#selectSame.get({ key, ...content }) : undefined;
      const number =
        same === undefined
          ? this.#functions.nextVersion(key, upload.number ?? Math.floor(nowMs / 1000))
          : Number(same["number"]);
      if (same === undefined) {
        const blobs: Record<ArtifactMode, number | null> = { native: null, wasm: null };
        for (const { mode, blob, bytes } of artifacts) blobs[mode] = this.#blobs.add(blob, bytes);
        this.#insert.run({
          key,
          number,
          language,
          sourceId: this.#sources.add(source),
          entry: entry ?? null,
          createdBy: upload.createdBy?.toWellFormed() ?? null,
          createdAtMs: nowMs,
          sizeBytes,
          uploadId: upload.upload?.id ?? null,
          label,
          description: upload.upload?.description.toWellFormed() ?? null,
          ...blobs,
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

  findUpload(id: string): VersionSummary | undefined {
    const row = this.#selectUpload.get(id);
    return row === undefined ? undefined : toSummary(row as object as SummaryRow);
  }

  listUploads(query: { limit: number; cursor?: string | undefined }): Page<VersionSummary> {
    const limit = wholeLimit(query.limit);
    const first = [Number.MAX_SAFE_INTEGER, 0, ""] as const;
    const place = query.cursor === undefined ? first : decodeCursor(query.cursor, [0, 0, ""] as const);
    if (place === undefined) return { items: [], cursor: undefined };
    const [ms, number, id] = place;
    const rows = this.#selectUploads.all({ ms, number, id, limit: limit + 1 }) as object[] as SummaryRow[];
    return pageOf(rows.map(toSummary), limit, ({ createdAtMs, number, upload }) => [
      createdAtMs,
      number,
      upload?.id ?? "",
    ]);
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
    const blobIds = Object.values(this.#selectBlobs.get(key, number) ?? {}).filter((id) => id !== null);
    this.#sources.removeFiles(key, number);
    this.#delete.run(key, number);
    this.#sources.removeUnused(sourceIds);
    this.#blobs.removeUnused(blobIds.map(Number));
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
