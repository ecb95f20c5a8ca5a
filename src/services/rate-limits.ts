import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";

const MINUTE_MS = 60_000;
const MAX_BUCKETS = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** How often a function may be called: a bucket that holds a minute's calls, and fills evenly. */
export class RateLimits {
  readonly #clock: Clock;
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_BUCKETS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws PlatformError RATE_LIMITED, with the seconds until the next call may be made */
  take(functionId: string, callsPerMinute: number): void {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(functionId) ?? { tokens: callsPerMinute, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) / MINUTE_MS) * callsPerMinute;
    bucket.tokens = Math.min(callsPerMinute, refilled);
    bucket.atMs = nowMs;
    this.#buckets.set(functionId, bucket);
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return;
    }
    const waitMs = Math.round(((1 - bucket.tokens) / callsPerMinute) * MINUTE_MS);
    const retryAfterS = Math.ceil(waitMs / 1000);
    throw new PlatformError("RATE_LIMITED", `this function takes ${callsPerMinute} calls a minute`, { retryAfterS });
  }
}
