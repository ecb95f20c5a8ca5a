// Everything that is done while nobody waits for it: jobs, schedules, callbacks, and the runner that they share.
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Queue } from "../queue/queue.ts";
import { Callbacks, type CallbacksDeps } from "./callbacks.ts";
import type { Catalog } from "./catalog.ts";
import type { Functions } from "./functions.ts";
import type { Invoke } from "./invoke.ts";
import { JobRunner } from "./job-runner.ts";
import { Jobs } from "./jobs.ts";
import { createRunJob, type KeptExchange } from "./run-job.ts";
import type { KeptRequest } from "./job-payload.ts";
import { Schedules } from "./schedules.ts";

export interface BackgroundDeps {
  readonly queue: Queue;
  readonly catalog: Catalog;
  readonly functions: Functions;
  readonly invoke: Invoke;
  readonly openExchange: (request: KeptRequest) => KeptExchange;
  readonly callbacks: Omit<CallbacksDeps, "clock">;
  /** Jobs at once on this node. */
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly maxQueued: number;
  readonly inputBytes: number;
  /** The longest that a run may take, its wait for a worker included. */
  readonly longestRunMs: number;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

export interface Background {
  readonly jobs: Jobs;
  readonly schedules: Schedules;
  readonly callbacks: Callbacks;
  /** How many jobs there are in each state, and how many run on this node. */
  report(): Promise<object>;
  start(): void;
  /** Takes no more jobs; resolves when those that run are over, or back in the queue. */
  drain(): Promise<void>;
}

export function createBackground(deps: BackgroundDeps): Background {
  const { queue, catalog, functions, invoke, openExchange, concurrency, leaseMs, clock, log } = deps;
  const callbacks = new Callbacks({ ...deps.callbacks, clock });
  const jobs = new Jobs({
    ...{ queue, catalog, callbacks, clock },
    maxQueued: deps.maxQueued,
    inputBytes: deps.inputBytes,
  });
  const schedules = new Schedules({ queue, catalog, clock, cancel: (id) => jobs.cancel(id) });
  const runJob = createRunJob({ catalog, invoke, schedules, callbacks, openExchange, clock });
  const handlers = { invocation: runJob, cron: runJob, callback: callbacks.handle };
  const runner = new JobRunner({
    ...{ queue, clock, log, handlers, concurrency, leaseMs },
    limits: () => catalog.jobLimits,
  });
  jobs.onCancelled = async (job, how) => {
    if (how === "running") runner.cancel(job.id);
    else if (job.kind === "cron") await schedules.afterCancel(job);
  };
  functions.onChanged = (stored) => schedules.ensure(stored);

  async function ensureSchedules(): Promise<void> {
    try {
      await schedules.ensureAll();
    } catch (error) {
      log(`schedules may be late: ${messageOf(error)}`);
    }
  }

  return {
    ...{ jobs, schedules, callbacks },
    report: async () => ({ ...(await jobs.counts()), runningHere: runner.runningCount, concurrency }),
    start() {
      runner.start();
      void ensureSchedules();
    },
    drain: () => runner.drain(deps.longestRunMs),
  };
}
