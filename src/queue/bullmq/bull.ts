// What BullMQ is asked for: it keeps order, priorities, delays, locks and lost workers.
import { type Job as BullJob, createNodeRedisClient, Queue as BullQueue, Worker } from "bullmq";
import type { RedisSettings } from "../../core/redis-settings.ts";
import { type JobRetention, MOST_PRIORITY } from "../queue.ts";
import type { StoredJob } from "./job-hash.ts";
import type { RedisClient } from "./redis-clients.ts";

const NAME = "jobs";
const LEAST_LOCK_MS = 3_000;
const KEPT_EVENTS = 100; // nobody reads BullMQ's own

type Fields = Readonly<Record<string, string | number>>;
type Backend = ReturnType<Worker<string>["getBackend"]>;

export interface BullOptions {
  readonly client: RedisClient;
  readonly settings: RedisSettings;
  readonly keep: JobRetention;
  /** How often lost leases are looked for. */
  readonly stalledCheckMs: number;
  readonly onError: (error: Error) => void;
  /** A lost lease was found. */
  readonly onStalled: () => void;
}

/** A job that it has locked for a token, or when the first of those that wait for a time is due; undefined: there is none. */
export type Given =
  | { readonly id: string; readonly data: string; readonly claims: number }
  | { readonly id: undefined; readonly nextDueMs: number | undefined };

export class Bull {
  /** What the names of all its keys begin with. */
  readonly prefix: string;
  readonly #keep: JobRetention;
  readonly #queue: BullQueue<string>;
  readonly #worker: Worker<string>;

  constructor({ client, settings, keep, stalledCheckMs, onError, onStalled }: BullOptions) {
    const prefix = `${settings.prefix}bull`;
    this.prefix = `${prefix}:${NAME}:`;
    this.#keep = keep;
    const connection = createNodeRedisClient(client);
    this.#queue = new BullQueue(NAME, { connection, prefix, streams: { events: { maxLen: KEPT_EVENTS } } });
    this.#worker = new Worker(NAME, undefined, {
      ...{ connection, prefix, autorun: false, stalledInterval: stalledCheckMs },
      lockDuration: Math.max(LEAST_LOCK_MS, 3 * stalledCheckMs), // until the claim has the lease that was asked for
      maxStalledCount: Number.MAX_SAFE_INTEGER, // how often a job may be begun is for us to count
      removeOnComplete: keepJobs(keep.completed),
      removeOnFail: keepJobs(keep.dead),
    });
    this.#queue.on("error", onError);
    this.#worker.on("error", onError);
    this.#worker.on("stalled", onStalled);
  }

  async open(): Promise<void> {
    await Promise.all([this.#queue.waitUntilReady(), this.#worker.waitUntilReady()]);
    await this.#worker.startStalledCheckTimer();
  }

  /** Does nothing where there is a job of this id. */
  async add(id: string, job: StoredJob): Promise<void> {
    const { kind, createdAtMs, runAtMs, priority } = job;
    await this.#queue.getBackend().addJob(
      {
        ...{ id, name: kind, data: JSON.stringify(job), timestamp: createdAtMs, attemptsMade: 0, attemptsStarted: 0 },
        ...{ progress: 0, stacktrace: [], returnvalue: "null", failedReason: "", stc: "0" },
        opts: { jobId: id, delay: Math.max(0, runAtMs - createdAtMs), priority: bullPriority(priority) },
      } as unknown as Parameters<ReturnType<BullQueue["getBackend"]>["addJob"]>[0],
      id,
    );
  }

  /** Locks the job whose turn it is. */
  async next(token: string): Promise<Given> {
    const [job, id, , delayedUntilMs] = (await this.#backend.moveToActive(token)) as [
      job: { readonly data: string; readonly attemptsStarted: number } | null,
      id: string,
      limitedForMs: unknown,
      delayedUntilMs: number | undefined,
    ];
    if (job) return { id, data: job.data, claims: job.attemptsStarted };
    return { id: undefined, nextDueMs: delayedUntilMs || undefined }; // it says 0 for none
  }

  /**
   * The job is over; `fields` are written in the same step.
   *
   * @returns false where the lock is not the token's
   */
  async finish(id: string, token: string, failure: string | undefined, fields?: Fields): Promise<boolean> {
    const job = asBull(id);
    const { completed, dead } = this.#keep;
    const failed = this.#backend.moveToFailedArgs(job, failure ?? "", keepJobs(dead), token, false, fields);
    const args =
      failure === undefined
        ? // BullMQ writes fields with a failure only, though its script does it for both: they are the last argument.
          [
            ...this.#backend.moveToCompletedArgs(job, 0, keepJobs(completed), token, false).slice(0, -1),
            ...failed.slice(-1),
          ]
        : failed;
    return await isDone(this.#backend.moveToFinished(id, args));
  }

  /**
   * The job waits for a time; `fields` are written in the same step.
   *
   * @returns false where the lock is not the token's
   */
  async delay(id: string, token: string, nowMs: number, delayMs: number, fields: Fields): Promise<boolean> {
    const options = { skipAttempt: true, fieldsToUpdate: fields };
    return await isDone(this.#backend.moveToDelayed(id, nowMs, delayMs, token, options));
  }

  /** @returns false where it does not wait for a later time */
  async promote(id: string): Promise<boolean> {
    return await isDone(this.#backend.promote(id));
  }

  async retryFailed(id: string): Promise<void> {
    await this.#backend.retryFinishedJob(asBull(id), "failed");
  }

  async isActive(id: string): Promise<boolean> {
    return (await this.#backend.getState(id)) === "active";
  }

  /** How many jobs there are in each of its states. */
  async counts(...states: Parameters<BullQueue["getJobCounts"]>): Promise<(state: string) => number> {
    const counts = await this.#queue.getJobCounts(...states);
    return (state) => counts[state] ?? 0;
  }

  /** Never ends where Redis is gone. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#worker.close(true), this.#queue.close()]);
  }

  get #backend(): Backend {
    return this.#worker.getBackend();
  }
}

function keepJobs({ count, ageMs }: { readonly count: number; readonly ageMs: number }): {
  age: number;
  count: number;
} {
  return { age: Math.ceil(ageMs / 1000), count };
}

/** BullMQ's lower numbers go first, and 0 goes before all of them. */
function bullPriority(priority: number): number {
  return MOST_PRIORITY - priority + 1;
}

/** What the backend needs to know of a job to move it. */
function asBull(id: string): BullJob {
  return { id, opts: { attempts: 1 } } as BullJob;
}

/** BullMQ's scripts answer what cannot be done with a negative number. */
async function isDone(move: Promise<unknown>): Promise<boolean> {
  try {
    await move;
    return true;
  } catch (fault) {
    const { code } = fault as { readonly code?: unknown };
    if (typeof code === "number" && code < 0) return false;
    throw fault;
  }
}
