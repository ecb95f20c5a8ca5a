// Where the server found something wrong with the code, as the editor and the list below it show it.
import { ApiError } from "../../api/client.ts";
import type { Result } from "../../api/schema.ts";
import type { Problem } from "../../editor/code-editor.tsx";

interface Details {
  readonly line?: number;
  readonly file?: string;
  readonly message?: string;
  readonly name?: string;
  readonly tip?: string;
  readonly output?: string;
  readonly files?: readonly { readonly file: string; readonly line: number; readonly message: string }[];
}

export interface Rejection {
  readonly problems: readonly Problem[];
  /** Said of the code as a whole. */
  readonly message: string;
  readonly tip: string | undefined;
  /** The compiler's own words. */
  readonly output: string | undefined;
}

const REJECTED = new Set(["CODE_REJECTED", "BUILD_FAILED"]);

/** What a refused deployment says of the code; undefined where the code was not the reason. */
export function rejectionOf(error: unknown, entry: string, paths: readonly string[]): Rejection | undefined {
  if (!(error instanceof ApiError) || !REJECTED.has(error.code)) return undefined;
  const details = (error.details ?? {}) as Details;
  const found = details.files ?? [];
  const problems = found.map(({ file, line, message }) => ({ path: fileOf(file, entry, paths), line, message }));
  if (details.line !== undefined) {
    const message = details.message ?? error.message;
    problems.push({ path: fileOf(details.file, entry, paths), line: details.line, message });
  }
  return { problems, message: error.message, tip: details.tip, output: details.output };
}

/** A run's error at the line of the main file where it happened. */
export function problemOf(result: Result, entry: string): readonly Problem[] {
  const line = result.error?.line;
  return line === undefined ? [] : [{ path: entry, line, message: result.error?.message ?? "" }];
}

function fileOf(named: string | undefined, entry: string, paths: readonly string[]): string {
  if (named === undefined) return entry;
  return paths.find((path) => path === named || named.endsWith(`/${path}`)) ?? entry;
}
