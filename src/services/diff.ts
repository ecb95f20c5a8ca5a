import { diffArrays } from "diff";

/** Comparing takes time that grows with lines × changes, and holds up everybody: beyond this all counts as changed. */
const MOST_MS = 200;

export interface DiffLine {
  readonly type: "unchanged" | "added" | "removed";
  /** Counted from 1; undefined for an added line. */
  readonly oldLine: number | undefined;
  /** Undefined for a removed line. */
  readonly newLine: number | undefined;
  /** Without its line break. */
  readonly text: string;
}

export interface FileDiff {
  readonly path: string;
  readonly status: "unchanged" | "changed" | "added" | "removed";
  readonly items: DiffLine[];
}

/** Every file of either side, by path; undefined on the side where it is not. */
export function diffFiles(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): FileDiff[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return paths.map((path) => {
    const [old, now] = [before[path], after[path]];
    const items = diffLines(old ?? "", now ?? "");
    if (old === undefined) return { path, status: "added", items };
    if (now === undefined) return { path, status: "removed", items };
    return { path, status: old === now ? "unchanged" : "changed", items };
  });
}

/** Line by line, in the order of reading; where lines were replaced, the removed ones come first. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  const parts = diffArrays(old, now, { timeout: MOST_MS }) ?? [
    { removed: true, added: false, value: old },
    { removed: false, added: true, value: now },
  ];
  let oldLine = 0;
  let newLine = 0;
  return parts.flatMap(({ added, removed, value }) =>
    value.map((text): DiffLine => {
      if (added) return { type: "added", oldLine: undefined, newLine: ++newLine, text };
      if (removed) return { type: "removed", oldLine: ++oldLine, newLine: undefined, text };
      return { type: "unchanged", oldLine: ++oldLine, newLine: ++newLine, text };
    }),
  );
}

/** A line break ends a line; it does not begin another one. */
function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
