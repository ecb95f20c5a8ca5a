// API keys. Only their hashes are kept: whoever reads the database cannot call with them. A key has 256 random bits, so a
// plain SHA-256 is enough; slow hashes are for what people can remember.
import { createHash, randomBytes } from "node:crypto";
import type { Scope } from "../core/access.ts";
import type { Clock } from "../core/clock.ts";
import { newId } from "../core/id.ts";
import type { Store, StoredKey } from "../store/store.ts";

const PREFIX = "clo_"; // so that scanners for leaked secrets can know one
const SECRET_BYTES = 32;
const HINT_CHARS = 8;

/** What may be shown of a key. */
export type KeyRecord = Omit<StoredKey, "hash"> & {
  /** Unix milliseconds; undefined where it has not been used since this server started. */
  readonly lastUsedAtMs: number | undefined;
};

/** Whom a key was given to. */
export interface KeyHolder {
  /** Undefined for the operator's, which is in no list. */
  readonly id: string | undefined;
  readonly name: string;
  readonly scope: Scope;
}

const OPERATOR: KeyHolder = { id: undefined, name: "operator", scope: "admin" };

export class Keys {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #operatorHash: string | undefined;
  /** By hash. Looking a hash up tells nothing by its time: nobody can choose the hash of a key that is not known. */
  #keys: Map<string, StoredKey>;
  /** By id. Not kept: writing it down with each call would cost more than it tells. */
  readonly #lastUses = new Map<string, number>();

  /** @param operatorKey a key with all rights that the operator has set; it is in no list */
  static async open(store: Store, clock: Clock, operatorKey: string | undefined): Promise<Keys> {
    return new Keys(store, clock, operatorKey, await store.listKeys());
  }

  private constructor(store: Store, clock: Clock, operatorKey: string | undefined, stored: readonly StoredKey[]) {
    this.#store = store;
    this.#clock = clock;
    this.#operatorHash = operatorKey === undefined ? undefined : hashOf(operatorKey);
    this.#keys = byHash(stored);
  }

  /** Takes in all keys as the store has them, since another server may have changed them. */
  async reload(): Promise<void> {
    this.#keys = byHash(await this.#store.listKeys());
  }

  /** True when nobody could be let in. */
  get none(): boolean {
    return this.#keys.size === 0 && this.#operatorHash === undefined;
  }

  list(): KeyRecord[] {
    return [...this.#keys.values()].map(({ hash: _hash, ...record }) => ({
      ...record,
      lastUsedAtMs: this.#lastUses.get(record.id),
    }));
  }

  /** Resolves when it is durable. `secret` is shown this once and cannot be had again. */
  async create(name: string, scope: Scope): Promise<{ readonly record: KeyRecord; readonly secret: string }> {
    const secret = PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
    const record = { id: newId(), name, scope, hint: secret.slice(0, HINT_CHARS), createdAtMs: this.#clock.now() };
    const stored = { ...record, hash: hashOf(secret) };
    await this.#store.addKey(stored);
    this.#keys.set(stored.hash, stored);
    return { record: { ...record, lastUsedAtMs: undefined }, secret };
  }

  /** Resolves when it lets nobody in any more; to false where there was none. */
  async remove(id: string): Promise<boolean> {
    for (const [hash, key] of this.#keys) if (key.id === id) this.#keys.delete(hash);
    this.#lastUses.delete(id);
    return await this.#store.removeKey(id);
  }

  /** Undefined for what is no key, or none any more. */
  find(secret: string): KeyHolder | undefined {
    const hash = hashOf(secret);
    if (hash === this.#operatorHash) return OPERATOR;
    const key = this.#keys.get(hash);
    if (key !== undefined) this.#lastUses.set(key.id, this.#clock.now());
    return key;
  }

  /** Undefined where there is no such key any more; `id` undefined is the operator's. */
  byId(id: string | undefined): KeyHolder | undefined {
    return id === undefined ? OPERATOR : [...this.#keys.values()].find((key) => key.id === id);
  }

  /** By what a session's cookie is known that the operator's key has opened: another key makes it another one. Undefined without such a key. */
  operatorSessionHash(cookie: string): string | undefined {
    return this.#operatorHash === undefined ? undefined : hashOf(`${this.#operatorHash} ${cookie}`);
  }

  /** Undefined for what is no key, or none any more. */
  scopeOf(secret: string): Scope | undefined {
    return this.find(secret)?.scope;
  }
}

function byHash(keys: readonly StoredKey[]): Map<string, StoredKey> {
  return new Map(keys.map((key) => [key.hash, key]));
}

/** Of a key or of a session's cookie, hexadecimal. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
