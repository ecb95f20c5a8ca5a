// The last quarter of an hour of the whole server, for those who watch it. In memory: it begins with the server, and each
// node has its own. What is kept for longer is kept for each function, in the store.
import type { Clock } from "../core/clock.ts";
import type { Execution } from "../core/execution.ts";

export const RECENT_STEP_MS = 5_000;
const STEPS = 180;
/** Each bound of the histogram is this much higher than the one before, so a percentile is right within 10 %. */
const GROWTH = 1.1;
const LEAST_MS = 0.05;
const BOUNDS = Math.ceil(Math.log(86_400_000 / LEAST_MS) / Math.log(GROWTH));

/** What ended within one step. */
export interface RecentStep {
  readonly fromMs: number;
  readonly calls: number;
  readonly errors: number;
  readonly coldStarts: number;
  /** Of the run times; undefined where nothing ended. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

interface Counted {
  calls: number;
  errors: number;
  coldStarts: number;
  /** Bound -> how many; most steps see a few bounds only. */
  readonly times: Map<number, number>;
}

export class RecentRuns {
  readonly #clock: Clock;
  /** By number of the step since 1970, the oldest first. */
  readonly #steps = new Map<number, Counted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one that is over at the step of this moment: its record is made right behind its end. */
  count({ status, runMs, coldStart }: Pick<Execution, "status" | "runMs" | "coldStart">): void {
    const step = this.#current();
    step.calls++;
    if (status !== "success") step.errors++;
    if (coldStart) step.coldStarts++;
    const bound = boundOf(runMs);
    step.times.set(bound, (step.times.get(bound) ?? 0) + 1);
  }

  /** Every step of the last quarter of an hour, those in which nothing ended included; the last one is not over. */
  list(): RecentStep[] {
    const last = this.#numberNow();
    return Array.from({ length: STEPS }, (_none, place) => {
      const number = last - STEPS + 1 + place;
      const { calls = 0, errors = 0, coldStarts = 0, times } = this.#steps.get(number) ?? {};
      const at = (share: number): number | undefined =>
        times === undefined ? undefined : quantile(times, calls, share);
      const percentiles = { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
      return { fromMs: number * RECENT_STEP_MS, calls, errors, coldStarts, ...percentiles };
    });
  }

  #current(): Counted {
    const number = this.#numberNow();
    let step = this.#steps.get(number);
    if (step !== undefined) return step;
    step = { calls: 0, errors: 0, coldStarts: 0, times: new Map() };
    this.#steps.set(number, step);
    for (const old of this.#steps.keys()) if (old <= number - STEPS) this.#steps.delete(old);
    return step;
  }

  #numberNow(): number {
    return Math.floor(this.#clock.now() / RECENT_STEP_MS);
  }
}

function boundOf(ms: number): number {
  if (ms <= LEAST_MS) return 0;
  return Math.min(BOUNDS, Math.ceil(Math.log(ms / LEAST_MS) / Math.log(GROWTH)));
}

function quantile(times: ReadonlyMap<number, number>, calls: number, share: number): number {
  let left = Math.max(1, Math.ceil(calls * share));
  for (const [bound, count] of [...times].toSorted(([one], [other]) => one - other)) {
    left -= count;
    if (left <= 0) return LEAST_MS * GROWTH ** bound;
  }
  return 0; // nothing was counted
}
