import { type Clock, systemClock } from "../../core/clock.ts";

const WORK_MS = 0.1; // from one rest to the next
const REST_MS = 0.05; // as long as it takes to wake somebody who waits for the core; the kernel's own slack comes on top
const CELL = new Int32Array(new SharedArrayBuffer(4));

/**
 * Parts a long piece of work of a thread, so that whoever wants its core meanwhile gets it. The kernel lets a thread go on for
 * milliseconds although another one has been woken: on two cores the slowest hundredth of a lone caller's calls takes a sixth longer
 * without (bench/warm.ts).
 */
export class Rests {
  readonly #clock: Clock;
  readonly #sleep: (ms: number) => void;
  #sinceMs: number;

  constructor(clock: Clock = systemClock, sleep: (ms: number) => void = sleepThread) {
    this.#clock = clock;
    this.#sleep = sleep;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Call often. Rests where the last rest was long enough ago. */
  mayTake(): void {
    if (this.#clock.monotonicMs() - this.#sinceMs < WORK_MS) return;
    this.#sleep(REST_MS);
    this.#sinceMs = this.#clock.monotonicMs();
  }
}

function sleepThread(ms: number): void {
  Atomics.wait(CELL, 0, 0, ms);
}
