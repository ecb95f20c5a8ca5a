// How fast a version's runs are, learnt from its last runs. A microsecond function is better off waiting for its one warm worker
// than taking another one; a slow one is not.
const FAST_MS = 5; // a fraction of what another worker would cost to boot
const ENOUGH_RUNS = 8;
/** Nine runs in ten are shorter than the estimate: each longer one moves it up nine times as far as a shorter one moves it down. */
const STEP_DOWN = 0.98;
const STEP_UP = STEP_DOWN ** -9;
const LEAST_MS = 0.01;
/** As many runs are longer than the estimate as are shorter. */
const STEP_TO_USUAL = 1.05;
const NEW_SHARE = 1 / 16; // of a mean
const HICCUP_MS = 20; // what a longer run counts for in the mean: one in ten makes nothing slow

export class Pace {
  #slowMs = FAST_MS;
  #usualMs = FAST_MS;
  #meanMs = 0;
  #cpuMs = 0;
  #runs = 0;

  /** @param cpuMs undefined where the worker does not say what a run costs */
  ran(runMs: number, cpuMs = runMs): void {
    this.#runs++;
    if (this.#runs === 1) this.#slowMs = this.#usualMs = runMs;
    const isLong = runMs > this.#usualMs;
    this.#usualMs = Math.max(LEAST_MS, isLong ? this.#usualMs * STEP_TO_USUAL : this.#usualMs / STEP_TO_USUAL);
    this.#slowMs = Math.max(LEAST_MS, this.#slowMs * (runMs > this.#slowMs ? STEP_UP : STEP_DOWN));
    const newShare = Math.max(NEW_SHARE, 1 / this.#runs);
    this.#meanMs += (Math.min(runMs, HICCUP_MS) - this.#meanMs) * newShare;
    this.#cpuMs += (Math.min(cpuMs, HICCUP_MS) - this.#cpuMs) * newShare;
  }

  get known(): boolean {
    return this.#runs >= ENOUGH_RUNS;
  }

  /** Of one run, on average. What the worker says, so good for nothing that concerns others. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /**
   * True when its runs are known to be over so soon that it cannot keep others from a core. Runs that wait for one take long now and
   * then, but not on average: so many ended meanwhile.
   */
  get quick(): boolean {
    return this.known && this.#meanMs < FAST_MS;
  }

  /** True when the version's runs are known to be so short that waiting in line beats another worker. */
  get fast(): boolean {
    return this.known && this.#slowMs < FAST_MS;
  }

  /** Of one run, from the server's side: half of them take longer. */
  get usualMs(): number {
    return this.#usualMs;
  }
}
