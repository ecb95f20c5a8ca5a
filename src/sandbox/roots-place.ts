import { rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../core/errors.ts";
import { barredFolder, makeFolder } from "./box-root.ts";
import { isGone, ownMark } from "./process-mark.ts";
import { listQuietly } from "./read-quietly.ts";

/** For prepared roots of servers that root runs; one folder each, named after the nursery's process. */
const NEUTRAL_DIR = "/var/lib/cloche-boxes";

/**
 * A folder for prepared roots that the boxes' users can pass to, and whose name tells nothing: they can read it from their mount
 * table. Needs to be root.
 *
 * @param otherwise taken where /var/lib cannot be written
 * @throws Error where boxes could not pass there either
 */
export function placeForRoots(otherwise: string): string {
  sweepDeadServers();
  const neutral = join(NEUTRAL_DIR, ownMark());
  try {
    makeFolder(neutral);
    return neutral;
  } catch (error) {
    const barred = barredFolder(dirname(otherwise));
    if (barred === undefined) return otherwise;
    throw new Error(`sandboxes need ${NEUTRAL_DIR} (${messageOf(error)}), or a data folder not below ${barred}`, {
      cause: error,
    });
  }
}

export function removeRoots(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  removeWhenEmpty(NEUTRAL_DIR);
}

function sweepDeadServers(): void {
  for (const name of listQuietly(NEUTRAL_DIR)) {
    if (isGone(name)) rmSync(join(NEUTRAL_DIR, name), { recursive: true, force: true });
  }
}

function removeWhenEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // Another server's roots are in it, or it was never there.
  }
}
