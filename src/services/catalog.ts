import { LRUCache } from "lru-cache";
import type { EgressPolicy } from "../core/egress-policy.ts";
import { PlatformError } from "../core/errors.ts";
import type { Version } from "../core/program.ts";
import type { Store, StoredVersion } from "../store/store.ts";
import { shrinkEgress } from "./egress.ts";
import type { Programs } from "./programs.ts";

const MAX_VERSIONS = 10_000;
const CACHE_CHARS = 64 * 1024 * 1024;

/** Function name and number to a version that can run; from memory once it has been asked for. */
export class Catalog {
  readonly #store: Store;
  readonly #programs: Programs;
  readonly #egress: EgressPolicy;
  readonly #versions = new LRUCache<string, Version>({ max: MAX_VERSIONS, maxSize: CACHE_CHARS });
  /** Function name -> its latest number. */
  readonly #latest = new LRUCache<string, number>({ max: MAX_VERSIONS });

  /** @param egress the widest that is allowed */
  constructor(store: Store, programs: Programs, egress: EgressPolicy) {
    this.#egress = egress;
    this.#store = store;
    this.#programs = programs;
  }

  /** The version at hand, without waiting; undefined where it must be looked up. */
  cached(functionName: string, number: number | undefined): Version | undefined {
    const wanted = number ?? this.#latest.get(functionName);
    return wanted === undefined ? undefined : this.#versions.get(idOf(functionName, wanted));
  }

  /**
   * @param number undefined: the latest
   * @throws PlatformError FUNCTION_NOT_FOUND, VERSION_NOT_FOUND, STORE_UNAVAILABLE
   */
  async find(functionName: string, number: number | undefined): Promise<Version> {
    const cached = this.cached(functionName, number);
    if (cached !== undefined) return cached;
    const stored = await this.#store.findVersion(functionName, number);
    if (stored !== undefined) {
      const version = await this.#load(stored);
      if (number === undefined) this.#noteLatest(functionName, stored.number);
      return version;
    }
    if (number !== undefined && (await this.#store.hasFunction(functionName))) {
      throw new PlatformError("VERSION_NOT_FOUND", `function "${functionName}" has no version ${number}`);
    }
    throw new PlatformError("FUNCTION_NOT_FOUND", `no function named "${functionName}"`);
  }

  /** Takes in a version that has just been stored; it is in force for every call from now on. */
  async add(stored: StoredVersion): Promise<void> {
    await this.#load(stored);
    this.#noteLatest(stored.functionName, stored.number);
  }

  async #load(stored: StoredVersion): Promise<Version> {
    const { functionName, number, language, source } = stored;
    const program = await this.#programs.prepare(language, source);
    const egress = shrinkEgress(stored.egress, this.#egress);
    const version: Version = { id: idOf(functionName, number), functionName, number, program, egress };
    this.#versions.set(version.id, version, { size: program.code.length + 1024 });
    return version;
  }

  /** An older answer of the store must not undo a newer upload. */
  #noteLatest(functionName: string, number: number): void {
    this.#latest.set(functionName, Math.max(number, this.#latest.peek(functionName) ?? 0));
  }
}

function idOf(functionName: string, number: number): string {
  return `${functionName}@${number}`;
}
