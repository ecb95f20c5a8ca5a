import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { barredFolder } from "./box-root.ts";
import { isGone, ownMark } from "./process-mark.ts";

/** For prepared roots whose place other users cannot reach; one folder per server, named after its nursery's process. */
const REACHABLE_DIR = "/var/lib/cloche";

/** A folder for prepared roots that the boxes' users can pass to: `wanted`, or one of our own. Needs to be root. */
export function placeReachableByAll(wanted: string): string {
  sweepDeadServers();
  return barredFolder(dirname(wanted)) === undefined ? wanted : join(REACHABLE_DIR, ownMark());
}

export function removeRoots(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  removeWhenEmpty(REACHABLE_DIR);
}

function sweepDeadServers(): void {
  for (const name of list(REACHABLE_DIR)) {
    if (isGone(name)) rmSync(join(REACHABLE_DIR, name), { recursive: true, force: true });
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function removeWhenEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // Another server's roots are in it, or it was never there.
  }
}
