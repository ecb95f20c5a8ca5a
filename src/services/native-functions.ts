// Uploaded programs, as the native API knows them: each upload has an id, and its function a version with a label.
import { randomUUID } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import type { ArtifactMode } from "../core/program.ts";
import type { Store, StoredFunction, VersionSummary } from "../store/store.ts";
import type { Catalog } from "./catalog.ts";
import type { Deploy } from "./deploy.ts";
import type { FoundFolder } from "./folder-check.ts";
import { FunctionFolders, type FolderMeta } from "./function-folders.ts";
import { checkName, type Functions } from "./functions.ts";
import type { InTurn } from "./in-turn.ts";
import { builtProgram, knownProgram, type ReadDeps, readProgram, type UploadedProgram } from "./uploaded-program.ts";

const LABEL = /^[A-Za-z0-9._-]{1,100}$/;
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MAX_DESCRIPTION_BYTES = 500;
const PAGE = 200;
const MAX_KNOWN_TARGETS = 10_000;
/** Changes of folders come one after the other: one function's folder may be in the way of another's. No function has this name. */
const FOLDERS_TURN = "";

export interface NativeUploadForm {
  readonly fileName: string;
  readonly bytes: Buffer;
  /** Undefined: the file's name without what follows the dot. */
  readonly name: string | undefined;
  /** Undefined: `v` and the Unix time in seconds. */
  readonly label: string | undefined;
  readonly description: string;
  /** Undefined: the module where there is one. */
  readonly mode: ArtifactMode | undefined;
  /** Name of the key that it came with. */
  readonly createdBy: string | undefined;
}

/** What the API tells of an upload, or of a function that came another way. */
export type NativeFunction = FolderMeta & {
  /** In the answer of an upload: what of it could not be built while the rest was. */
  readonly warnings?: readonly string[];
};

export interface NativeFunctionsDeps extends ReadDeps {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly functions: Functions;
  readonly deploy: Deploy;
  readonly folders: FunctionFolders;
  readonly inTurn: InTurn;
  readonly clock: Clock;
}

export class NativeFunctions {
  readonly #deps: NativeFunctionsDeps;
  /** What an id stands for never changes; that it is gone is seen when it is called. */
  readonly #targets = new LRUCache<string, { readonly functionId: string; readonly number: number }>({
    max: MAX_KNOWN_TARGETS,
  });

  constructor(deps: NativeFunctionsDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves when the version and its folder are durable, and calls get it.
   *
   * @throws PlatformError INVALID_REQUEST, VERSION_EXISTS, CODE_TOO_LARGE, UNSUPPORTED_FILE, BUILD_FAILED, TOOLCHAIN_MISSING
   */
  async upload(form: NativeUploadForm): Promise<NativeFunction> {
    const name = form.name ?? defaultName(form.fileName);
    checkName(name);
    if (form.label !== undefined) checkLabel(form.label);
    if (Buffer.byteLength(form.description) > MAX_DESCRIPTION_BYTES) {
      throw invalid(`description: ${MAX_DESCRIPTION_BYTES} bytes at most`);
    }
    if (form.label !== undefined) await this.#deps.folders.checkFree(name, form.label); // before minutes of building
    const program = await readProgram(form.fileName, form.bytes, form.mode, this.#deps);
    return await this.#deps.inTurn.run(FOLDERS_TURN, async () => {
      if (form.label !== undefined) return await this.#add(program, { ...form, name, label: form.label });
      for (let seconds = Math.floor(this.#deps.clock.now() / 1000); ; seconds++) {
        try {
          return await this.#add(program, { ...form, name, label: `v${seconds}` });
        } catch (error) {
          if (!(error instanceof PlatformError && error.code === "VERSION_EXISTS")) throw error;
        }
      }
    });
  }

  async #add(program: UploadedProgram, given: Placed): Promise<NativeFunction> {
    const { deploy, folders, functions, clock } = this.#deps;
    const { name, label, description, id = randomUUID(), createdAtMs = clock.now() } = given;
    const upload = { id, label, description };
    await folders.checkFree(name, label);
    const { artifacts = {}, mode } = program.source;
    const told = tell({ functionName: name, upload, createdAtMs, artifacts });
    const staged = await folders.stage(name, label, { files: program.files, artifacts, meta: { ...told, mode } });
    let stored: { readonly functionId: string; readonly number: number } | undefined;
    try {
      await deploy({
        ...{ functionName: name, language: program.language, source: program.source, style: program.style },
        ...{ upload, createdBy: given.createdBy, checked: true, nowMs: createdAtMs, activate: given.activate ?? true },
        onStored: async (version) => {
          stored = version;
          await staged.commit();
        },
      });
    } catch (error) {
      await staged.discard();
      if (stored !== undefined) await functions.dropVersion(stored.functionId, stored.number);
      throw error;
    }
    const { warnings = [] } = program;
    return warnings.length === 0 ? told : { ...told, warnings };
  }

  /**
   * Makes a version of a folder that was copied in from elsewhere, and writes the folder as we would have.
   *
   * @throws PlatformError as `upload`
   */
  async takeIn(found: FoundFolder): Promise<void> {
    const { store, catalog, folders, build, memoryBytes, inTurn, clock } = this.#deps;
    const { name, label, files, artifacts, mode, createdAtMs } = found;
    const isBuilt = artifacts.native !== undefined || artifacts.wasm !== undefined;
    const program = isBuilt
      ? knownProgram(files, artifacts, mode, memoryBytes)
      : await builtProgram(files, mode, build);
    const isFreeId = found.id !== undefined && UUID4.test(found.id) && (await store.findUpload(found.id)) === undefined;
    const nowMs = clock.now();
    await inTurn.run(FOLDERS_TURN, async () => {
      const stored = catalog.function(name);
      // One that is older than what calls get does not take its place.
      const activate = stored?.activeVersion === undefined || stored.activeVersion * 1000 <= (createdAtMs ?? nowMs);
      const hidden = await folders.hide(name, label);
      try {
        await this.#add(program, {
          ...{ name, label, description: found.description ?? "", createdBy: undefined, activate },
          id: isFreeId ? found.id : undefined,
          createdAtMs: createdAtMs === undefined ? nowMs : Math.min(createdAtMs, nowMs),
        });
      } catch (error) {
        await hidden.restore(name);
        throw error;
      }
      await hidden.remove();
    });
  }

  /** The newest first. */
  async list(): Promise<NativeFunction[]> {
    const all: NativeFunction[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#deps.store.listUploads({ limit: PAGE, cursor });
      all.push(...page.items.map(tell));
      ({ cursor } = page);
    } while (cursor !== undefined);
    return all;
  }

  /** By the id of an upload or of a function. */
  async find(id: string): Promise<NativeFunction | undefined> {
    const version = await this.#deps.store.findUpload(id);
    if (version !== undefined) return tell(version);
    const stored = this.#deps.catalog.function(id);
    return stored?.id === id ? tellFunction(stored) : undefined;
  }

  /** What a call of this id runs: a function, and one of its versions or (undefined) its active one. */
  async target(id: string): Promise<{ stored: StoredFunction; number: number | undefined } | undefined> {
    const version = this.#targets.get(id) ?? (await this.#deps.store.findUpload(id));
    if (version !== undefined) this.#targets.set(id, { functionId: version.functionId, number: version.number });
    const stored = this.#deps.catalog.function(version?.functionId ?? id);
    if (stored === undefined || (version === undefined && stored.id !== id)) return undefined;
    return { stored, number: version?.number };
  }

  /** An active one leaves its place to the newest other; the last one goes with its function. False where there is none. */
  async remove(id: string): Promise<boolean> {
    const { store, functions, inTurn } = this.#deps;
    const version = await store.findUpload(id);
    if (version === undefined) return false;
    await inTurn.run(FOLDERS_TURN, async () => await functions.dropVersion(version.functionId, version.number));
    return true;
  }
}

/** Where a program goes, and what is known of it. */
type Placed = Pick<NativeUploadForm, "description" | "createdBy"> & {
  readonly name: string;
  readonly label: string;
  readonly id?: string | undefined;
  readonly createdAtMs?: number | undefined;
  readonly activate?: boolean;
};

/** The name of a file without its folders and extension, where that can be a function's. */
function defaultName(fileName: string): string {
  const plain = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  return plain.replace(/\.(?:go|zip|bin|wasm|exe|elf)$/i, "");
}

/** @throws PlatformError INVALID_REQUEST */
export function checkLabel(label: string): void {
  if (LABEL.test(label) && !label.includes("..") && label !== ".") return;
  throw invalid('version: 1 to 100 of A-Z a-z 0-9 . _ -, and no ".."');
}

type Told = Pick<VersionSummary, "functionName" | "upload" | "createdAtMs"> & {
  readonly artifacts: Readonly<Partial<Record<ArtifactMode, unknown>>>;
};

export function tell({ functionName, upload, createdAtMs, artifacts }: Told): NativeFunction {
  const { id = "", label = "", description = "" } = upload ?? {};
  const path = (mode: ArtifactMode): string =>
    FunctionFolders.relativePath(functionName, label, mode, artifacts[mode] !== undefined);
  return {
    ...{ id, version: label, name: functionName, binPath: path("native"), wasmPath: path("wasm"), description },
    created_at: new Date(createdAtMs).toISOString(),
  };
}

function tellFunction({ id, name, activeVersion, settings, createdAtMs }: StoredFunction): NativeFunction {
  const version = activeVersion === undefined ? "" : String(activeVersion);
  const { description } = settings;
  return { id, version, name, binPath: "", wasmPath: "", description, created_at: new Date(createdAtMs).toISOString() };
}

function invalid(message: string): PlatformError {
  return new PlatformError("INVALID_REQUEST", message);
}
