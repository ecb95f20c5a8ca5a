// What is in the background gets what others leave of the CPU, and on a machine that is full that may be nothing.
import { listQuietly, readQuietly } from "../read-quietly.ts";

const RAN_SHARE = 0.05; // a twentieth of a core: what still gets that is not forgotten
const NS_PER_MS = 1e6;

interface Look {
  readonly atMs: number;
  /** A thread runs, or would. */
  readonly runnable: boolean;
  readonly ranMs: number;
}

/** Sees whether processes want to run and hardly do. */
export class Starvation {
  #last: Look | undefined;

  /** True where they have starved since the last look. */
  look(pids: readonly number[], nowMs: number): boolean {
    const last = this.#last;
    const now = (this.#last = { atMs: nowMs, ...threadsOf(pids) });
    if (last === undefined || !last.runnable || !now.runnable) return false;
    return now.ranMs - last.ranMs < (now.atMs - last.atMs) * RAN_SHARE;
  }
}

/** Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, https://docs.kernel.org/scheduler/sched-stats.html */
function threadsOf(pids: readonly number[]): { runnable: boolean; ranMs: number } {
  let runnable = false;
  let ranMs = 0;
  for (const pid of pids) {
    for (const thread of listQuietly(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`;
      runnable ||= /\) R [^)]*$/.test(readQuietly(`${folder}/stat`)); // a name may hold brackets, too
      ranMs += Number(readQuietly(`${folder}/schedstat`).split(" ", 1)[0]) / NS_PER_MS; // how long it has waited is told only once it runs
    }
  }
  return { runnable, ranMs };
}
