import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import { isJson } from "../core/json-text.ts";
import type { KvChange, KvResult, KvScope, Page, Store } from "../store/store.ts";

export const KV_LIMITS = {
  keyBytes: 512,
  valueBytes: 256 * 1024,
  scopeBytes: 100 * 1024 * 1024,
  listEntries: 1000,
} as const;
const MIB = 1024 * 1024;
const MAX_TTL_MS = 10 * 365 * 24 * 3600 * 1000;

export interface KvEntry {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  readonly expiresAtMs: number | undefined;
}

/** The keys and values of functions, within their limits. Values are JSON text. */
export class Kv {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async get(scope: KvScope, key: string): Promise<string | undefined> {
    checkKey(key);
    return await this.#store.kvGet(scope, key, this.#clock.now());
  }

  /** @param ttlMs undefined: it stays */
  async set(scope: KvScope, key: string, value: string, ttlMs?: number): Promise<void> {
    checkValue(value);
    await this.#change(scope, { kind: "set", key, value, expiresAtMs: this.#expiry(ttlMs) });
  }

  /** False where there was none. */
  async delete(scope: KvScope, key: string): Promise<boolean> {
    return (await this.#change(scope, { kind: "delete", key })).applied;
  }

  /** The sum. A key that is not there counts as 0. */
  async incr(scope: KvScope, key: string, by: number): Promise<number> {
    const { value } = await this.#change(scope, { kind: "incr", key, by });
    return Number(value);
  }

  /** True where `old` was there, and `next` is now; undefined stands for "none". */
  async cas(scope: KvScope, key: string, old: string | undefined, next: string | undefined): Promise<boolean> {
    if (next !== undefined) checkValue(next);
    return (await this.#change(scope, { kind: "cas", key, old, next })).applied;
  }

  async list(
    scope: KvScope,
    query: { readonly prefix?: string | undefined; readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<KvEntry>> {
    const limit = Math.min(query.limit, KV_LIMITS.listEntries);
    return await this.#store.kvList(scope, { ...query, limit, nowMs: this.#clock.now() });
  }

  async #change(scope: KvScope, change: KvChange): Promise<KvResult & { readonly ok: true }> {
    checkKey(change.key);
    const result = await this.#store.kvChange(scope, change, KV_LIMITS.scopeBytes, this.#clock.now());
    if (result.ok) return result;
    if (result.why === "not-a-number") {
      throw new PlatformError("INVALID_REQUEST", `key ${JSON.stringify(change.key)} does not hold a number`);
    }
    throw new PlatformError(
      "STORE_FULL",
      `the store is full (max ${KV_LIMITS.scopeBytes / MIB} MiB of keys and values)`,
    );
  }

  #expiry(ttlMs: number | undefined): number | undefined {
    if (ttlMs === undefined) return undefined;
    if (!Number.isFinite(ttlMs) || ttlMs <= 0 || ttlMs > MAX_TTL_MS) {
      throw new PlatformError("INVALID_REQUEST", "ttl must be a number of seconds above 0, ten years at most");
    }
    return this.#clock.now() + Math.ceil(ttlMs);
  }
}

function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0) throw new PlatformError("INVALID_REQUEST", "key must not be empty");
  if (bytes > KV_LIMITS.keyBytes) {
    throw new PlatformError("INVALID_REQUEST", `key too long: ${bytes} bytes (max ${KV_LIMITS.keyBytes})`);
  }
}

function checkValue(value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes > KV_LIMITS.valueBytes) {
    throw new PlatformError("STORE_FULL", `value too large: ${bytes} bytes of JSON (max ${KV_LIMITS.valueBytes})`);
  }
  if (!isJson(value)) throw new PlatformError("INVALID_REQUEST", "value is not JSON");
}
