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
  #sessions: Map<string, StoredSession>;

  static async open(store: Store, keys: Keys, clock: Clock): Promise<Sessions> {
    return new Sessions(store, keys, clock, await store.listSessions(clock.now()));
  }

  private constructor(store: Store, keys: Keys, clock: Clock, stored: readonly StoredSession[]) {
    this.#store = store;
    this.#keys = keys;
    this.#clock = clock;
    this.#sessions = byHash(stored);
  }

  /** Takes in all sessions as the store has them, since another server may have changed them. */
  async reload(): Promise<void> {
    this.#sessions = byHash(await this.#store.listSessions(this.#clock.now()));
  }

  /** Opens one that ends after `SESSION_MS`. Undefined for what is no key. */
  async open(secret: string): Promise<NewSession | undefined> {
    const key = this.#keys.find(secret);
    if (key === undefined) return undefined;
    const { id: keyId, name: keyName, scope } = key;
    const cookie = randomBytes(COOKIE_BYTES).toString("base64url");
    const expiresAtMs = this.#clock.now() + SESSION_MS;
    const hash = keyId === undefined ? this.#keys.operatorSessionHash(cookie) : hashOf(cookie);
    if (hash === undefined) return undefined;
    const session = { hash, keyId, scope, expiresAtMs };
    await this.#store.addSession(session);
    this.#dropExpired();
    this.#sessions.set(session.hash, session);
    return { cookie, holder: { scope, keyName, expiresAtMs } };
  }

  /** Undefined where there is none, it has expired, or its key has been removed. */
  find(cookie: string): SessionHolder | undefined {
    const session = this.#session(cookie);
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
    const hash = this.#session(cookie)?.hash;
    if (hash === undefined) return false;
    this.#sessions.delete(hash);
    return await this.#store.removeSession(hash);
  }

  /** One that the operator's key has opened is only found while that key is the same: it is a setting, and may be another one since. */
  #session(cookie: string): StoredSession | undefined {
    const session = this.#sessions.get(hashOf(cookie));
    if (session?.keyId !== undefined) return session;
    return this.#sessions.get(this.#keys.operatorSessionHash(cookie) ?? "");
  }

  #dropExpired(): void {
    const nowMs = this.#clock.now();
    for (const [hash, { expiresAtMs }] of this.#sessions) if (expiresAtMs <= nowMs) this.#sessions.delete(hash);
  }
}

function byHash(sessions: readonly StoredSession[]): Map<string, StoredSession> {
  return new Map(sessions.map((session) => [session.hash, session]));
}
