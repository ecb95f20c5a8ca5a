import { contentHash } from "../../core/id.ts";

/** SHA-256 over language, entry and all files, hexadecimal; the order in which the files come does not matter. */
export function hashContent(content: {
  readonly language: string;
  readonly source: string;
  readonly entry: string | undefined;
  readonly files: Readonly<Record<string, string>>;
}): string {
  const parts = [content.language, content.entry ?? "", content.source];
  for (const path of Object.keys(content.files).sort()) parts.push(path, content.files[path] ?? "");
  return contentHash(...parts);
}
