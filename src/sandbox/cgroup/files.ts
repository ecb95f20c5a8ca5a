// Cgroups are folders with files in them; these few helpers are all that v1 and v2 share.
import { readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { killQuietly } from "../kill-quietly.ts";
import { isGone, ownMark } from "../process-mark.ts";

/** Folders of ours are named after the server's process, so that the next server can sweep what a dead one left. */
const FOLDER_PREFIX = "cloche-";
/** Within that folder, beside the boxes: the server itself. */
export const SERVER_LEAF = "server";

/** The folder of this server's boxes, or of another process's. */
export function folderName(pid = process.pid): string {
  return FOLDER_PREFIX + ownMark(pid);
}

export function readNumber(path: string): number | undefined {
  const text = readText(path);
  return text === undefined ? undefined : Number(text.trim());
}

/** The number behind `key` in a file of `key number` lines. */
export function readKeyed(path: string, key: string): number | undefined {
  const match = new RegExp(`^${key} (\\d+)$`, "m").exec(readText(path) ?? "");
  return match === null ? undefined : Number(match[1]);
}

export function pidsIn(folder: string): number[] {
  const text = readText(join(folder, "cgroup.procs")) ?? "";
  return text.split("\n").filter(Boolean).map(Number);
}

export function killAll(folder: string, spared?: number): void {
  for (const pid of pidsIn(folder)) {
    if (pid !== spared) killQuietly(pid);
  }
}

/** False where the file is not there, or its folder is gone already. */
export function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text);
    return true;
  } catch {
    return false;
  }
}

/** False while the folder cannot go yet, because a process is still dying in it. */
export function tryRemove(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Removes what servers that no longer run have left below `parent`, with every process still in it. */
export function sweepDeadServers(parent: string): void {
  for (const name of listFolders(parent)) {
    if (!name.startsWith(FOLDER_PREFIX) || !isGone(name.slice(FOLDER_PREFIX.length))) continue;
    const folder = join(parent, name);
    // Its nursery is dead, but it lives, for a moment or in a test.
    if (pidsIn(join(folder, SERVER_LEAF)).length === 0) removeTree(folder);
  }
}

/** A group and all below it, with every process in them. */
function removeTree(folder: string): void {
  for (const name of listFolders(folder)) removeTree(join(folder, name));
  killAll(folder);
  removePatiently(folder);
}

const REMOVE_TRIES = 50;
const REMOVE_PAUSE_MS = 4; // what has been killed takes some milliseconds to leave

/** Holds up its thread: only a server that starts calls it, and only for what a killed one has left. */
function removePatiently(folder: string): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < REMOVE_TRIES && !tryRemove(folder); tries++) Atomics.wait(cell, 0, 0, REMOVE_PAUSE_MS);
}

function listFolders(parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
