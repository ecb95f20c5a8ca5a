// The folders of uploaded programs, `<data>/functions/<name>/<label>/`, for people and other tools to look into. The database is
// the truth: what runs comes from there, and a folder is written again where it is missing (`folder-check.ts`).
import { randomUUID } from "node:crypto";
import { lstat, mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PlatformError } from "../core/errors.ts";
import type { Artifacts } from "../core/program.ts";

export const FOLDER = "functions";
export const META = "meta.json";
export const PROGRAM_FILES = { native: "main.bin", wasm: "main.wasm" } as const;
/** In the root of a folder, whatever the source has there. */
const OURS: ReadonlySet<string> = new Set([META, ...Object.values(PROGRAM_FILES)]);
/** What is being written or removed; no function has such a name. */
const HIDDEN = "~";
const EXECUTABLE = 0o755;
const AT_ONCE = 16; // files, so that one sync of the disk serves many

/** What a folder says of itself, as the native API's answers do. */
export interface FolderMeta {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly binPath: string;
  readonly wasmPath: string;
  readonly description: string;
  readonly created_at: string;
}

export interface FolderContent {
  /** Of the source, by path. Those in the place of the program or of `meta.json` are left out. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly artifacts: Artifacts;
  readonly meta: FolderMeta & { readonly mode: string | undefined };
}

/** A folder that is complete and durable, but not in its place yet. */
export interface StagedFolder {
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Folders that are out of sight while the database changes. */
export interface HiddenFolders {
  /** Puts them back, those of a function under the name that is given. */
  restore(name: string): Promise<void>;
  remove(): Promise<void>;
}

export class FunctionFolders {
  readonly root: string;

  constructor(dataDir: string) {
    this.root = join(dataDir, FOLDER);
  }

  pathOf(name: string, label: string): string {
    return join(this.root, name, label);
  }

  /** Relative to the data folder; `""` where the program has no file of this kind. */
  static relativePath(name: string, label: string, mode: keyof typeof PROGRAM_FILES, isThere: boolean): string {
    return isThere ? `${FOLDER}/${name}/${label}/${PROGRAM_FILES[mode]}` : "";
  }

  /** @throws PlatformError VERSION_EXISTS where something is in the place of this folder */
  async checkFree(name: string, label: string): Promise<void> {
    if ((await kindOf(this.pathOf(name, label))) === undefined) return;
    throw new PlatformError("VERSION_EXISTS", `there is a folder ${FOLDER}/${name}/${label} already`);
  }

  async stage(name: string, label: string, content: FolderContent): Promise<StagedFolder> {
    const folder = await this.#hiddenPath();
    const discard = (): Promise<void> => rm(folder, { recursive: true, force: true });
    const target = this.pathOf(name, label);
    try {
      await writeFolder(folder, content);
    } catch (error) {
      await discard();
      throw error;
    }
    return {
      discard,
      commit: async () => {
        await mkdir(dirname(target), { recursive: true });
        await rename(folder, target);
        const top = dirname(this.root);
        for (let at = dirname(target); at.length >= top.length; at = dirname(at)) await syncFolder(at);
      },
    };
  }

  /** @param label undefined: all of the function's */
  async hide(name: string, label?: string): Promise<HiddenFolders> {
    const labels = label === undefined ? await this.#labelsOf(name) : [label];
    const hidden: { readonly path: string; readonly label: string }[] = [];
    for (const each of labels) {
      if ((await kindOf(this.pathOf(name, each))) === undefined) continue;
      const path = await this.#hiddenPath();
      await rename(this.pathOf(name, each), path);
      hidden.push({ path, label: each });
    }
    const tidy = async (): Promise<void> => {
      // What is left empty; a folder of other functions' folders is not.
      for (let at = join(this.root, name); at.length > this.root.length; at = dirname(at)) {
        try {
          await rmdir(at);
        } catch {
          return;
        }
      }
    };
    return {
      restore: async (to) => {
        for (const { path, label: each } of hidden) {
          if (to !== name) await renameInMeta(join(path, META), to, each);
          await mkdir(join(this.root, to), { recursive: true });
          await rename(path, this.pathOf(to, each));
        }
        await tidy();
      },
      remove: async () => {
        for (const { path } of hidden) await rm(path, { recursive: true, force: true });
        await tidy();
      },
    };
  }

  /** What a server left behind that was killed. */
  async removeHidden(): Promise<void> {
    for (const entry of await entriesOf(this.root)) {
      if (entry.name.startsWith(HIDDEN)) await rm(join(this.root, entry.name), { recursive: true, force: true });
    }
  }

  async #hiddenPath(): Promise<string> {
    await mkdir(this.root, { recursive: true });
    return join(this.root, `${HIDDEN}${randomUUID()}`);
  }

  async #labelsOf(name: string): Promise<string[]> {
    const folder = join(this.root, name);
    const labels: string[] = [];
    for (const entry of await entriesOf(folder)) {
      if (entry.isDirectory() && (await kindOf(join(folder, entry.name, META))) === "file") labels.push(entry.name);
    }
    return labels;
  }
}

/** What it says of itself holds the function's name; one that says nothing that we can read stays as it is. */
async function renameInMeta(path: string, name: string, label: string): Promise<void> {
  try {
    const meta = JSON.parse(await readFile(path, "utf8")) as FolderMeta;
    const paths = {
      binPath: FunctionFolders.relativePath(name, label, "native", meta.binPath !== ""),
      wasmPath: FunctionFolders.relativePath(name, label, "wasm", meta.wasmPath !== ""),
    };
    await writeFile(path, metaText({ ...meta, name, ...paths }));
  } catch {
    // It is written anew at the next start.
  }
}

function metaText(meta: object): string {
  return `${JSON.stringify(meta, undefined, 2)}\n`;
}

/** What is at a path, links not followed; undefined: nothing. */
export async function kindOf(path: string): Promise<"file" | "folder" | "other" | undefined> {
  try {
    const found = await lstat(path);
    if (found.isFile()) return "file";
    return found.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** None where there is no such folder. */
export async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Returns when all of it has reached the disk. */
async function writeFolder(folder: string, { files, artifacts, meta }: FolderContent): Promise<void> {
  const all = new Map<string, { bytes: Buffer; mode?: number }>();
  for (const [path, bytes] of files) if (!OURS.has(path.split("/", 1)[0] ?? "")) all.set(path, { bytes });
  if (artifacts.native !== undefined) all.set(PROGRAM_FILES.native, { bytes: artifacts.native, mode: EXECUTABLE });
  if (artifacts.wasm !== undefined) all.set(PROGRAM_FILES.wasm, { bytes: artifacts.wasm });
  all.set(META, { bytes: Buffer.from(metaText(meta)) });
  const folders = new Set([folder, ...[...all.keys()].map((path) => dirname(join(folder, path)))]);
  for (const each of folders) await mkdir(each, { recursive: true });
  const entries = [...all];
  for (let start = 0; start < entries.length; start += AT_ONCE) {
    const some = entries.slice(start, start + AT_ONCE);
    await Promise.all(some.map(([path, { bytes, mode }]) => writeDurably(join(folder, path), bytes, mode)));
  }
  for (const each of folders) await syncFolder(each);
}

async function writeDurably(path: string, bytes: Buffer, mode = 0o644): Promise<void> {
  await using file = await open(path, "wx", mode);
  await file.writeFile(bytes);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
