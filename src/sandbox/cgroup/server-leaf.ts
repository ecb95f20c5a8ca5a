// The server's place beside its boxes. The kernel weighs only groups side by side against each other: from anywhere else the server
// would wait for a box in the background as for any other process.
import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pidsIn, SERVER_LEAF, tryRemove, tryWrite } from "./files.ts";

/**
 * Moves processes among the boxes of `folder`. They may stay where they are: then the background is less of one.
 *
 * @param before the group that they are in; who is elsewhere stays there
 * @param weight what server and boxes then weigh together
 * @returns moves back all that is there by then
 */
export function enterServerLeaf(
  folder: string,
  before: string,
  pids: readonly number[],
  weight: { readonly file: string; readonly value: number },
): () => void {
  const there = pidsIn(before);
  const moved = pids.filter((pid) => there.includes(pid));
  if (moved.length === 0) return () => {};
  const leaf = join(folder, SERVER_LEAF);
  try {
    mkdirSync(leaf);
  } catch {
    return () => {};
  }
  tryWrite(join(folder, weight.file), String(weight.value));
  for (const pid of moved) tryWrite(join(leaf, "cgroup.procs"), String(pid));
  return () => {
    for (const pid of pidsIn(leaf)) tryWrite(join(before, "cgroup.procs"), String(pid));
    tryRemove(leaf);
  };
}

/** Where a server started from `own` belongs: beside the one that had moved its starter, not below. */
export function outsideServerLeaf(own: string): string {
  return basename(own) === SERVER_LEAF ? dirname(dirname(own)) : own;
}
