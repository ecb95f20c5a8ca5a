import { PlatformError } from "../../core/errors.ts";

/** A build takes seconds: who would wait for more than these is better told at once. */
const MAX_WAITING = 16;

/** Lets a few builds at a time pass, in the order in which they came. */
export class BuildLine {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(concurrency: number) {
    this.#free = concurrency;
  }

  /**
   * Resolves, when it is the caller's turn, with what the caller calls when it is through.
   *
   * @throws PlatformError POOL_SATURATED where the line is full, DRAINING where `signal` is aborted
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw draining();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return () => this.#leave();
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) {
      throw new PlatformError("POOL_SATURATED", `${MAX_WAITING} builds are waiting already; try again later`);
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(turn);
        reject(draining());
      };
      const turn = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      this.#waiting.add(turn);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}

export function draining(): PlatformError {
  return new PlatformError("DRAINING", "the server is stopping; the build was not finished");
}
