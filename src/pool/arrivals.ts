// How many idle workers of a base to keep ready: as many as are taken while a new one boots.
const WINDOW_MS = 10_000;
const HEADROOM = 2;

/** Counts how often idle workers of one base are taken. */
export class Arrivals {
  #ratePerMs = 0;
  #lastMs: number;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  taken(nowMs: number): void {
    this.#decay(nowMs);
    this.#ratePerMs += 1 / WINDOW_MS;
  }

  /** Idle workers wanted at this pace; at least one. */
  target(nowMs: number, bootMs: number): number {
    this.#decay(nowMs);
    return 1 + Math.floor(this.#ratePerMs * bootMs * HEADROOM);
  }

  /** Milliseconds from one taking to the next, as far as they are remembered. */
  gapMs(nowMs: number): number {
    this.#decay(nowMs);
    return 1 / this.#ratePerMs;
  }

  #decay(nowMs: number): void {
    this.#ratePerMs *= Math.exp(-(nowMs - this.#lastMs) / WINDOW_MS);
    this.#lastMs = nowMs;
  }
}
