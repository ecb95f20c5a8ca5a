// The queue on BullMQ: it keeps order, priorities, delays, locks and lost workers; what it has no word for (limits, attempts that do not
// count, histories, cancelling, keys that are used once) is in fields and sets of ours beside it. Needs one Redis, not a cluster.
import { type Job as BullJob, createNodeRedisClient, Queue as BullQueue, Worker } from "bullmq";
import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/id.ts";
import type { RedisSettings } from "../../core/redis-settings.ts";
import { withEnd } from "../job-history.ts";
import { LEASE_LOST, MOST_PRIORITY } from "../queue.ts";
import type {
  Claim,
  ClaimRequest,
  Claims,
  Enqueued,
  Job,
  JobCounts,
  JobEnd,
  JobPage,
  JobQuery,
  JobRetention,
  Lease,
  LeaseState,
  NewJob,
  OnceKey,
  Queue,
} from "../queue.ts";
import {
  begunOf,
  endOf,
  type Hash,
  historyOf,
  madeOf,
  statusOf,
  storedJob,
  type StoredEnd,
  type StoredJob,
  toJob,
  withoutUnbegun,
} from "./job-hash.ts";
import { JobIndex } from "./job-index.ts";
import { connect, type RedisClient, unavailable } from "./redis-clients.ts";
import { CANCEL, EXTEND, RENEW, SET_ONCE, TAKE_PLACE, WRITE_IF_HELD } from "./scripts.ts";

const NAME = "jobs";
const STALLED_CHECK_MS = 10_000; // how long a lost lease may go unnoticed, twice over
const LEAST_LOCK_MS = 3_000;
const LOOK_AGAIN_MS = 10_000; // a message that tells of work may be lost with a connection
const PARKED_MS = 10_000; // at most, where whoever frees a place dies before it tells
const MAX_PARKED_AT_ONCE = 500;
const PRUNE_MS = 60_000;
const KEPT_EVENTS = 100; // nobody reads BullMQ's own
/** In a delayed job's score, below the time. */
const SCORE_UNIT = 0x1000;

export interface BullmqQueueOptions {
  readonly settings: RedisSettings;
  readonly keep: JobRetention;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** How often lost leases are looked for. */
  readonly stalledCheckMs?: number;
}

interface Once extends OnceKey {
  readonly jobId: string;
  readonly isAdded: boolean;
}

/** @throws PlatformError STORE_UNAVAILABLE, naming the place and the reason */
export async function openBullmqQueue(options: BullmqQueueOptions): Promise<Queue> {
  const client = await connect(options.settings);
  const subscriber = await connect(options.settings).catch((error: unknown) => {
    client.destroy();
    throw error;
  });
  const queue = new BullmqQueue(options, client, subscriber);
  try {
    await queue.open();
    return queue;
  } catch (error) {
    await queue.close();
    throw unavailable(options.settings, error);
  }
}

class BullmqQueue implements Queue {
  readonly #options: BullmqQueueOptions;
  readonly #client: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #bull: BullQueue<string>;
  readonly #worker: Worker<string>;
  readonly #index: JobIndex;
  readonly #listeners: (() => void)[] = [];
  /** All keys begin with it. */
  readonly #prefix: string;
  #isClosing = false;
  #pruneAtMs = 0;

  constructor(options: BullmqQueueOptions, client: RedisClient, subscriber: RedisClient) {
    const { settings, keep, log, stalledCheckMs = STALLED_CHECK_MS } = options;
    this.#options = options;
    this.#client = client;
    this.#subscriber = subscriber;
    const prefix = `${settings.prefix}bull`;
    this.#prefix = `${prefix}:${NAME}:`;
    const connection = createNodeRedisClient(client);
    this.#bull = new BullQueue(NAME, { connection, prefix, streams: { events: { maxLen: KEPT_EVENTS } } });
    this.#worker = new Worker(NAME, undefined, {
      ...{ connection, prefix, autorun: false, stalledInterval: stalledCheckMs },
      lockDuration: Math.max(LEAST_LOCK_MS, 3 * stalledCheckMs), // until the claim has the lease that was asked for
      maxStalledCount: Number.MAX_SAFE_INTEGER, // how often a job may be begun is for us to count
      removeOnComplete: keepJobs(keep.completed),
      removeOnFail: keepJobs(keep.dead),
    });
    let isTold = false;
    const tellOnce = (error: Error): void => {
      if (!isTold && !this.#isClosing) log(`the queue in Redis: ${error.message}`);
      isTold = true;
    };
    this.#bull.on("error", tellOnce);
    this.#worker.on("error", tellOnce);
    this.#worker.on("stalled", () => this.#tellHere());
    this.#index = new JobIndex(client, this.#prefix, keep, options.clock);
  }

  async open(): Promise<void> {
    await Promise.all([this.#bull.waitUntilReady(), this.#worker.waitUntilReady()]);
    await this.#subscriber.subscribe(`${this.#prefix}x:work`, () => this.#tellHere());
    await this.#worker.startStalledCheckTimer();
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    return await this.#bounded(async () => {
      const { once } = job;
      if (once === undefined) return { isNew: await this.#add(job), jobId: job.id, fingerprint: undefined };
      const key = `${this.#prefix}x:once:${once.key}`;
      const mine: Once = { ...once, jobId: job.id, isAdded: false };
      const known = await this.#eval(SET_ONCE, [key], [JSON.stringify(mine), String(once.forMs)]);
      const first = typeof known === "string" ? (JSON.parse(known) as Once) : mine;
      const told = { jobId: first.jobId, fingerprint: first.fingerprint };
      if (first.isAdded || first.fingerprint !== once.fingerprint) return { isNew: false, ...told };
      // Whoever came first may have died since: the job must be durable before anybody is told of it.
      const isNew = await this.#add({ ...job, id: first.jobId });
      const added = JSON.stringify({ ...first, isAdded: true });
      await this.#client.set(key, added, { condition: "XX", expiration: "KEEPTTL" });
      return { isNew, ...told };
    });
  }

  async claim({ count, leaseMs, limits }: ClaimRequest): Promise<Claims> {
    const claims: Claim[] = [];
    const over = new AbortController();
    const work = async (): Promise<number> => {
      for (let left = MAX_PARKED_AT_ONCE; claims.length < count && left > 0 && !over.signal.aborted; left--) {
        const token = newId();
        const next = await this.#worker.getNextJob(token, { block: false });
        if (next === undefined || next.id === undefined) break;
        const claim = await this.#begin(next.id, token, leaseMs, limits);
        if (claim === undefined) continue;
        if (over.signal.aborted) await this.release(claim.lease, this.#options.clock.now()); // nobody waits for it any more
        else claims.push(claim);
      }
      this.#pruneSometimes();
      return await this.#nextDueMs();
    };
    try {
      return { claims, nextDueMs: await this.#bounded(work) };
    } catch (error) {
      if (claims.length === 0) throw error;
      return { claims, nextDueMs: this.#options.clock.now() + LOOK_AGAIN_MS }; // they are ours, whatever went wrong behind them
    } finally {
      over.abort();
    }
  }

  async heartbeat(leases: readonly Lease[], leaseMs: number): Promise<LeaseState[]> {
    return await this.#bounded(
      async () =>
        await Promise.all(
          leases.map(async ({ jobId, fence }): Promise<LeaseState> => {
            const keys = [...this.#keysOf(jobId), `${this.#prefix}stalled`, this.#placesOf("")];
            const untilMs = this.#options.clock.now() + leaseMs;
            const state = await this.#eval(EXTEND, keys, [fence, String(leaseMs), jobId, String(untilMs)]);
            return state === 0 ? "lost" : state === 2 ? "cancel" : "kept";
          }),
        ),
    );
  }

  async finish(lease: Lease, end: JobEnd, followUp?: NewJob): Promise<boolean> {
    return await this.#bounded(async () => {
      const hash = await this.#hash(lease.jobId);
      return hash !== undefined && (await this.#end(lease.jobId, lease.fence, hash, { ...end, followUp }));
    });
  }

  async retry({ jobId, fence }: Lease, again: { readonly atMs: number; readonly error: string }): Promise<boolean> {
    return await this.#bounded(async () => {
      const hash = await this.#hash(jobId);
      if (hash === undefined) return false;
      const { atMs, error } = again;
      if (hash["x:cancel"] !== undefined) return await this.#end(jobId, fence, hash, { status: "cancelled", error });
      const history = JSON.stringify(withEnd(historyOf(hash), this.#options.clock.now(), error));
      return await this.#delay(jobId, fence, hash, atMs, { "x:history": history, "x:error": error, "x:runAt": atMs });
    });
  }

  async release({ jobId, fence }: Lease, atMs: number): Promise<boolean> {
    return await this.#bounded(async () => {
      const hash = await this.#hash(jobId);
      if (hash === undefined) return false;
      const history = historyOf(hash);
      const isBegun = history.at(-1)?.endedAtMs === undefined; // else it was claimed only to be ended
      const fields = isBegun
        ? {
            "x:history": JSON.stringify(history.slice(0, -1)),
            "x:released": Number(hash["x:released"] ?? 0) + 1,
            "x:runAt": atMs,
          }
        : { "x:runAt": atMs };
      if (hash["x:cancel"] === undefined) return await this.#delay(jobId, fence, hash, atMs, fields);
      const written = { ...hash, ...texts(fields) };
      return await this.#end(jobId, fence, written, { status: "cancelled" }, texts(fields));
    });
  }

  async cancel(id: string): Promise<"cancelled" | "running" | "over" | "missing"> {
    return await this.#bounded(async () => {
      const how = await this.#eval(CANCEL, this.#keysOf(id), [String(this.#options.clock.now())]);
      if (how === "cancelled") {
        await this.#promote(id); // whoever claims it ends it
        await this.#tellAll();
      }
      return how as "cancelled" | "running" | "over" | "missing";
    });
  }

  async replay(id: string): Promise<"queued" | "not-dead" | "missing"> {
    return await this.#bounded(async () => {
      const how = await this.#eval(RENEW, this.#keysOf(id), [String(this.#options.clock.now())]);
      if (how === "missing" || how === "not-dead") return how;
      await this.#index.unmarkCancelled(id);
      if (how === "finished") await this.#worker.getBackend().retryFinishedJob(asBull(id), "failed");
      else await this.#promote(id);
      await this.#tellAll();
      return "queued";
    });
  }

  async find(id: string): Promise<Job | undefined> {
    return await this.#bounded(async () => {
      const seen = await this.#see(id);
      return seen === undefined ? undefined : toJob(id, seen.hash, seen.status);
    });
  }

  async list(query: JobQuery): Promise<JobPage> {
    return await this.#bounded(async () => await this.#index.list(query, (id) => this.#see(id)));
  }

  async countDue(): Promise<number> {
    return await this.#bounded(async () => {
      const untilScore = (this.#options.clock.now() + 1) * SCORE_UNIT - 1;
      const [counts, overdue] = await Promise.all([
        this.#bull.getJobCounts("wait", "prioritized"),
        this.#client.zCount(`${this.#prefix}delayed`, 0, untilScore),
      ]);
      return (counts["wait"] ?? 0) + (counts["prioritized"] ?? 0) + overdue;
    });
  }

  async stats(): Promise<JobCounts> {
    return await this.#bounded(async () => {
      const counts = await this.#bull.getJobCounts("wait", "prioritized", "delayed", "active", "completed", "failed");
      const of = (name: string): number => counts[name] ?? 0;
      const cancelled = Math.min(await this.#index.countCancelled(), of("failed"));
      return {
        queued: of("wait") + of("prioritized") + of("delayed"),
        running: of("active"),
        completed: of("completed"),
        dead: of("failed") - cancelled,
        cancelled,
      };
    });
  }

  onWork(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const { timeoutMs } = this.#options.settings;
    const patience = new Promise<void>((resolve) => void this.#options.clock.after(timeoutMs, resolve));
    // They never end where Redis is gone.
    await Promise.race([Promise.allSettled([this.#worker.close(true), this.#bull.close()]), patience]);
    for (const client of [this.#subscriber, this.#client]) {
      if (client.isReady) await Promise.race([client.close(), patience]);
      client.destroy();
    }
  }

  /** @returns false where it is there already */
  async #add(job: NewJob): Promise<boolean> {
    const { id, kind, functionId, limitedBy, payload, priority, attempts, runAtMs } = job;
    const createdAtMs = this.#options.clock.now();
    const isNew = await this.#index.add(id, functionId, createdAtMs); // first: what is listed and not there is left out
    const stored: StoredJob = { kind, functionId, limitedBy, payload, priority, attempts, runAtMs, createdAtMs };
    await this.#bull.getBackend().addJob(
      {
        ...{
          id,
          name: kind,
          data: JSON.stringify(stored),
          timestamp: createdAtMs,
          attemptsMade: 0,
          attemptsStarted: 0,
        },
        ...{ progress: 0, stacktrace: [], returnvalue: "null", failedReason: "", stc: "0" },
        opts: { jobId: id, delay: Math.max(0, runAtMs - createdAtMs), priority: bullPriority(priority) },
      } as unknown as Parameters<ReturnType<BullQueue["getBackend"]>["addJob"]>[0],
      id,
    );
    await this.#tellAll();
    return isNew;
  }

  /** Makes a claim of a job that BullMQ has given us; undefined where it cannot be one now. */
  async #begin(
    id: string,
    token: string,
    leaseMs: number,
    limits: ReadonlyMap<string, number>,
  ): Promise<Claim | undefined> {
    const found = await this.#hash(id);
    if (found === undefined) return undefined;
    const hash = withoutUnbegun(found);
    const nowMs = this.#options.clock.now();
    const end = endOf(hash);
    if (end !== undefined) {
      await this.#settle(id, token, hash, end); // its holder died between our writing and BullMQ's
      return undefined;
    }
    if (hash["x:cancel"] !== undefined) {
      const released = texts({ "x:released": Number(hash["x:released"] ?? 0) + 1 });
      const error = historyOf(hash).at(-1)?.endedAtMs === undefined ? hash["x:error"] : LEASE_LOST;
      await this.#end(id, token, hash, { status: "cancelled", error }, released);
      return undefined;
    }
    const { limitedBy, attempts } = storedJob(hash);
    const limit = limitedBy === undefined ? undefined : limits.get(limitedBy);
    if (limitedBy !== undefined && limit !== undefined) {
      const place = [id, String(limit), String(nowMs + leaseMs), String(nowMs)];
      if ((await this.#eval(TAKE_PLACE, [this.#placesOf(limitedBy)], place)) === 0) {
        await this.#park(id, token, hash, limitedBy, limit);
        return undefined;
      }
    }
    const exhausted = madeOf(hash) > attempts;
    const before = withEnd(historyOf(hash), nowMs, LEASE_LOST);
    const begun = {
      number: begunOf(hash),
      executionId: newId(),
      startedAtMs: nowMs,
      endedAtMs: undefined,
      error: undefined,
    };
    const fields: Record<string, string> = {
      "x:history": JSON.stringify(exhausted ? before : [...before, begun]),
      ...(before.at(-1)?.error === LEASE_LOST ? { "x:error": LEASE_LOST } : {}),
      ...(limit === undefined ? {} : { "x:place": limitedBy ?? "" }),
      "x:released": String(Number(hash["x:released"] ?? 0) + (exhausted ? 1 : 0)),
    };
    if (!(await this.#write(id, token, fields))) return undefined;
    await this.#worker.getBackend().extendLock(id, token, leaseMs);
    const now = { ...hash, ...fields };
    return { job: toJob(id, now, "running"), lease: { jobId: id, attempt: begunOf(now), fence: token }, exhausted };
  }

  /** Another one with its limit has to end first; whoever ends it lets this one go. */
  async #park(id: string, token: string, hash: Hash, limitedBy: string, limit: number): Promise<void> {
    const nowMs = this.#options.clock.now();
    const fields = { "x:released": Number(hash["x:released"] ?? 0) + 1 };
    const { createdAtMs } = storedJob(hash);
    await this.#client.zAdd(this.#parkedOf(limitedBy), { score: createdAtMs, value: id });
    await this.#worker
      .getBackend()
      .moveToDelayed(id, nowMs, PARKED_MS, token, { skipAttempt: true, fieldsToUpdate: fields });
    // Its place may have been freed before it was parked.
    if ((await this.#client.zCard(this.#placesOf(limitedBy))) < limit) await this.#unpark(limitedBy);
  }

  async #unpark(limitedBy: string): Promise<void> {
    for (;;) {
      const next = await this.#client.zPopMin(this.#parkedOf(limitedBy));
      if (next === null) return;
      if (!(await this.#promote(next.value))) continue; // it has gone on by itself
      await this.#tellAll();
      return;
    }
  }

  /** Writes how it ended, then has BullMQ end it. False where the lease is lost. */
  async #end(
    id: string,
    token: string,
    hash: Hash,
    { followUp, ...end }: JobEnd & { readonly followUp?: NewJob | undefined },
    more: Record<string, string> = {},
  ): Promise<boolean> {
    const finishedAtMs = this.#options.clock.now();
    const stored: StoredEnd = { ...end, finishedAtMs, followUp };
    const error = end.status === "completed" ? undefined : end.error;
    const history = JSON.stringify(withEnd(historyOf({ ...hash, ...more }), finishedAtMs, error));
    const isOurs = await this.#write(id, token, { ...more, "x:history": history, "x:end": JSON.stringify(stored) });
    if (isOurs) await this.#settle(id, token, hash, stored);
    return isOurs;
  }

  async #settle(id: string, token: string, hash: Hash, { status, error, followUp }: StoredEnd): Promise<void> {
    const { keep } = this.#options;
    const backend = this.#worker.getBackend();
    if (followUp !== undefined) await this.#add(followUp);
    if (status === "cancelled") await this.#index.markCancelled(id);
    try {
      if (status === "completed") await backend.moveToCompleted(asBull(id), 0, keepJobs(keep.completed), token, false);
      else await backend.moveToFailed(asBull(id), error ?? status, keepJobs(keep.dead), token, false);
    } catch (fault) {
      if (!isLost(fault)) throw fault; // else whoever claims it next settles it
    }
    await this.#leavePlace(id, hash);
  }

  /** Due again at `atMs`. False where the lease is lost. */
  async #delay(
    id: string,
    token: string,
    hash: Hash,
    atMs: number,
    fields: Record<string, string | number>,
  ): Promise<boolean> {
    const nowMs = this.#options.clock.now();
    try {
      await this.#worker.getBackend().moveToDelayed(id, nowMs, Math.max(0, atMs - nowMs), token, {
        skipAttempt: true,
        fieldsToUpdate: fields,
      });
    } catch (fault) {
      if (isLost(fault)) return false;
      throw fault;
    }
    await this.#leavePlace(id, hash);
    await this.#tellAll();
    return true;
  }

  async #leavePlace(id: string, hash: Hash): Promise<void> {
    const { limitedBy } = storedJob(hash);
    if (limitedBy === undefined) return;
    await this.#client.zRem(this.#placesOf(limitedBy), id);
    await this.#unpark(limitedBy);
  }

  /** @returns false where it does not wait for a later time */
  async #promote(id: string): Promise<boolean> {
    try {
      await this.#worker.getBackend().promote(id);
      return true;
    } catch (fault) {
      if (isLost(fault)) return false;
      throw fault;
    }
  }

  async #see(id: string): Promise<{ readonly hash: Hash; readonly status: Job["status"] } | undefined> {
    const [hash, state, locks] = await Promise.all([
      this.#hash(id),
      this.#worker.getBackend().getState(id),
      this.#client.exists(this.#keysOf(id)[1]),
    ]);
    return hash === undefined ? undefined : { hash, status: statusOf(hash, state === "active", locks === 1) };
  }

  async #hash(id: string): Promise<Hash | undefined> {
    const hash = await this.#client.hGetAll(this.#keysOf(id)[0]);
    return hash["data"] === undefined ? undefined : hash;
  }

  async #write(id: string, token: string, fields: Readonly<Record<string, string>>): Promise<boolean> {
    return (await this.#eval(WRITE_IF_HELD, this.#keysOf(id), [token, ...Object.entries(fields).flat()])) === 1;
  }

  async #nextDueMs(): Promise<number> {
    const [first] = await this.#client.zRangeWithScores(`${this.#prefix}delayed`, 0, 0);
    const againMs = this.#options.clock.now() + LOOK_AGAIN_MS;
    return first === undefined ? againMs : Math.min(Math.ceil(first.score / SCORE_UNIT), againMs);
  }

  /** What BullMQ has removed leaves our list, too. */
  #pruneSometimes(): void {
    const nowMs = this.#options.clock.now();
    if (nowMs < this.#pruneAtMs) return;
    this.#pruneAtMs = nowMs + PRUNE_MS;
    const exists = async (id: string): Promise<boolean> => (await this.#client.exists(this.#keysOf(id)[0])) === 1;
    this.#index.prune(exists).catch(() => {}); // the next time is soon enough
  }

  async #eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return await this.#client.eval(script, { keys: [...keys], arguments: [...args] });
  }

  async #tellAll(): Promise<void> {
    await this.#client.publish(`${this.#prefix}x:work`, "");
  }

  #tellHere(): void {
    if (!this.#isClosing) for (const listener of this.#listeners) listener();
  }

  /** Of a job: its hash, and the lock beside it. */
  #keysOf(id: string): [string, string] {
    return [`${this.#prefix}${id}`, `${this.#prefix}${id}:lock`];
  }

  #placesOf(limitedBy: string): string {
    return `${this.#prefix}x:places:${limitedBy}`;
  }

  #parkedOf(limitedBy: string): string {
    return `${this.#prefix}x:parked:${limitedBy}`;
  }

  /** Whatever goes wrong is STORE_UNAVAILABLE, and nothing takes longer than the settings allow. */
  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    const { settings, clock } = this.#options;
    const late = Promise.withResolvers<never>();
    const stop = clock.after(settings.timeoutMs, () =>
      late.reject(new Error(`no answer within ${settings.timeoutMs} ms`)),
    );
    try {
      return await Promise.race([work(), late.promise]);
    } catch (error) {
      throw unavailable(settings, error);
    } finally {
      stop();
    }
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
function isLost(fault: unknown): boolean {
  const { code } = fault as { readonly code?: unknown };
  return typeof code === "number" && code < 0;
}

function texts(fields: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
