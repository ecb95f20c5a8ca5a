import { availableParallelism } from "node:os";

const BRIEF_MS = 0.16; // to be woken takes half of that on a virtual machine; longer runs gain nothing (bench/warm.ts, bench/functions.ts)
const PATIENCE = 1.5; // times what a run takes usually
const TURNS_A_MS = 330; // of the event loop, when there is nothing to do
/** So many runs must have come one after the other: where callers overlap, the loop is awake anyway and the cores have other work. */
const ONE_BY_ONE = 8;

/** What is to be known of a run here. */
interface Awaited {
  readonly settled: boolean;
}

/**
 * Stays awake until the end of a brief run has come in. The event loop would go to sleep, and to be woken takes as long as the run
 * itself: without this a lone warm call takes a quarter longer, and no less CPU (bench/warm.ts). Only where a core is left for it.
 */
export class Lookout {
  readonly #cores: number;
  #last: Awaited = { settled: true };
  #oneByOne = 0;
  #turnsLeft = 0;
  #isAwake = false;

  constructor(cores = availableParallelism()) {
    this.#cores = cores;
  }

  /**
   * A run has been given to a worker.
   *
   * @param usualMs what a run like it takes
   * @param working how many workers want a core now, its own among them
   */
  given(run: Awaited, usualMs: number, working: () => number): void {
    this.#oneByOne = this.#last.settled ? this.#oneByOne + 1 : 0;
    this.#last = run;
    const isWorthIt = usualMs < BRIEF_MS && this.#oneByOne >= ONE_BY_ONE && working() < this.#cores;
    this.#turnsLeft = isWorthIt ? usualMs * PATIENCE * TURNS_A_MS : 0;
    if (!isWorthIt || this.#isAwake) return;
    this.#isAwake = true;
    setImmediate(this.#look);
  }

  /** One for all turns: one for each would be a sixth of what a lone call leaves to the collector. */
  readonly #look = (): void => {
    this.#isAwake = !this.#last.settled && this.#turnsLeft-- > 0;
    if (this.#isAwake) setImmediate(this.#look);
  };
}
