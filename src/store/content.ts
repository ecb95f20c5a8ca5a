import { createHash } from "node:crypto";
import type { ArtifactMode } from "../core/program.ts";
import { hashContent } from "./content-hash.ts";
import type { NewVersion, StoredBlob } from "./store.ts";

const MODES = ["native", "wasm"] as const satisfies readonly ArtifactMode[];

/** What a version consists of, as it is stored. */
export interface Content {
  readonly language: string;
  readonly source: string;
  readonly entry: string | undefined;
  readonly files: Readonly<Record<string, string>>;
  readonly artifacts: readonly { readonly mode: ArtifactMode; readonly bytes: Uint8Array; readonly blob: StoredBlob }[];
  readonly contentHash: string;
  readonly sizeBytes: number;
}

export function contentOf(upload: NewVersion): Content {
  const language = upload.language.toWellFormed();
  const source = upload.source.toWellFormed();
  const entry = upload.entry?.toWellFormed();
  const files: Record<string, string> = {};
  for (const [path, text] of Object.entries(upload.files ?? {})) files[path.toWellFormed()] = text.toWellFormed();
  const artifacts = MODES.flatMap((mode) => {
    const bytes = upload.artifacts?.[mode];
    return bytes === undefined ? [] : [{ mode, bytes, blob: blobOf(bytes) }];
  });
  const hashes = Object.fromEntries(artifacts.map(({ mode, blob }) => [mode, blob.hash]));
  const sizes = [source, ...Object.values(files)].map((text) => Buffer.byteLength(text));
  sizes.push(...artifacts.map(({ blob }) => blob.sizeBytes));
  return {
    ...{ language, source, entry, files, artifacts },
    contentHash: hashContent({ language, source, entry, files, artifacts: hashes }),
    sizeBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
  };
}

function blobOf(bytes: Uint8Array): StoredBlob {
  return { hash: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length };
}
