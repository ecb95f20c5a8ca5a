import { LRUCache } from "lru-cache";
import type { EgressPolicy } from "../core/egress-policy.ts";
import { PlatformError } from "../core/errors.ts";
import { contentHash } from "../core/id.ts";
import type { Program, Source, Version } from "../core/program.ts";
import type { Runtime, RuntimeSearch } from "../runtimes/runtime.ts";

const CACHE_CHARS = 32 * 1024 * 1024;

/** Makes source ready to run, once per content: TypeScript is compiled at upload or at first sight, never per call. */
export class Programs {
  readonly #runtimes = new Map<string, Runtime>();
  readonly #missing = new Map<string, string>();
  /** Promises, so that two callers with the same new code share one compilation. */
  readonly #prepared = new LRUCache<string, Promise<Program>>({
    maxSize: CACHE_CHARS,
    maxEntrySize: CACHE_CHARS,
    max: 20_000,
  });

  constructor(searches: readonly RuntimeSearch[]) {
    for (const search of searches) {
      const languages = search.found ? search.runtime.languages : search.languages;
      for (const language of languages) {
        if (search.found) this.#runtimes.set(language, search.runtime);
        else this.#missing.set(language, search.reason);
      }
    }
  }

  /** The languages that can run here. */
  get languages(): string[] {
    return [...this.#runtimes.keys()];
  }

  /** @throws PlatformError UNSUPPORTED_LANGUAGE, naming the language and those that are installed */
  check(language: string): void {
    if (this.#runtimes.has(language)) return;
    const installed = `installed: ${this.languages.join(", ")}`;
    const missing = this.#missing.get(language);
    const why = missing === undefined ? "" : ` (${missing})`;
    throw new PlatformError(
      "UNSUPPORTED_LANGUAGE",
      `unsupported language ${JSON.stringify(language)}${why}; ${installed}`,
    );
  }

  /** @throws PlatformError UNSUPPORTED_LANGUAGE */
  async prepare(language: string, source: Source): Promise<Program> {
    const { text, entry, files = {}, mode } = source;
    this.check(language);
    // The mode names the language of what runs. There is nothing to prepare, and megabytes would be kept.
    if (mode !== undefined) return await this.#runtime(mode).prepare(language, source);
    const more = entry === undefined ? [] : [entry, ...Object.entries(files).flat()];
    return await this.#prepare(contentHash(language, text, ...more), language, source);
  }

  /** Code that belongs to no function. The same code with the same egress has the same identity: served warm when it comes again. */
  async adHoc(language: string, source: string, egress: EgressPolicy): Promise<Version> {
    this.check(language);
    const hash = contentHash(language, source);
    const program = await this.#prepare(hash, language, { text: source });
    if (Buffer.isBuffer(program.code)) {
      throw new PlatformError(
        "INVALID_REQUEST",
        `a program of language ${JSON.stringify(language)} is deployed first; only scripts can be run as a text`,
      );
    }
    const reach = egress === "none" ? "" : `:${contentHash(JSON.stringify(egress))}`;
    const id = `ad-hoc:${hash}${reach}`;
    return { id, function: undefined, program, egress, concurrency: 1, singleUse: false, env: {}, secrets: [] };
  }

  async #prepare(hash: string, language: string, source: Source): Promise<Program> {
    const known = this.#prepared.get(hash);
    if (known !== undefined) return await known;
    const preparing = this.#runtime(language).prepare(language, source);
    this.#prepared.set(hash, preparing, { size: sizeOf(source) * 4 + 1024 });
    try {
      return await preparing;
    } catch (error) {
      this.#prepared.delete(hash);
      throw error;
    }
  }

  #runtime(language: string): Runtime {
    const runtime = this.#runtimes.get(language);
    if (runtime === undefined) throw new PlatformError("INTERNAL", `no runtime for ${language}`);
    return runtime;
  }
}

function sizeOf({ text, files = {} }: Source): number {
  return Object.values(files).reduce((chars, file) => chars + file.length, text.length);
}
