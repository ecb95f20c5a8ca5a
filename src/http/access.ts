// Who may do what. A server on loopback is open to the programs of its machine (`guard.ts` keeps web pages out); on any other
// address everything but health and the front page needs a key, and the management API takes the dashboard's session, too.
import type { IncomingMessage } from "node:http";
import { LRUCache } from "lru-cache";
import { grants, type Scope } from "../core/access.ts";
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import type { Keys } from "../services/keys.ts";
import type { NewSession, Sessions } from "../services/sessions.ts";
import { checkLoopbackHost, checkOneHost, checkOwnOrigin, isLoopback } from "./guard.ts";
import { sessionCookie } from "./session-cookie.ts";

/** Nobody guesses 256 bits; this keeps a guesser from costing more than his packets, and his tries out of the log. */
const MAX_FAILURES = 20;
const FAILURES_FORGOTTEN_MS = 60_000;
const REMEMBERED_ADDRESSES = 10_000;

const PROXIED = ["forwarded", "via", "x-forwarded-for", "x-real-ip"] as const;
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** What a route of the management API asks of its callers: a scope, any key at all, or nothing. */
export type NeededScope = Scope | "any" | "none";

/** Whom a request of the management API comes from. */
export interface Caller {
  readonly scope: Scope;
  /** `open`: nobody needs a key here. */
  readonly via: "open" | "key" | "session";
  /** Unix milliseconds; undefined for what does not end by itself. */
  readonly expiresAtMs: number | undefined;
}

export interface AccessParts {
  /** What the server listens on. */
  readonly host: string;
  readonly keys: Keys;
  readonly sessions: Sessions;
  readonly clock: Clock;
  /** Where callers reach the server, where that is set: its origin is ours, too. */
  readonly baseUrl: string | undefined;
}

export class Access {
  readonly #open: boolean;
  readonly #keys: Keys;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #publicOrigin: string | undefined;
  /** Address -> when each of its last failures will be forgotten. */
  readonly #failures = new LRUCache<string, number[]>({ max: REMEMBERED_ADDRESSES });

  constructor({ host, keys, sessions, clock, baseUrl }: AccessParts) {
    this.#open = isLoopback(host);
    this.#keys = keys;
    this.#sessions = sessions;
    this.#clock = clock;
    this.#publicOrigin = baseUrl === undefined ? undefined : new URL(baseUrl).origin;
  }

  /** @throws PlatformError INVALID_REQUEST, HOST_NOT_ALLOWED */
  checkHost(message: IncomingMessage): void {
    checkOneHost(message);
    if (this.#open) checkLoopbackHost(message);
  }

  /** @throws PlatformError HOST_NOT_ALLOWED */
  checkOrigin(message: IncomingMessage): void {
    if (this.#open) checkOwnOrigin(message);
  }

  /** True where `Authorization` holds a key of this server, which is nobody else's business. */
  isOurs({ headers: { authorization } }: IncomingMessage): boolean {
    return authorization !== undefined && this.#keys.scopeOf(bearerOf(authorization) ?? "") !== undefined;
  }

  /** True for callers who may read the records of executions, too. One behind a proxy is none of the machine's own. */
  maySeeDetails({ headers }: IncomingMessage): boolean {
    const held = this.#keys.scopeOf(bearerOf(headers.authorization ?? "") ?? "");
    if (held !== undefined) return grants(held, "read");
    return this.#open && !PROXIED.some((name) => headers[name] !== undefined);
  }

  /** @throws PlatformError KEY_REQUIRED, TOO_MANY_ATTEMPTS, SCOPE_MISSING */
  checkKey(message: IncomingMessage, needed: Scope | "none"): void {
    if (this.#open || needed === "none") return;
    checkGrant(this.#scopeOfKey(message), needed);
  }

  /**
   * For the management API: a key or a session. A page of another origin is refused whatever it brings, and a browser
   * that changes something in the name of its session must say that the request is from a page of ours.
   *
   * @returns undefined where nothing is needed and nothing is known
   * @throws PlatformError HOST_NOT_ALLOWED, KEY_REQUIRED, TOO_MANY_ATTEMPTS, SCOPE_MISSING
   */
  checkManagement(message: IncomingMessage, needed: NeededScope): Caller | undefined {
    this.#checkPageIsOurs(message);
    if (this.#open) return { scope: "admin", via: "open", expiresAtMs: undefined };
    if (needed === "none") return undefined;
    const caller = this.#caller(message);
    if (needed !== "any") checkGrant(caller.scope, needed);
    return caller;
  }

  /**
   * Opens a session for the owner of a key. Wrong keys count like those in `Authorization`.
   *
   * @throws PlatformError LOGIN_FAILED, TOO_MANY_ATTEMPTS
   */
  async login(message: IncomingMessage, secret: string): Promise<NewSession> {
    this.#checkPatience(message);
    const session = await this.#sessions.open(secret);
    if (session !== undefined) return session;
    this.#countFailure(message);
    throw new PlatformError("LOGIN_FAILED", "this key is unknown, or has been removed");
  }

  async logout(message: IncomingMessage): Promise<void> {
    const cookie = sessionCookie(message);
    if (cookie !== undefined) await this.#sessions.end(cookie);
  }

  /** Name of the key behind a request; undefined where none was needed. */
  keyName(message: IncomingMessage): string | undefined {
    const secret = bearerOf(message.headers.authorization ?? "");
    if (secret !== undefined) return this.#keys.find(secret)?.name;
    return this.#sessions.find(sessionCookie(message) ?? "")?.keyName;
  }

  /** True where the browser came through the https address that `BASE_URL` names. */
  isEncrypted({ headers: { host, origin } }: IncomingMessage): boolean {
    const ours = this.#publicOrigin;
    return ours?.startsWith("https://") === true && (origin === ours || host === new URL(ours).host);
  }

  #caller(message: IncomingMessage): Caller {
    const cookie = message.headers.authorization === undefined ? sessionCookie(message) : undefined;
    if (cookie === undefined) return { scope: this.#scopeOfKey(message), via: "key", expiresAtMs: undefined };
    const session = this.#sessions.find(cookie);
    if (session === undefined) throw new PlatformError("KEY_REQUIRED", "the session is over: log in again");
    if (!SAFE_METHODS.has(message.method ?? "") && !isSaidToBeOurs(message)) {
      throw new PlatformError("HOST_NOT_ALLOWED", "a change made with a session must name its Origin");
    }
    return { scope: session.scope, via: "session", expiresAtMs: session.expiresAtMs };
  }

  #checkPageIsOurs({ headers: { origin, host = "" } }: IncomingMessage): void {
    if (origin === undefined || origin === this.#publicOrigin) return;
    if (origin === `https://${host}` || origin === `http://${host}`) return;
    throw new PlatformError("HOST_NOT_ALLOWED", `origin ${JSON.stringify(origin)} is not this server's own`);
  }

  #scopeOfKey(message: IncomingMessage): Scope {
    const secret = bearerOf(message.headers.authorization ?? "");
    if (secret === undefined) {
      throw new PlatformError("KEY_REQUIRED", "a key is required here: Authorization: Bearer KEY");
    }
    this.#checkPatience(message);
    const held = this.#keys.scopeOf(secret);
    if (held !== undefined) return held;
    this.#countFailure(message);
    throw new PlatformError("KEY_REQUIRED", "this key is unknown, or has been removed");
  }

  #checkPatience(message: IncomingMessage): void {
    if (this.#recentFailures(message).length < MAX_FAILURES) return;
    throw new PlatformError("TOO_MANY_ATTEMPTS", `${MAX_FAILURES} unknown keys within a minute from this address`);
  }

  #countFailure(message: IncomingMessage): void {
    const untilMs = this.#clock.monotonicMs() + FAILURES_FORGOTTEN_MS;
    this.#failures.set(addressOf(message), [...this.#recentFailures(message), untilMs]);
  }

  #recentFailures(message: IncomingMessage): number[] {
    const nowMs = this.#clock.monotonicMs();
    return (this.#failures.get(addressOf(message)) ?? []).filter((untilMs) => untilMs > nowMs);
  }
}

function checkGrant(held: Scope, needed: Scope): void {
  if (grants(held, needed)) return;
  throw new PlatformError("SCOPE_MISSING", `this key has scope "${held}"; "${needed}" is needed here`);
}

/** `checkPageIsOurs` has looked at an Origin that is there; browsers that send none may say it in the other header. */
function isSaidToBeOurs({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers["sec-fetch-site"] === "same-origin";
}

function addressOf(message: IncomingMessage): string {
  return message.socket.remoteAddress ?? "";
}

function bearerOf(authorization: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}
