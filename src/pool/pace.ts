// How fast a version's runs are, learnt from its last runs. A microsecond function is better off waiting for its one warm worker
// than taking another one; a slow one is not.
const DECAY = 0.95; // one slow run is forgotten after some 60 fast ones
const FAST_MS = 2;
const ENOUGH_RUNS = 8;

export class Pace {
  #slowestMs = 0;
  #runs = 0;

  ran(runMs: number): void {
    this.#runs++;
    this.#slowestMs = Math.max(runMs, this.#slowestMs * DECAY);
  }

  /** True when the version's runs are known to be so short that waiting in line beats another worker. */
  get fast(): boolean {
    return this.#runs >= ENOUGH_RUNS && this.#slowestMs < FAST_MS;
  }
}
