import type { RetrySettings } from "../core/function.ts";

/** Longer ones are cut to it: a function must not hold its own jobs for a day. */
export const MAX_RETRY_AFTER_MS = 3_600_000;
const MAX_DOUBLINGS = 40; // beyond it any wait is at its most, and numbers would lose their meaning

/**
 * Milliseconds until the next attempt: a random share of a wait that doubles ("full jitter"), so that jobs which failed together
 * do not come back together.
 *
 * @param attempt the one that has failed, from 1
 * @param random from 0 to below 1
 */
export function backoffMs(
  attempt: number,
  { backoffMs: firstMs, maxBackoffMs }: RetrySettings,
  random: number,
): number {
  const doublings = Math.min(Math.max(0, attempt - 1), MAX_DOUBLINGS);
  return Math.round(random * Math.min(maxBackoffMs, firstMs * 2 ** doublings));
}

/**
 * What a `Retry-After` asks for, in milliseconds from now; undefined where it says nothing that is understood.
 *
 * @param value seconds, or an HTTP date
 */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : /[a-z]{3}/i.test(text) ? Date.parse(text) - nowMs : NaN;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), MAX_RETRY_AFTER_MS);
}
