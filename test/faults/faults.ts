// What is done to a cluster, and what is counted of it. Each fault is tried on real processes; `faults-table.mjs` and the end-to-end
// test run the same ones.
import type { Ledger } from "./job-load.ts";

export interface FaultReport {
  /** What was kept or not: the same for every fault, whether it is of jobs, requests, uploads or fires. */
  readonly accepted: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** From each fault until all was as before. */
  readonly recoveriesMs: readonly number[];
  /** What else there is to say, in a few words. */
  readonly note: string;
}

export interface Fault {
  /** For `--only`. */
  readonly id: string;
  readonly title: string;
  /** At most so often, however many times are asked for: where one time takes a minute. */
  readonly mostTimes?: number;
  /** What it needs and this machine does not have; undefined: nothing. */
  readonly lacks?: () => string | undefined;
  /**
   * @param times how often
   * @param nodes servers, where there are several of them
   */
  readonly run: (times: number, nodes?: number) => Promise<FaultReport>;
}

export function ofJobs(
  { accepted, lost, doubled, repeated, refusals }: Ledger,
  recoveriesMs: readonly number[],
): FaultReport {
  const refused = Object.entries(refusals).map(([why, count]) => `${count} × ${why}`);
  const note = `${repeated} ran again${refused.length === 0 ? "" : `; asked again after ${refused.join(", ")}`}`;
  return { accepted, lost, doubled, recoveriesMs, note };
}
