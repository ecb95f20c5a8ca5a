import { LRUCache } from "lru-cache";
import type { EgressPolicy } from "../core/egress-policy.ts";
import { PlatformError } from "../core/errors.ts";
import type { FunctionSettings } from "../core/function.ts";
import type { ArtifactMode, Artifacts, Version } from "../core/program.ts";
import type { Store, StoredAlias, StoredFunction, StoredVersion } from "../store/store.ts";
import { shrinkEgress } from "./egress.ts";
import type { Programs } from "./programs.ts";
import type { Variables } from "./variables.ts";

export type { StoredFunction } from "../store/store.ts";

const MAX_VERSIONS = 10_000;
const CACHE_BYTES = 128 * 1024 * 1024; // of code; what does not fit is read again for each call
const START_PAGE = 1_000;
const MAX_SHARED_SETTINGS = 1_000;
/** Calls without a version follow this alias while it is split. */
export const LIVE_ALIAS = "live";

/** A function as it is called. Replaced as a whole when anything of it changes. */
interface Entry {
  readonly stored: StoredFunction;
  /** Counts the changes since the start: versions that were bound before one are not the same as after it. */
  readonly revision: number;
  /** Asked for once somebody wants to know of one. */
  aliases: Promise<readonly StoredAlias[]> | undefined;
  /** The same when they have come. */
  knownAliases: readonly StoredAlias[] | undefined;
}

/** Which function a path means, and what is left of the path. */
export interface PathMatch {
  readonly stored: StoredFunction;
  /** A version's number or an alias behind `@`; undefined where there is none. */
  readonly pin: string | undefined;
  /** Starts with `/`. */
  readonly relativePath: string;
}

/** Every function, and the versions that were called lately, ready to run: a warm call asks no store. */
export class Catalog {
  readonly #store: Store;
  readonly #programs: Programs;
  readonly #variables: Variables;
  readonly #egress: EgressPolicy;
  readonly #onStale: (versionId: string) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #idsByName = new Map<string, string>();
  readonly #versions = new LRUCache<string, Version>({ max: MAX_VERSIONS, maxSize: CACHE_BYTES });
  /** By key and the function's revision: callers who come while a version is read share it, for it may have 50 MiB. */
  readonly #loading = new Map<string, Promise<Version>>();
  readonly #settings = new LRUCache<string, FunctionSettings>({ max: MAX_SHARED_SETTINGS });
  readonly #scheduled = new Set<string>();
  readonly #jobLimits = new Map<string, number>();
  #changes = 0;

  /**
   * @param egress the widest that is allowed
   * @param onStale told of versions that will not be run any more as they were
   */
  static async open(deps: {
    store: Store;
    programs: Programs;
    variables: Variables;
    egress: EgressPolicy;
    onStale: (versionId: string) => void;
  }): Promise<Catalog> {
    const catalog = new Catalog(deps);
    let cursor: string | undefined;
    do {
      const page = await deps.store.listFunctions({ sort: "name", limit: START_PAGE, cursor });
      for (const stored of page.items) catalog.put(stored);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return catalog;
  }

  private constructor({ store, programs, variables, egress, onStale }: Parameters<typeof Catalog.open>[0]) {
    this.#store = store;
    this.#programs = programs;
    this.#variables = variables;
    this.#egress = egress;
    this.#onStale = onStale;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Ids of the functions that have a schedule. */
  get scheduled(): ReadonlySet<string> {
    return this.#scheduled;
  }

  /** How many jobs of a function may run at once, by id, of those that have such a limit. */
  get jobLimits(): ReadonlyMap<string, number> {
    return this.#jobLimits;
  }

  /** By id or name. */
  function(idOrName: string): StoredFunction | undefined {
    return this.#entries.get(this.#idsByName.get(idOrName) ?? idOrName)?.stored;
  }

  /** @throws PlatformError FUNCTION_NOT_FOUND */
  require(idOrName: string): StoredFunction {
    const stored = this.function(idOrName);
    if (stored === undefined) {
      throw new PlatformError("FUNCTION_NOT_FOUND", `no function named ${JSON.stringify(idOrName)}`);
    }
    return stored;
  }

  /** The function with the longest name that the path begins with; names and ids end at a slash, an `@` or the path's end. */
  match(path: string): PathMatch | undefined {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const head = path.slice(0, end);
      const relativePath = path.slice(end) || "/";
      const whole = this.function(head);
      if (whole !== undefined) return { stored: whole, pin: undefined, relativePath };
      const at = head.lastIndexOf("@");
      const pinned = at <= head.lastIndexOf("/") ? undefined : this.function(head.slice(0, at));
      if (pinned !== undefined) return { stored: pinned, pin: head.slice(at + 1), relativePath };
    }
    return undefined;
  }

  /** The version at hand, without waiting; undefined where it must be looked up. */
  cached(functionName: string, number: number | undefined): Version | undefined {
    const entry = this.#entries.get(this.#idsByName.get(functionName) ?? "");
    return entry && this.#cached(entry, number);
  }

  #cached({ stored: { id, settings, activeVersion } }: Entry, number = activeVersion): Version | undefined {
    return settings.disabled || number === undefined ? undefined : this.#versions.get(keyOf(id, number));
  }

  /**
   * @param number undefined: the active one
   * @throws PlatformError FUNCTION_NOT_FOUND, FUNCTION_DISABLED, VERSION_NOT_FOUND, STORE_UNAVAILABLE
   */
  async find(functionName: string, number: number | undefined): Promise<Version> {
    return await this.version(this.require(functionName), number);
  }

  /**
   * @param mode undefined: the version's own
   * @throws PlatformError FUNCTION_DISABLED, VERSION_NOT_FOUND, STORE_UNAVAILABLE; INVALID_REQUEST where it has nothing of `mode`
   */
  async version(
    { id, name, settings, activeVersion }: StoredFunction,
    number = activeVersion,
    mode?: ArtifactMode,
  ): Promise<Version> {
    if (settings.disabled) throw new PlatformError("FUNCTION_DISABLED", "Function is disabled");
    if (number === undefined) throw new PlatformError("VERSION_NOT_FOUND", `function "${name}" has no version yet`);
    const key = keyOf(id, number, mode);
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    const loadingKey = `${key}#${this.#entries.get(id)?.revision}`;
    const loading = this.#loading.get(loadingKey) ?? this.#find(id, name, number, mode);
    this.#loading.set(loadingKey, loading);
    try {
      return await loading;
    } finally {
      if (this.#loading.get(loadingKey) === loading) this.#loading.delete(loadingKey);
    }
  }

  /** What a call gets that pins nothing, without waiting; undefined where it must be looked up, or is split. */
  cachedLive(functionId: string): Version | undefined {
    const entry = this.#entries.get(functionId);
    if (entry?.knownAliases?.every(({ name }) => name !== LIVE_ALIAS) !== true) return undefined;
    return this.#cached(entry);
  }

  /**
   * What a call gets that pins a version, an alias, or nothing.
   *
   * @throws PlatformError VERSION_NOT_FOUND where there is no such number or alias
   */
  async pinned(stored: StoredFunction, pin: string | undefined): Promise<Version> {
    if (pin !== undefined && /^\d+$/.test(pin)) return await this.version(stored, Number(pin));
    const alias = (await this.aliases(stored.id)).find(({ name }) => name === (pin ?? LIVE_ALIAS));
    if (alias !== undefined) return await this.version(stored, choose(alias));
    if (pin === undefined || pin === LIVE_ALIAS) return await this.version(stored);
    throw new PlatformError("VERSION_NOT_FOUND", `function "${stored.name}" has no alias ${JSON.stringify(pin)}`);
  }

  async aliases(functionId: string): Promise<readonly StoredAlias[]> {
    const entry = this.#entries.get(functionId);
    if (entry === undefined) return [];
    const asked = (entry.aliases ??= this.#store.listAliases(functionId));
    try {
      const aliases = await asked;
      if (entry.aliases === asked) entry.knownAliases = aliases; // and not others meanwhile
      return aliases;
    } catch (error) {
      entry.aliases = undefined;
      throw error;
    }
  }

  /** Takes in a function as it is now; it is in force for every call from now on. */
  put(given: StoredFunction): void {
    const stored = { ...given, settings: this.#shared(given.settings) };
    const before = this.#entries.get(stored.id);
    if (before !== undefined && before.stored.name !== stored.name) this.#idsByName.delete(before.stored.name);
    this.#entries.set(stored.id, { stored, revision: ++this.#changes, aliases: undefined, knownAliases: undefined });
    this.#idsByName.set(stored.name, stored.id);
    this.#noteJobs(stored.id, stored.settings);
    if (before === undefined) return;
    if (before.stored.name !== stored.name || before.stored.settings !== stored.settings) this.rebind(stored.id);
  }

  #noteJobs(id: string, settings: FunctionSettings | undefined): void {
    if (settings?.schedule === undefined) this.#scheduled.delete(id);
    else this.#scheduled.add(id);
    if (settings?.jobConcurrency === undefined) this.#jobLimits.delete(id);
    else this.#jobLimits.set(id, settings.jobConcurrency);
  }

  /** Equal settings are one object: most functions have the same, and there may be many. */
  #shared(settings: FunctionSettings): FunctionSettings {
    const text = JSON.stringify(settings);
    const known = this.#settings.get(text);
    if (known !== undefined) return known;
    this.#settings.set(text, settings);
    return settings;
  }

  /** Another version is its active one now, as the store has it: a split of `live` is over. Undefined where the function is gone. */
  async activated(functionId: string): Promise<StoredFunction | undefined> {
    if (await this.#store.deleteAlias(functionId, LIVE_ALIAS)) this.realias(functionId);
    return await this.refresh(functionId);
  }

  /** Takes a function in as the store has it. Undefined where it is gone. */
  async refresh(functionId: string): Promise<StoredFunction | undefined> {
    const stored = await this.#store.findFunction({ id: functionId });
    if (stored !== undefined) this.put(stored);
    return stored;
  }

  /** Takes in all functions as the store has them, since changes may have been missed. */
  async reload(): Promise<void> {
    // As it is now: a change that is taken in while we are reading must not hide that one before it was missed.
    const before = new Map([...this.#entries].map(([id, { stored }]) => [id, stored.updatedAtMs]));
    const missing = new Set(before.keys());
    let cursor: string | undefined;
    do {
      const page = await this.#store.listFunctions({ sort: "name", limit: START_PAGE, cursor });
      for (const stored of page.items) {
        missing.delete(stored.id);
        this.put(stored);
        const knownMs = before.get(stored.id);
        if (knownMs !== undefined && knownMs !== stored.updatedAtMs) this.rebind(stored.id);
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
    // One may have been renamed while we were reading.
    for (const id of missing) if ((await this.refresh(id)) === undefined) this.remove(id);
  }

  /** Its variables, secrets or settings are others now: whatever was bound with the old ones ends with what it is doing. */
  rebind(functionId: string): void {
    for (const [key, version] of this.#versions.entries()) {
      if (version.function?.id !== functionId) continue;
      this.#versions.delete(key);
      this.#onStale(version.id);
    }
    const entry = this.#entries.get(functionId);
    if (entry !== undefined) this.#entries.set(functionId, { ...entry, revision: ++this.#changes });
  }

  /** Its aliases are others now. */
  realias(functionId: string): void {
    const entry = this.#entries.get(functionId);
    if (entry !== undefined) entry.aliases = entry.knownAliases = undefined;
  }

  remove(functionId: string): void {
    this.rebind(functionId);
    const entry = this.#entries.get(functionId);
    this.#entries.delete(functionId);
    this.#noteJobs(functionId, undefined);
    if (entry !== undefined) this.#idsByName.delete(entry.stored.name);
  }

  removeVersion(functionId: string, number: number): void {
    for (const mode of [undefined, "native", "wasm"] as const) {
      const version = this.#versions.get(keyOf(functionId, number, mode));
      if (version === undefined) continue;
      this.#versions.delete(keyOf(functionId, number, mode));
      this.#onStale(version.id);
    }
  }

  async #find(id: string, name: string, number: number, asked: ArtifactMode | undefined): Promise<Version> {
    const stored = await this.#store.findVersion(id, number);
    if (stored === undefined) throw noVersion(name, number);
    if (asked !== undefined && stored.artifacts[asked] === undefined) {
      throw new PlatformError(
        "INVALID_REQUEST",
        `mode: version ${number} of function "${name}" has no ${asked} program`,
      );
    }
    const mode = asked ?? stored.mode;
    const known = mode === stored.mode ? this.#versions.get(keyOf(id, number)) : undefined;
    const revision = this.#entries.get(id)?.revision;
    const version = known ?? (await this.#load(stored, mode));
    // What changed while we were loading must not be undone by what we have read before.
    if (this.#entries.get(id)?.revision === revision) {
      const size = 1024 + (known === undefined ? version.program.code.length : 0);
      this.#versions.set(keyOf(id, number, asked), version, { size });
    }
    return version;
  }

  async #artifacts({ artifacts, functionName, number }: StoredVersion, mode: ArtifactMode): Promise<Artifacts> {
    const hash = artifacts[mode]?.hash ?? "";
    const bytes = await this.#store.findBlob(hash);
    if (bytes !== undefined) return { [mode]: bytes };
    // Between the two readings somebody deleted it, or the database is damaged.
    throw new PlatformError(
      "VERSION_NOT_FOUND",
      `version ${number} of function "${functionName}" has lost its program`,
    );
  }

  async #load(stored: StoredVersion, mode: ArtifactMode | undefined): Promise<Version> {
    const { functionId, functionName, number, language, source: text, entry: path, files } = stored;
    const owner = this.#entries.get(functionId);
    if (owner === undefined) throw new PlatformError("FUNCTION_NOT_FOUND", `no function named "${functionName}"`);
    const { settings } = owner.stored;
    const artifacts = mode === undefined ? undefined : await this.#artifacts(stored, mode);
    const program = await this.#programs.prepare(language, { text, entry: path, files, artifacts, mode });
    const { env, secrets } = await this.#variables.load(functionId);
    return {
      id: `${functionId}@${number}${mode === stored.mode ? "" : `:${mode}`}#${owner.revision}`,
      function: { id: functionId, name: functionName, number },
      program,
      style: stored.style,
      egress: shrinkEgress(stored.egress ?? settings.egress, this.#egress),
      concurrency: stored.style === "script" || program.options["style"] === "program" ? 1 : settings.concurrency,
      singleUse: settings.isolation === "fresh",
      env,
      secrets,
    };
  }
}

function keyOf(functionId: string, number: number, mode?: ArtifactMode): string {
  return mode === undefined ? `${functionId}@${number}` : `${functionId}@${number}:${mode}`;
}

function choose({ targets }: StoredAlias): number | undefined {
  let point = Math.random() * 100;
  for (const { version, weight } of targets) {
    point -= weight;
    if (point < 0) return version;
  }
  return targets.at(-1)?.version;
}

export function noVersion(functionName: string, number: number): PlatformError {
  return new PlatformError("VERSION_NOT_FOUND", `function "${functionName}" has no version ${number}`);
}
