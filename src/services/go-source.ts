// Go code on its way to the compiler: which folder of it is the program.
import { posix } from "node:path";
import { PlatformError } from "../core/errors.ts";
import type { Source } from "../core/program.ts";

const MAIN = "main.go";

export interface GoFiles {
  /** By path. */
  readonly files: Record<string, Buffer>;
  /** Which of the folders is the program; `""` for the root. */
  readonly folder: string;
}

/** The path of the `main.go` that is nearest the root; of several that are as near, the first by name. */
export function nearestMain(paths: Iterable<string>): string | undefined {
  const depth = (path: string): number => path.split("/").length;
  const [nearest] = [...paths]
    .filter((path) => posix.basename(path) === MAIN)
    .toSorted((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  return nearest;
}

/** @throws PlatformError INVALID_REQUEST where the main file is no program's */
export function goFilesOf({ text, entry = MAIN, files = {} }: Source): GoFiles {
  if (!entry.endsWith(".go"))
    throw new PlatformError("INVALID_REQUEST", `entry: ${JSON.stringify(entry)} is no Go file`);
  const all = Object.entries({ ...files, [entry]: text }).map(
    ([path, content]) => [path, Buffer.from(content)] as const,
  );
  const folder = posix.dirname(entry);
  return { files: Object.fromEntries(all), folder: folder === "." ? "" : folder };
}
