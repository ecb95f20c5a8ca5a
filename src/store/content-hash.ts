import { contentHash } from "../core/id.ts";
import type { ArtifactMode } from "../core/program.ts";

/** SHA-256 over language, entry, all files and artifacts, hexadecimal; the order in which they come does not matter. */
export function hashContent(content: {
  readonly language: string;
  readonly source: string;
  readonly entry: string | undefined;
  readonly files: Readonly<Record<string, string>>;
  /** SHA-256 of each, hexadecimal. */
  readonly artifacts?: Readonly<Partial<Record<ArtifactMode, string>>>;
}): string {
  const parts = [content.language, content.entry ?? "", content.source];
  for (const path of Object.keys(content.files).sort()) parts.push(path, content.files[path] ?? "");
  const { native, wasm } = content.artifacts ?? {};
  if (native !== undefined) parts.push("\0native", native); // no file has such a path
  if (wasm !== undefined) parts.push("\0wasm", wasm);
  return contentHash(...parts);
}
