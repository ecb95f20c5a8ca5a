// Who may do what. A server on loopback is open to the programs of its machine (`guard.ts` keeps web pages out); on any other
// address everything but health and the front page needs a key.
import type { IncomingMessage } from "node:http";
import { LRUCache } from "lru-cache";
import { grants, type Scope } from "../core/access.ts";
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import type { Keys } from "../services/keys.ts";
import { checkLoopbackCaller, checkOneHost, isLoopback } from "./guard.ts";

/** Nobody guesses 256 bits; this keeps a guesser from costing more than his packets, and his tries out of the log. */
const MAX_FAILURES = 20;
const FAILURES_FORGOTTEN_MS = 60_000;
const REMEMBERED_ADDRESSES = 10_000;

export class Access {
  readonly #open: boolean;
  readonly #keys: Keys;
  readonly #clock: Clock;
  /** Address -> when each of its last failures will be forgotten. */
  readonly #failures = new LRUCache<string, number[]>({ max: REMEMBERED_ADDRESSES });

  /** @param host what the server listens on */
  constructor(host: string, keys: Keys, clock: Clock) {
    this.#open = isLoopback(host);
    this.#keys = keys;
    this.#clock = clock;
  }

  /** @throws PlatformError INVALID_REQUEST, HOST_NOT_ALLOWED */
  checkCaller(message: IncomingMessage): void {
    checkOneHost(message);
    if (this.#open) checkLoopbackCaller(message);
  }

  /** @throws PlatformError KEY_REQUIRED, TOO_MANY_ATTEMPTS, SCOPE_MISSING */
  checkKey(message: IncomingMessage, needed: Scope | "none"): void {
    if (this.#open || needed === "none") return;
    const secret = /^Bearer +(\S+)$/i.exec(message.headers.authorization ?? "")?.[1];
    if (secret === undefined) {
      throw new PlatformError("KEY_REQUIRED", "a key is required here: Authorization: Bearer KEY");
    }
    const address = message.socket.remoteAddress ?? "";
    const nowMs = this.#clock.monotonicMs();
    const failures = (this.#failures.get(address) ?? []).filter((untilMs) => untilMs > nowMs);
    if (failures.length >= MAX_FAILURES) {
      throw new PlatformError("TOO_MANY_ATTEMPTS", `${MAX_FAILURES} unknown keys within a minute from this address`);
    }
    const held = this.#keys.scopeOf(secret);
    if (held === undefined) {
      this.#failures.set(address, [...failures, nowMs + FAILURES_FORGOTTEN_MS]);
      throw new PlatformError("KEY_REQUIRED", "this key is unknown, or has been removed");
    }
    if (!grants(held, needed)) {
      throw new PlatformError("SCOPE_MISSING", `this key has scope "${held}"; "${needed}" is needed here`);
    }
  }
}
