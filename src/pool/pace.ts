// How fast a version's runs are, learnt from its last runs. A microsecond function is better off waiting for its one warm worker
// than taking another one; a slow one is not.
const FAST_MS = 5; // a fraction of what another worker would cost to boot
const ENOUGH_RUNS = 8;
/** Nine runs in ten are shorter than the estimate: each longer one moves it up nine times as far as a shorter one moves it down. */
const STEP_DOWN = 0.98;
const STEP_UP = STEP_DOWN ** -9;
const LEAST_MS = 0.01;

export class Pace {
  #slowMs = FAST_MS;
  #runs = 0;

  ran(runMs: number): void {
    this.#runs++;
    if (this.#runs === 1) this.#slowMs = runMs;
    this.#slowMs = Math.max(LEAST_MS, this.#slowMs * (runMs > this.#slowMs ? STEP_UP : STEP_DOWN));
  }

  get known(): boolean {
    return this.#runs >= ENOUGH_RUNS;
  }

  /** True when the version's runs are known to be so short that waiting in line beats another worker. */
  get fast(): boolean {
    return this.known && this.#slowMs < FAST_MS;
  }
}
