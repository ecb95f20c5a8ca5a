// Code that came as one text or as several files, checked: nothing in it names a place outside of itself.
import { PlatformError } from "../core/errors.ts";
import type { Source } from "../core/program.ts";
import { nearestMain } from "./go-source.ts";

export const SOURCE_LIMITS = { files: 1000, totalBytes: 50 * 1024 * 1024, pathBytes: 255 } as const;
const MIB = 1024 * 1024;

const EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  javascript: ["js", "mjs", "cjs"],
  typescript: ["ts", "mts", "cts"],
  python: ["py"],
  lua: ["lua"],
  go: ["go"],
};
const ENTRY_NAMES = ["index", "main", "app"];

export interface GivenCode {
  readonly code?: string | undefined;
  /** By path, the main one included. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly entry?: string | undefined;
}

/**
 * @param codeBytes the most that a single text may have
 * @throws PlatformError INVALID_REQUEST, CODE_TOO_LARGE
 */
export function sourceOf(language: string, given: GivenCode, codeBytes: number): Source {
  const { code, files, entry } = given;
  if ((code === undefined) === (files === undefined)) throw invalid("code: either code or files is required, not both");
  if (code !== undefined) {
    if (entry !== undefined) throw invalid("entry: goes with files, not with code");
    if (code.trim() === "") throw invalid("code: must not be empty");
    const bytes = Buffer.byteLength(code);
    if (bytes <= codeBytes) return { text: code };
    throw new PlatformError("CODE_TOO_LARGE", `code: ${bytes} bytes (max ${codeBytes}, setting CODE_MAX_SIZE)`);
  }
  const all = new Map(Object.entries(files ?? {}));
  checkFiles(all);
  const path = entry ?? defaultEntry(language, all);
  const text = all.get(path);
  if (text === undefined) throw invalid(`entry: there is no file ${JSON.stringify(path)}`);
  all.delete(path);
  return { text, entry: path, files: Object.fromEntries(all) };
}

/** @throws PlatformError INVALID_REQUEST */
export function checkFilePath(path: string): void {
  const parts = path.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== ".." && part !== "__proto__");
  // oxlint-disable-next-line no-control-regex -- NUL ends a path for the kernel, and the others hide what a name says
  if (isPlain && !/[\u0000-\u001f\\]/.test(path) && Buffer.byteLength(path) <= SOURCE_LIMITS.pathBytes) return;
  throw invalid(
    `files: ${JSON.stringify(path.slice(0, 300))} is no path: relative, with / between names, neither "." nor "..", ` +
      `no backslash, no control character, ${SOURCE_LIMITS.pathBytes} bytes at most`,
  );
}

export function tooManyFiles(most: number = SOURCE_LIMITS.files): PlatformError {
  return invalid(`files: more than ${most} files`);
}

export function tooManyBytes(mostBytes: number = SOURCE_LIMITS.totalBytes): PlatformError {
  const most = `${mostBytes / MIB} MiB`;
  return new PlatformError("CODE_TOO_LARGE", `files: more than ${most} together`);
}

function checkFiles(files: ReadonlyMap<string, string>): void {
  if (files.size === 0) throw invalid("files: at least one is required");
  if (files.size > SOURCE_LIMITS.files) throw tooManyFiles();
  let bytes = 0;
  for (const [path, text] of files) {
    checkFilePath(path);
    bytes += Buffer.byteLength(path) + Buffer.byteLength(text);
  }
  checkFolders(files);
  if (bytes > SOURCE_LIMITS.totalBytes) throw tooManyBytes();
}

/** @throws PlatformError INVALID_REQUEST where a path leads through a file */
export function checkFolders(files: ReadonlyMap<string, unknown>): void {
  for (const path of files.keys()) {
    for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1)) {
      const folder = path.slice(0, end);
      if (files.has(folder)) throw invalid(`files: ${JSON.stringify(folder)} is both a file and a folder`);
    }
  }
}

function defaultEntry(language: string, files: ReadonlyMap<string, string>): string {
  const main = language === "go" ? nearestMain(files.keys()) : undefined;
  if (main !== undefined) return main;
  const extensions = EXTENSIONS[language] ?? [];
  const candidates = ENTRY_NAMES.flatMap((name) => extensions.map((extension) => `${name}.${extension}`));
  const [only, another] = files.keys();
  const found = candidates.find((path) => files.has(path)) ?? (another === undefined ? only : undefined);
  if (found !== undefined) return found;
  throw invalid(`entry: is required, since there is none of ${candidates.join(", ")}`);
}

function invalid(message: string): PlatformError {
  return new PlatformError("INVALID_REQUEST", message);
}
