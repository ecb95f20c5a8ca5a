// What an uploaded file is: Go source, an archive of it, an executable, or a module. Its bytes are looked at and never run here.
import { isUtf8 } from "node:buffer";
import { posix } from "node:path";
import { PlatformError } from "../core/errors.ts";
import type { Style } from "../core/function.ts";
import type { ArtifactMode, Artifacts, Source } from "../core/program.ts";
import type { ArchiveLimits } from "./archive.ts";
import type { Build } from "./build.ts";
import { nearestMain } from "./go-source.ts";
import { inspectElf, isElf } from "./inspect-elf.ts";
import { inspectWasm, isWasm } from "./inspect-wasm.ts";
import { checkFolders } from "./source-files.ts";

const MIB = 1024 * 1024;
/** Of one file that is uploaded. */
export const MAX_FILE_BYTES = 50 * MIB;
/** As a build takes them; a module brings the modules that it needs along. */
export const ARCHIVE_LIMITS: ArchiveLimits = { files: 10_000, totalBytes: MAX_FILE_BYTES };

export interface ReadDeps {
  readonly build: Build;
  /** The most that a run may have. */
  readonly memoryBytes: number;
}

export interface UploadedProgram {
  readonly language: "go" | "native" | "wasm";
  /** With artifacts and mode. */
  readonly source: Source;
  /** Undefined: nobody has looked. */
  readonly style: Style | undefined;
  /** All files of the source by path, also those that are no text. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** What of it could not be built while the rest was; absent: nothing. */
  readonly warnings?: readonly string[];
}

/**
 * @param fileName as its sender calls it
 * @param mode what is to run, where there is a choice; undefined: the module where there is one
 * @throws PlatformError INVALID_REQUEST, CODE_TOO_LARGE, UNSUPPORTED_FILE, BUILD_FAILED, TOOLCHAIN_MISSING
 */
export async function readProgram(
  fileName: string,
  bytes: Buffer,
  mode: ArtifactMode | undefined,
  deps: ReadDeps,
): Promise<UploadedProgram> {
  checkSize(bytes);
  const extension = posix.extname(fileName).toLowerCase();
  if (extension === ".go") return await builtProgram(new Map([["main.go", bytes]]), mode, deps.build);
  const { unzipBytes } = await import("./archive.ts"); // a server that takes no archive does not pay for the parser
  if (extension === ".zip") return await builtProgram(await unzipBytes(bytes, ARCHIVE_LIMITS), mode, deps.build);
  return finishedProgram(bytes, mode, deps.memoryBytes);
}

/**
 * @param mode what its sender says it is
 * @throws PlatformError UNSUPPORTED_FILE, INVALID_REQUEST
 */
export function finishedProgram(bytes: Buffer, mode: ArtifactMode | undefined, memoryBytes: number): UploadedProgram {
  checkSize(bytes);
  const kind = kindOf(bytes);
  if (kind === "native") inspectElf(bytes);
  else inspectWasm(bytes, memoryBytes);
  if (mode !== undefined && mode !== kind) {
    throw new PlatformError("INVALID_REQUEST", `mode: "${mode}" is not possible: the file is ${WHAT[kind]}`);
  }
  const source = { text: "", artifacts: { [kind]: bytes }, mode: kind };
  return { language: kind, source, style: undefined, files: new Map() };
}

function checkSize({ length }: Buffer): void {
  if (length > MAX_FILE_BYTES)
    throw new PlatformError("CODE_TOO_LARGE", `file: ${length} bytes (max ${MAX_FILE_BYTES})`);
}

const WHAT = { native: "an executable", wasm: "a WebAssembly module" } as const;

function kindOf(bytes: Buffer): ArtifactMode {
  if (isElf(bytes)) return "native";
  if (isWasm(bytes)) return "wasm";
  throw new PlatformError(
    "UNSUPPORTED_FILE",
    "file: is neither a Linux executable (ELF) nor a WebAssembly module, and its name does not end in .go or .zip",
  );
}

/** @throws PlatformError INVALID_REQUEST, BUILD_FAILED, TOOLCHAIN_MISSING */
export async function builtProgram(
  files: ReadonlyMap<string, Buffer>,
  mode: ArtifactMode | undefined,
  build: Build,
): Promise<UploadedProgram> {
  checkFolders(files);
  const entry = nearestMain(files.keys());
  if (entry === undefined) throw new PlatformError("INVALID_REQUEST", "main.go not found in zip");
  const source = sourceOf(files, entry);
  const folder = posix.dirname(entry);
  const request = { files: Object.fromEntries(files), folder: folder === "." ? "" : folder };
  const { artifacts, style, warnings } = await build({ ...request, targets: ["native", "wasm"] });
  const chosen = mode ?? (artifacts.wasm === undefined ? "native" : "wasm");
  if (artifacts[chosen] === undefined) {
    const why = style === "handler" ? "a Handler runs natively" : `the build made no ${chosen} program`;
    throw new PlatformError("INVALID_REQUEST", `mode: "${chosen}" is not possible: ${why}`);
  }
  return { language: "go", source: { ...source, artifacts, mode: chosen }, style, files, warnings };
}

/**
 * A program with what was built of it already, in the place of another build.
 *
 * @throws PlatformError INVALID_REQUEST, UNSUPPORTED_FILE
 */
export function knownProgram(
  files: ReadonlyMap<string, Buffer>,
  artifacts: Artifacts,
  mode: ArtifactMode | undefined,
  memoryBytes: number,
): UploadedProgram {
  const { native, wasm } = artifacts;
  if (native !== undefined) finishedProgram(native, "native", memoryBytes);
  if (wasm !== undefined) finishedProgram(wasm, "wasm", memoryBytes);
  const wanted = mode ?? "wasm";
  const chosen = artifacts[wanted] === undefined ? (wasm === undefined ? "native" : "wasm") : wanted;
  const entry = nearestMain(files.keys());
  const source = entry === undefined ? { text: "" } : sourceOf(files, entry);
  const language = entry === undefined ? chosen : "go";
  return { language, source: { ...source, artifacts, mode: chosen }, style: undefined, files };
}

/** The texts; what else an archive holds is for the build and the folder alone. */
function sourceOf(files: ReadonlyMap<string, Buffer>, entry: string): Source {
  const texts = [...files]
    .filter(([, bytes]) => isUtf8(bytes))
    .map(([path, bytes]) => [path, bytes.toString()] as const);
  const { [entry]: text, ...others } = Object.fromEntries(texts);
  if (text === undefined) throw new PlatformError("INVALID_REQUEST", `${JSON.stringify(entry)} is not text in UTF-8`);
  return texts.length === 1 && entry === "main.go" ? { text } : { text, entry, files: others };
}
