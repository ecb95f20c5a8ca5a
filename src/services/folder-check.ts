// At the start: what the database has and the disk lacks is written again; what the disk has and the database lacks is taken in.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Clock } from "../core/clock.ts";
import { messageOf, PlatformError } from "../core/errors.ts";
import type { ArtifactMode, Artifacts } from "../core/program.ts";
import type { Store, VersionSummary } from "../store/store.ts";
import { entriesOf, FOLDER, type FunctionFolders, kindOf, META, PROGRAM_FILES } from "./function-folders.ts";
import { checkName } from "./functions.ts";
import { checkLabel, tell } from "./native-functions.ts";
import type { NativeFunctions } from "./native-functions.ts";
import { ARCHIVE_LIMITS, MAX_FILE_BYTES } from "./uploaded-program.ts";

const PAGE = 200;
const MAX_DEPTH = 20; // of a function's name and its label
const MARKS: ReadonlySet<string> = new Set([META, "main.go", ...Object.values(PROGRAM_FILES)]);

export interface FolderCheckDeps {
  readonly store: Store;
  readonly folders: FunctionFolders;
  readonly native: NativeFunctions;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** A folder as it was found. */
export interface FoundFolder {
  readonly name: string;
  readonly label: string;
  /** Of its source, by path. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly artifacts: Artifacts;
  /** What its `meta.json` says; any of it may be missing. */
  readonly id: string | undefined;
  readonly description: string | undefined;
  readonly mode: ArtifactMode | undefined;
  readonly createdAtMs: number | undefined;
}

/**
 * A folder that cannot be read, taken in or written is reported, and the others are seen to.
 *
 * @returns takes in those whose programs have to be built, which may be minutes of work; never rejects
 */
export async function checkFolders(deps: FolderCheckDeps): Promise<() => Promise<void>> {
  const { folders, log } = deps;
  await folders.removeHidden();
  const known = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await deps.store.listUploads({ limit: PAGE, cursor });
    for (const version of page.items) {
      const path = folders.pathOf(version.functionName, version.upload?.label ?? "");
      known.add(path);
      try {
        if (!(await isWhole(path, version))) await writeAgain(version, deps);
      } catch (error) {
        log(`${shown(path, folders)}: cannot be written: ${messageOf(error)}`);
      }
    }
    ({ cursor } = page);
  } while (cursor !== undefined);

  const found: FoundFolder[] = [];
  for await (const path of foldersBelow(folders.root, known, log)) {
    try {
      found.push(await readFolder(path, folders.root));
    } catch (error) {
      log(`${shown(path, folders)}: not taken in: ${messageOf(error)}`);
    }
  }
  // The oldest first, so that the newest is the one that calls get.
  const nowMs = deps.clock.now();
  found.sort((a, b) => (a.createdAtMs ?? nowMs) - (b.createdAtMs ?? nowMs));
  const isBuilt = ({ artifacts }: FoundFolder): boolean => Object.keys(artifacts).length > 0;
  await takeIn(found.filter(isBuilt), deps);
  return async () =>
    await takeIn(
      found.filter((each) => !isBuilt(each)),
      deps,
    );
}

async function takeIn(found: readonly FoundFolder[], { native, log }: FolderCheckDeps): Promise<void> {
  for (const each of found) {
    const path = `${FOLDER}/${each.name}/${each.label}`;
    try {
      await native.takeIn(each);
      log(`${path}: taken in`);
    } catch (error) {
      log(`${path}: not taken in: ${messageOf(error)}`);
    }
  }
}

function shown(path: string, { root }: FunctionFolders): string {
  return join(FOLDER, relative(root, path));
}

async function isWhole(path: string, { artifacts }: VersionSummary): Promise<boolean> {
  const wanted = [META];
  if (artifacts.native !== undefined) wanted.push(PROGRAM_FILES.native);
  if (artifacts.wasm !== undefined) wanted.push(PROGRAM_FILES.wasm);
  for (const name of wanted) if ((await kindOf(join(path, name))) !== "file") return false;
  return true;
}

async function writeAgain(summary: VersionSummary, { store, folders, log }: FolderCheckDeps): Promise<void> {
  const version = await store.findVersion(summary.functionId, summary.number);
  const label = version?.upload?.label;
  if (version === undefined || label === undefined) return;
  const files = new Map(Object.entries(version.files).map(([path, text]) => [path, Buffer.from(text)]));
  if (version.language === "go") files.set(version.entry ?? "main.go", Buffer.from(version.source));
  const artifacts: { native?: Buffer; wasm?: Buffer } = {};
  for (const mode of ["native", "wasm"] as const) {
    const { hash } = version.artifacts[mode] ?? {};
    const bytes = hash === undefined ? undefined : await store.findBlob(hash);
    if (bytes !== undefined) artifacts[mode] = bytes;
  }
  const meta = { ...tell(version), mode: version.mode };
  const staged = await folders.stage(version.functionName, label, { files, artifacts, meta });
  const hidden = await folders.hide(version.functionName, label); // what was left of it
  await staged.commit();
  await hidden.remove();
  log(`${FOLDER}/${version.functionName}/${label}: was missing, or a part of it; written again`);
}

/** The folders that look like a version's and are not known. Links are not followed. */
async function* foldersBelow(
  root: string,
  known: ReadonlySet<string>,
  log: FolderCheckDeps["log"],
  path = root,
  depth = 0,
): AsyncGenerator<string> {
  if (known.has(path)) return;
  const entries = await entriesOf(path);
  if (depth > 0 && entries.some((entry) => entry.isFile() && MARKS.has(entry.name))) {
    yield path;
    return;
  }
  if (depth === MAX_DEPTH) return;
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) yield* foldersBelow(root, known, log, child, depth + 1);
    else if (entry.isSymbolicLink()) log(`${join(FOLDER, relative(root, child))}: not taken in: it is a link`);
  }
}

async function readFolder(path: string, root: string): Promise<FoundFolder> {
  const place = relative(root, path);
  const name = dirname(place);
  const label = place.slice(place.lastIndexOf("/") + 1);
  if (name === ".") throw new PlatformError("INVALID_REQUEST", "it should lie in a folder of its function's name");
  checkName(name);
  checkLabel(label);
  const all = await readTree(path);
  const artifacts: { native?: Buffer; wasm?: Buffer } = {};
  for (const mode of ["native", "wasm"] as const) {
    const bytes = all.get(PROGRAM_FILES[mode]);
    if (bytes !== undefined) artifacts[mode] = bytes;
    all.delete(PROGRAM_FILES[mode]);
  }
  const meta = metaOf(all.get(META));
  all.delete(META);
  return { name, label, files: all, artifacts, ...meta };
}

function metaOf(bytes: Buffer | undefined): Pick<FoundFolder, "id" | "description" | "mode" | "createdAtMs"> {
  let meta: Record<string, unknown> = {};
  if (bytes !== undefined) {
    const value: unknown = JSON.parse(bytes.toString()); // one that is damaged is told
    if (typeof value === "object" && value !== null) meta = value as Record<string, unknown>;
  }
  const { id, description, mode, created_at: createdAt } = meta;
  const createdAtMs = Date.parse(String(createdAt));
  return {
    id: typeof id === "string" ? id : undefined,
    description: typeof description === "string" ? description : undefined,
    mode: mode === "native" || mode === "wasm" ? mode : undefined,
    createdAtMs: Number.isNaN(createdAtMs) ? undefined : createdAtMs,
  };
}

/** @throws PlatformError where it holds more than an upload may */
async function readTree(root: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let totalBytes = 0;
  async function readBelow(folder: string, prefix: string): Promise<void> {
    for (const entry of await entriesOf(folder)) {
      const path = prefix + entry.name;
      if (entry.isDirectory()) await readBelow(join(folder, entry.name), `${path}/`);
      else if (entry.isFile()) {
        const bytes = await readPlainFile(join(folder, entry.name));
        totalBytes += bytes.length;
        files.set(path, bytes);
        if (files.size > ARCHIVE_LIMITS.files || totalBytes > ARCHIVE_LIMITS.totalBytes + 2 * MAX_FILE_BYTES) {
          throw new PlatformError("CODE_TOO_LARGE", "it has more or larger files than can be uploaded");
        }
      } else
        throw new PlatformError("INVALID_REQUEST", `${path} is neither a file nor a folder (links are not followed)`);
    }
  }
  await readBelow(root, "");
  return files;
}

async function readPlainFile(path: string): Promise<Buffer> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const { size } = await file.stat();
  if (size > ARCHIVE_LIMITS.totalBytes) throw new PlatformError("CODE_TOO_LARGE", `${path} has ${size} bytes`);
  return await file.readFile();
}
