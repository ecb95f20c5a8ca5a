// Browsers that have logged in with a key. The cookie is random bytes of its own, never the key; only its hash is kept.
import { createHash, randomBytes } from "node:crypto";
import type { Scope } from "../core/access.ts";
import type { Clock } from "../core/clock.ts";
import type { Store, StoredKey, StoredSession } from "../store/store.ts";
import type { Keys } from "./keys.ts";

const COOKIE_BYTES = 32;
export const SESSION_MS = 12 * 3600 * 1000;
const OPERATOR_NAME = "operator";

/** Who is behind a session. */
export interface SessionHolder {
  readonly scope: Scope;
  /** Name of the key it was opened with. */
  readonly keyName: string;
  /** Unix milliseconds. */
  readonly expiresAtMs: number;
}

export interface NewSession {
  /** What the browser keeps; it cannot be had again. */
  readonly cookie: string;
  readonly holder: SessionHolder;
}

export class Sessions {
  readonly #store: Store;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #sessions: Map<string, StoredSession>;

  static async open(store: Store, keys: Keys, clock: Clock): Promise<Sessions> {
    const stored = await store.listSessions(clock.now());
    // The operator's key is a setting: it may be another one since, so whoever came in with it logs in again.
    const orphans = stored.filter(({ keyId }) => keyId === undefined);
    for (const { hash } of orphans) await store.removeSession(hash);
    return new Sessions(
      store,
      keys,
      clock,
      stored.filter(({ keyId }) => keyId !== undefined),
    );
  }

  private constructor(store: Store, keys: Keys, clock: Clock, stored: readonly StoredSession[]) {
    this.#store = store;
    this.#keys = keys;
    this.#clock = clock;
    this.#sessions = new Map(stored.map((session) => [session.hash, session]));
  }

  /** Opens one that ends after `SESSION_MS`. Undefined for what is no key. */
  async open(secret: string): Promise<NewSession | undefined> {
    const scope = this.#keys.scopeOf(secret);
    if (scope === undefined) return undefined;
    const key = await this.#storedKey(secret);
    const cookie = randomBytes(COOKIE_BYTES).toString("base64url");
    const expiresAtMs = this.#clock.now() + SESSION_MS;
    const session = { hash: hashOf(cookie), keyId: key?.id, scope, expiresAtMs };
    await this.#store.addSession(session);
    this.#dropExpired();
    this.#sessions.set(session.hash, session);
    return { cookie, holder: { scope, keyName: key?.name ?? OPERATOR_NAME, expiresAtMs } };
  }

  /** Undefined where there is none, it has expired, or its key has been removed. */
  find(cookie: string): SessionHolder | undefined {
    const session = this.#sessions.get(hashOf(cookie));
    if (session === undefined) return undefined;
    const { keyId, scope, expiresAtMs } = session;
    const key = keyId === undefined ? undefined : this.#keys.list().find(({ id }) => id === keyId);
    if (expiresAtMs <= this.#clock.now() || (keyId !== undefined && key === undefined)) {
      this.#sessions.delete(session.hash);
      return undefined;
    }
    return { scope, keyName: key?.name ?? OPERATOR_NAME, expiresAtMs };
  }

  /** Resolves when it lets nobody in any more; to false where there was none. */
  async end(cookie: string): Promise<boolean> {
    const hash = hashOf(cookie);
    this.#sessions.delete(hash);
    return await this.#store.removeSession(hash);
  }

  /** What the key is called; undefined for what is no key. */
  async keyName(secret: string): Promise<string | undefined> {
    if (this.#keys.scopeOf(secret) === undefined) return undefined;
    return (await this.#storedKey(secret))?.name ?? OPERATOR_NAME;
  }

  async #storedKey(secret: string): Promise<StoredKey | undefined> {
    const hash = hashOf(secret);
    return (await this.#store.listKeys()).find((key) => key.hash === hash);
  }

  #dropExpired(): void {
    const nowMs = this.#clock.now();
    for (const [hash, { expiresAtMs }] of this.#sessions) if (expiresAtMs <= nowMs) this.#sessions.delete(hash);
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
