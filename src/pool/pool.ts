import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import type { Version } from "../core/program.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { Fleet, type FleetSettings, type WorkerReport } from "./fleet.ts";
import { Lookout } from "./lookout.ts";
import { Pace } from "./pace.ts";
import { Run, type RunHandle, type RunRequest } from "./run.ts";
import type { Worker } from "./worker.ts";

export type { RunInput } from "./run.ts";

export interface PoolSettings extends FleetSettings {
  /** Runs that may wait in line. */
  readonly maxQueue: number;
  /** How long one may wait. */
  readonly queueTimeoutMs: number;
}

export interface PoolReport {
  readonly maxWorkers: number;
  readonly waiting: number;
  readonly maxQueue: number;
  readonly workers: readonly WorkerReport[];
}

const TEND_DELAY_MS = 5; // refills start when the reply is out: a boot costs 30 ms of CPU
const LOOK_AGAIN_MS = 50; // for idle workers that there was no room for
const SENT_AHEAD = 32; // runs of a fast version that one worker may hold: hides the round trip between two of them
const PATIENCE_MS = 10; // how long a run of a fast version waits for its version's own worker
/** The same where nobody knows yet: a first burst of quick runs would take every worker there is, for seconds. */
const UNKNOWN_PATIENCE_MS = 50;
const PACKED_MS = 2; // of work that may wait on a worker before a run goes to the next one that is warm
const REMEMBERED_PACES = 10_000;

/** Who serves a version, and how fast. */
interface Bound {
  readonly workers: readonly Worker[];
  readonly pace: Pace;
}

/** Lends workers to runs and takes them back; no caller can leak one. */
export class Pool {
  readonly #fleet: Fleet;
  readonly #settings: PoolSettings;
  readonly #clock: Clock;
  /** By the version's id. */
  readonly #bound = new Map<string, Bound>();
  /** Of versions that have no worker any more. */
  readonly #paces = new LRUCache<string, Pace>({ max: REMEMBERED_PACES });
  readonly #lookout = new Lookout();
  /** Runs that no worker could take yet, in the order in which they came. */
  #line: Run[] = [];
  #tendSoon: (() => void) | undefined;
  #draining = false;

  constructor(sandbox: Sandbox, settings: PoolSettings, clock: Clock, log: (line: string) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#fleet = new Fleet(sandbox, settings, clock, log, {
      onReady: () => this.#tend(),
      onOver: (worker, run, runMs) => this.#over(worker, run, runMs),
      onRetired: (worker, unstarted) => this.#retired(worker, unstarted),
      onGone: () => this.#tend(),
    });
  }

  /** Boots the first idle worker of each base. Rejects with what stopped one. */
  async warmUp(): Promise<void> {
    await this.#fleet.warmUp();
  }

  /** Runs a version once, on a warm worker if there is one. */
  run(request: RunRequest): RunHandle {
    const run = new Run(request, this.#clock.monotonicMs());
    if (this.#draining) run.reject(new PlatformError("DRAINING", "the server is stopping"));
    else if (!this.#assign(run)) this.#enqueue(run);
    return { report: run.report, cancel: () => this.#cancel(run) };
  }

  /** Ends the workers of a version that will not be run again, once they have done what they have been given. */
  forget(versionId: string): void {
    for (const worker of this.#bound.get(versionId)?.workers ?? []) worker.leave();
  }

  async report(): Promise<PoolReport> {
    const { maxWorkers, maxQueue } = this.#settings;
    return { maxWorkers, waiting: this.#line.length, maxQueue, workers: await this.#fleet.report() };
  }

  /** Takes no more runs; resolves when those that are accepted are over, each within its own time. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#line.length > 0 || this.#fleet.busy) {
      await new Promise<void>((resolve) => {
        this.#clock.after(TEND_DELAY_MS, resolve);
      });
    }
  }

  /** Ends every worker, whatever it does; resolves when nothing of them is left. */
  async end(): Promise<void> {
    this.#draining = true;
    for (const run of this.#line.splice(0)) run.reject(new PlatformError("DRAINING", "the server is stopping"));
    await this.#fleet.end();
  }

  /** False where no worker can take it now. */
  #assign(run: Run): boolean {
    const { version } = run.request;
    const bound = this.#bound.get(version.id);
    if (bound !== undefined) {
      const own = choose(bound, version);
      if (own !== undefined && own.load < capacityOf(own, version, bound.pace)) {
        this.#give(run, own, bound.pace);
        return true;
      }
    }
    if (this.#waitsForOwn(run)) return false;
    const idle = this.#fleet.takeIdle(version.program.base);
    if (idle === undefined) return false;
    idle.bind(version);
    const pace = this.#paceOf(version.id);
    this.#bound.set(version.id, { workers: [...(bound?.workers ?? []), idle], pace });
    run.coldStart = true;
    this.#give(run, idle, pace);
    this.#tendLater();
    return true;
  }

  #give(run: Run, worker: Worker, pace: Pace): void {
    worker.take(run);
    this.#fleet.used(worker);
    this.#lookout.given(run, pace.known ? pace.usualMs : Infinity, () => this.#fleet.working);
  }

  #paceOf(versionId: string): Pace {
    return this.#bound.get(versionId)?.pace ?? this.#paces.get(versionId) ?? new Pace();
  }

  /** True while a run had better wait for a worker that serves its version already. */
  #waitsForOwn(run: Run): boolean {
    return this.#clock.monotonicMs() - run.acceptedAtMs < this.#patienceMs(run.request.version);
  }

  #patienceMs({ id, singleUse }: Version): number {
    const pace = this.#bound.get(id)?.pace;
    if (singleUse || pace === undefined) return 0;
    if (!pace.known) return UNKNOWN_PATIENCE_MS;
    return pace.fast ? PATIENCE_MS : 0;
  }

  #enqueue(run: Run): void {
    const { maxQueue } = this.#settings;
    if (this.#line.length >= maxQueue) {
      run.reject(new PlatformError("POOL_SATURATED", `${maxQueue} runs wait in line already (setting MAX_QUEUE)`));
      return;
    }
    this.#line.push(run);
    if (this.#waitsForOwn(run)) this.#tendLater();
    else this.#tend();
  }

  #cancel(run: Run): void {
    if (run.settled) return;
    run.settle({ kind: "cancelled" }, this.#clock.monotonicMs());
    this.#line = this.#line.filter((waiting) => waiting !== run);
    run.worker?.cancel(run);
  }

  #over(worker: Worker, run: Run, runMs: number): void {
    const { id } = run.request.version;
    const pace = this.#paceOf(id);
    if (!run.coldStart) pace.ran(runMs, run.cpuMs); // the first run on a worker compiles the code, too
    worker.setBackground(!pace.quick);
    if (run.request.version.singleUse) {
      worker.end({ kind: "retired", why: "its version has a fresh worker for each run" });
      return;
    }
    const next = this.#line.findIndex((waiting) => waiting.request.version.id === id);
    const [waiting] = next < 0 ? [] : this.#line.splice(next, 1);
    if (waiting !== undefined) this.#give(waiting, worker, pace);
    else if (this.#line.length > 0) this.#tend(); // its room may be needed by others
  }

  #retired(worker: Worker, unstarted: Run[]): void {
    const versionId = worker.version?.id;
    const bound = versionId === undefined ? undefined : this.#bound.get(versionId);
    if (versionId !== undefined && bound !== undefined) {
      const workers = bound.workers.filter((other) => other !== worker);
      if (workers.length > 0) this.#bound.set(versionId, { ...bound, workers });
      else {
        this.#bound.delete(versionId);
        this.#paces.set(versionId, bound.pace);
      }
    }
    this.#line.unshift(...unstarted.filter((run) => !run.settled)); // they had left the line already
    this.#tendLater();
  }

  /** Serves the line, oldest first; a run that cannot go yet does not block those behind it. Then sees to the fleet. */
  #tend(): void {
    const nowMs = this.#clock.monotonicMs();
    const waiting = new Map<string, number>();
    this.#line = this.#line.filter((run) => {
      if (this.#assign(run)) return false;
      if (nowMs - run.acceptedAtMs > this.#settings.queueTimeoutMs) {
        run.reject(this.#waitedTooLong());
        return false;
      }
      const { base } = run.request.version.program;
      if (!this.#waitsForOwn(run)) waiting.set(base, (waiting.get(base) ?? 0) + 1);
      return true;
    });
    const incomplete = this.#fleet.tend(waiting);
    if (this.#line.length > 0) this.#tendLater();
    else if (incomplete) this.#tendLater(LOOK_AGAIN_MS);
  }

  #tendLater(delayMs = TEND_DELAY_MS): void {
    this.#tendSoon ??= this.#clock.after(delayMs, () => {
      this.#tendSoon = undefined;
      this.#tend();
    });
  }

  #waitedTooLong(): PlatformError {
    const { queueTimeoutMs, maxWorkers } = this.#settings;
    const { size, bootFailure } = this.#fleet;
    const why = bootFailure === undefined ? `${size} of ${maxWorkers} busy, setting MAX_CONTAINERS` : bootFailure;
    return new PlatformError("POOL_SATURATED", `waited ${queueTimeoutMs} ms for a worker (${why})`);
  }
}

/**
 * The worker that has been there for longest, as long as it is quick to get to: of a fast version few workers serve, with code that is
 * compiled and caches that are warm, and the others of a first burst come to rest.
 */
function choose({ workers, pace }: Bound, { concurrency }: Version): Worker | undefined {
  if (concurrency > 1 || !pace.fast) return leastLoaded(workers);
  const enough = Math.min(SENT_AHEAD, PACKED_MS / pace.cpuMs);
  return workers.find((worker) => worker.load < enough && !worker.writesRaw) ?? leastLoaded(workers);
}

/** How many runs a worker of the version may hold. */
function capacityOf(worker: Worker, { concurrency, singleUse }: Version, pace: Pace): number {
  if (singleUse) return 0; // it has had its one run
  if (concurrency > 1) return concurrency;
  return !worker.writesRaw && pace.fast ? SENT_AHEAD : 1;
}

function leastLoaded(workers: readonly Worker[]): Worker | undefined {
  let best: Worker | undefined;
  for (const worker of workers) {
    if (best === undefined || worker.load < best.load) best = worker;
  }
  return best;
}
