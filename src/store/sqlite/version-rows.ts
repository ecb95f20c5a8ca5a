import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { Style } from "../../core/function.ts";
import type { ArtifactMode } from "../../core/program.ts";
import type { StoredBlob, VersionSummary } from "../store.ts";

/** A version without its texts. */
export interface SummaryRow {
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
  readonly native_hash: string | null;
  readonly native_bytes: number | null;
  readonly wasm_hash: string | null;
  readonly wasm_bytes: number | null;
  readonly mode: string | null;
  readonly upload_id: string | null;
  readonly upload_label: string | null;
  readonly upload_description: string | null;
}

export const COLUMNS = `
  functions.id AS function_id, name AS function_name, number, versions.language, entry, style, egress, created_by,
  versions.created_at_ms, content_hash, versions.size_bytes, mode, upload_id, upload_label, upload_description,
  native.sha256 AS native_hash, native.size_bytes AS native_bytes, wasm.sha256 AS wasm_hash, wasm.size_bytes AS wasm_bytes
`;
export const TABLES = `
  versions JOIN functions ON functions.key = function_key
  LEFT JOIN blobs AS native ON native.id = native_blob
  LEFT JOIN blobs AS wasm ON wasm.id = wasm_blob
`;

export function toSummary(row: SummaryRow): VersionSummary {
  const artifacts: Partial<Record<ArtifactMode, StoredBlob>> = {};
  if (row.native_hash !== null) artifacts.native = { hash: row.native_hash, sizeBytes: row.native_bytes ?? 0 };
  if (row.wasm_hash !== null) artifacts.wasm = { hash: row.wasm_hash, sizeBytes: row.wasm_bytes ?? 0 };
  const { upload_id: id, upload_label: label, upload_description: description } = row;
  return {
    functionId: row.function_id,
    functionName: row.function_name,
    number: row.number,
    language: row.language,
    entry: row.entry ?? undefined,
    artifacts,
    mode: (row.mode as ArtifactMode | null) ?? undefined,
    upload: id === null ? undefined : { id, label: label ?? "", description: description ?? "" },
    style: (row.style as Style | null) ?? undefined,
    egress: row.egress === null ? undefined : (JSON.parse(row.egress) as EgressPolicy),
    createdBy: row.created_by ?? undefined,
    createdAtMs: row.created_at_ms,
    contentHash: row.content_hash,
    sizeBytes: row.size_bytes,
  };
}
