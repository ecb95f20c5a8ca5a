// `Idempotency-Key`, as the IETF's draft has it: the same request again is answered as the first, another one is refused.
import { PlatformError } from "../core/errors.ts";
import { contentHash } from "../core/id.ts";
import type { Enqueued, OnceKey } from "../queue/queue.ts";

const KEPT_MS = 24 * 3_600_000;
const MAX_KEY_CHARS = 255;

/**
 * @param key as the caller sent it; undefined: none
 * @param scope keys of different scopes have nothing to do with each other
 * @param request what is asked, as texts
 * @throws PlatformError INVALID_REQUEST
 */
export function onceKey(key: string | undefined, scope: string, ...request: readonly string[]): OnceKey | undefined {
  if (key === undefined) return undefined;
  if (key === "" || key.length > MAX_KEY_CHARS || !/^[\x20-\x7e]+$/.test(key)) {
    throw new PlatformError("INVALID_REQUEST", `Idempotency-Key: 1 to ${MAX_KEY_CHARS} printable ASCII characters`);
  }
  return { key: contentHash(scope, key), fingerprint: contentHash(...request), forMs: KEPT_MS };
}

/** @throws PlatformError IDEMPOTENCY_KEY_REUSED where the key came with another request before */
export function checkSameRequest({ isNew, fingerprint, jobId }: Enqueued, once: OnceKey | undefined): void {
  if (isNew || once === undefined || fingerprint === once.fingerprint) return;
  const message = `this Idempotency-Key came with another request within the last 24 hours (job ${jobId})`;
  throw new PlatformError("IDEMPOTENCY_KEY_REUSED", message, { details: { jobId } });
}
