// The built dashboard on disk: which file a path means, and in which of its compressed copies it is sent. Nothing of it is
// kept, so a build that replaces it is served with the next request.
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

/** A compressed copy lies beside its file: name of the coding, end of the file's name; the best first. */
const CODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  json: "application/json",
  ttf: "font/ttf",
  woff2: "font/woff2",
  png: "image/png",
  ico: "image/x-icon",
};

/** Names without a dot in front, so that none leads out of the folder. */
const SAFE_PATH = /^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*$/;
/** Their names have the hash of their content, so they never change. */
const HASHED = "assets/";

export interface DashboardFile {
  /** The receiver closes it. */
  readonly handle: FileHandle;
  readonly bytes: number;
  readonly contentType: string;
  /** Undefined: as it is. */
  readonly coding: string | undefined;
  readonly isImmutable: boolean;
  /** Each copy has its own. */
  readonly etag: string;
}

/**
 * Opens the file that a path below `/ui/` means. A path that is no file is a page of the app, which index.html is for all.
 *
 * @param path without `/ui/`
 * @param acceptEncoding of the request; `""` where there is none
 * @returns undefined where there is no such asset, or no dashboard
 */
export async function openFile(
  folder: string,
  path: string,
  acceptEncoding: string,
): Promise<DashboardFile | undefined> {
  const file = await openNamed(folder, path, acceptEncoding);
  if (file !== undefined || path.startsWith(HASHED)) return file;
  return await openNamed(folder, "index.html", acceptEncoding);
}

async function openNamed(folder: string, name: string, acceptEncoding: string): Promise<DashboardFile | undefined> {
  const contentType = TYPES[/\.(\w+)$/.exec(name)?.[1] ?? ""];
  if (contentType === undefined || !SAFE_PATH.test(name)) return undefined;
  const accepted = acceptedCodings(acceptEncoding);
  const candidates = [...CODINGS.filter(([coding]) => accepted.has(coding)), [undefined, ""] as const];
  for (const [coding, end] of candidates) {
    const handle = await openIfThere(join(folder, name + end));
    if (handle === undefined) continue;
    const { size, mtimeMs } = await handle.stat();
    return {
      ...{ handle, contentType, coding },
      bytes: size,
      isImmutable: name.startsWith(HASHED),
      etag: `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`,
    };
  }
  return undefined;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function acceptedCodings(acceptEncoding: string): ReadonlySet<string> {
  const parts = acceptEncoding.split(",").map((part) => part.trim().toLowerCase());
  return new Set(parts.filter((part) => !/;\s*q=0(?:\.0*)?$/.test(part)).map((part) => part.replace(/\s*;.*$/, "")));
}
