import { systemClock } from "../../core/clock.ts";
import type { Clearing } from "./clearing.ts";
import type { ExecutionsTable } from "./executions-table.ts";
import type { Retention } from "./retention.ts";

const PERIOD_MS = 10_000;
const PAUSE_MS = 10; // between two shares, for the calls that have come
const SHARE_MS = 8; // about what a batch of executions takes: a call that comes meanwhile waits no longer than behind one
const OLD_MINUTES = 256; // per share

/** What is done behind the calls, in small shares of the thread's time: clearing away what was deleted, and what is too old. */
export class Housekeeping {
  readonly #clearing: Clearing;
  readonly #retention: Retention;
  readonly #executions: ExecutionsTable;
  #cancel: (() => void) | undefined;
  #turnsLeft = 0;

  constructor(parts: { clearing: Clearing; retention: Retention; executions: ExecutionsTable }) {
    this.#clearing = parts.clearing;
    this.#retention = parts.retention;
    this.#executions = parts.executions;
    this.#turnsLeft = this.#retention.round;
    this.#schedule(PERIOD_MS); // a start has more urgent things to do
  }

  /** There is something to do. */
  wake(): void {
    this.#turnsLeft = this.#retention.round;
    this.#schedule(PAUSE_MS);
  }

  stop(): void {
    this.#cancel?.();
  }

  #schedule(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = systemClock.after(delayMs, () => {
      let isDone = true;
      try {
        isDone = this.#share();
      } catch {
        // The medium fails, as the next call will tell its caller; the next period tries again.
      }
      if (isDone) this.#turnsLeft = this.#retention.round;
      this.#schedule(isDone ? PERIOD_MS : PAUSE_MS);
    });
  }

  /** True when nothing is left to do. */
  #share(): boolean {
    const end = systemClock.monotonicMs() + SHARE_MS;
    while (systemClock.monotonicMs() < end) if (!this.#step()) return true;
    return false;
  }

  /** False where there was nothing to do. */
  #step(): boolean {
    if (this.#clearing.step()) return true;
    const nowMs = systemClock.now();
    if (this.#executions.change(() => this.#retention.sweep(nowMs)) > 0) return true;
    if (--this.#turnsLeft > 0) return true;
    return this.#executions.metrics.removeOld(OLD_MINUTES) > 0;
  }
}
