// How long a worker takes to print, measured against the same program without us in the same moments: a busy machine slows both.
import { spawn } from "node:child_process";

const MOST_TRIES = 3;

/**
 * How many times as long `printing` takes as `command` does to print into a pipe; the lowest of a few tries, the first that is below `limit`.
 *
 * @param command the same lines, printed by the language alone
 */
export async function timesAsLong(
  printing: () => Promise<unknown>,
  command: readonly [program: string, ...args: string[]],
  limit: number,
): Promise<number> {
  let lowest = Infinity;
  for (let tries = 0; tries < MOST_TRIES && lowest >= limit; tries++) {
    const plainMs = await msOf(() => printed(command));
    lowest = Math.min(lowest, (await msOf(printing)) / plainMs);
  }
  return lowest;
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

/** Resolves when all of it has been read. */
async function printed([program, ...args]: readonly [string, ...string[]]): Promise<void> {
  const { stdout } = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const _chunk of stdout);
}
