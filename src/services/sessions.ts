// Browsers that have logged in with a key. The cookie is random bytes of its own, never the key; only its hash is kept.
import { randomBytes } from "node:crypto";
import type { Scope } from "../core/access.ts";
import type { Clock } from "../core/clock.ts";
import type { Store, StoredSession } from "../store/store.ts";
import { hashOf, type Keys } from "./keys.ts";

const COOKIE_BYTES = 32;
export const SESSION_MS = 12 * 3600 * 1000;

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
    const key = this.#keys.find(secret);
    if (key === undefined) return undefined;
    const { id: keyId, name: keyName, scope } = key;
    const cookie = randomBytes(COOKIE_BYTES).toString("base64url");
    const expiresAtMs = this.#clock.now() + SESSION_MS;
    const session = { hash: hashOf(cookie), keyId, scope, expiresAtMs };
    await this.#store.addSession(session);
    this.#dropExpired();
    this.#sessions.set(session.hash, session);
    return { cookie, holder: { scope, keyName, expiresAtMs } };
  }

  /** Undefined where there is none, it has expired, or its key has been removed. */
  find(cookie: string): SessionHolder | undefined {
    const session = this.#sessions.get(hashOf(cookie));
    if (session === undefined) return undefined;
    const { keyId, scope, expiresAtMs } = session;
    const key = this.#keys.byId(keyId);
    if (expiresAtMs <= this.#clock.now() || key === undefined) {
      this.#sessions.delete(session.hash);
      return undefined;
    }
    return { scope, keyName: key.name, expiresAtMs };
  }

  /** Resolves when it lets nobody in any more; to false where there was none. */
  async end(cookie: string): Promise<boolean> {
    const hash = hashOf(cookie);
    this.#sessions.delete(hash);
    return await this.#store.removeSession(hash);
  }

  #dropExpired(): void {
    const nowMs = this.#clock.now();
    for (const [hash, { expiresAtMs }] of this.#sessions) if (expiresAtMs <= nowMs) this.#sessions.delete(hash);
  }
}
