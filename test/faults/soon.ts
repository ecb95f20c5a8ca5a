import { setTimeout as delay } from "node:timers/promises";

/**
 * What `look` gives, once it gives something.
 *
 * @throws Error that names `what` after `limitMs`
 */
export async function soon<T>(
  what: string,
  look: () => Promise<T | undefined>,
  limitMs = 60_000,
  stepMs = 50,
): Promise<T> {
  const giveUpAtMs = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > giveUpAtMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(stepMs);
  }
}

/** From 0 to below `limit`. */
export function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}
