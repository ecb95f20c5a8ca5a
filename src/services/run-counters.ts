// What /metrics shows of executions. Counted where their records are written, behind the replies: a call pays nothing for it.
import type { Execution, ExecutionStatus, Trigger } from "../core/execution.ts";
import type { Clock } from "../core/clock.ts";
import type { Store } from "../store/store.ts";
import { History } from "./history.ts";
import { RecentRuns } from "./recent-runs.ts";

/** Upper bounds in milliseconds; from a warm call to the longest timeout. */
export const BUCKETS_MS = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000,
] as const;

export interface Histogram {
  /** How many were at most as long as the bound of the same place, and longer than the one before; one more for all beyond. */
  readonly counts: number[];
  sumMs: number;
  count: number;
}

export interface StatusCount {
  readonly trigger: Trigger;
  readonly status: ExecutionStatus;
  readonly language: string;
  count: number;
}

/** Sums since the start. Labels are of small sets: no function's name is one. */
class RunCounters {
  readonly #byStatus = new Map<string, StatusCount>();
  /** The one that counted last: most runs are like the one before, and need no name looked up. */
  #last: StatusCount | undefined;
  readonly runs = new Map<Trigger, Histogram>();
  readonly waits = new Map<Trigger, Histogram>();
  coldStarts = 0;

  get byStatus(): readonly StatusCount[] {
    return [...this.#byStatus.values()];
  }

  count({ trigger, status, language, runMs, waitMs, coldStart }: Execution): void {
    const last = this.#last;
    if (last?.trigger === trigger && last.status === status && last.language === language) last.count++;
    else this.#countNamed(trigger, status, language);
    observe(this.runs, trigger, runMs);
    observe(this.waits, trigger, waitMs);
    if (coldStart) this.coldStarts++;
  }

  #countNamed(trigger: Trigger, status: ExecutionStatus, language: string): void {
    const name = `${trigger} ${status} ${language}`;
    let counted = this.#byStatus.get(name);
    if (counted === undefined) this.#byStatus.set(name, (counted = { trigger, status, language, count: 0 }));
    counted.count++;
    this.#last = counted;
  }
}

/** A history that counts what it records. */
export class CountedHistory extends History {
  readonly counters = new RunCounters();
  readonly recent: RecentRuns;

  constructor(store: Store, clock: Clock, log: (line: string) => void) {
    super(store, clock, log);
    this.recent = new RecentRuns(clock);
  }

  protected override note(execution: Execution): void {
    if (execution.status === "running") return; // it is written again when it is over
    this.counters.count(execution);
    this.recent.count(execution);
  }
}

function observe(histograms: Map<Trigger, Histogram>, trigger: Trigger, ms: number): void {
  let histogram = histograms.get(trigger);
  if (histogram === undefined) {
    histogram = { counts: Array.from({ length: BUCKETS_MS.length + 1 }, () => 0), sumMs: 0, count: 0 };
    histograms.set(trigger, histogram);
  }
  const place = BUCKETS_MS.findIndex((bound) => ms <= bound);
  const at = place < 0 ? BUCKETS_MS.length : place;
  histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
  histogram.sumMs += ms;
  histogram.count++;
}
