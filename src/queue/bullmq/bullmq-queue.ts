// The queue on BullMQ: it keeps order, priorities, delays, locks and lost workers; what it has no word for (limits, attempts that do not
// count, histories, cancelling, keys that are used once) is in fields and sets of ours beside it. Needs one Redis, not a cluster.
import type { Clock } from "../../core/clock.ts";
import type { RedisSettings } from "../../core/redis-settings.ts";
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
  Queue,
} from "../queue.ts";
import { Adding } from "./adding.ts";
import { Bull } from "./bull.ts";
import { Claiming, type Took } from "./claiming.ts";
import { type Hash, statusOf, toJob } from "./job-hash.ts";
import { JobIndex } from "./job-index.ts";
import { JobKeys, SCORE_UNIT } from "./job-keys.ts";
import { LeaseEnds } from "./lease-ends.ts";
import { LimitPlaces } from "./limit-places.ts";
import { connect, evaluate, type RedisClient, unavailable } from "./redis-clients.ts";
import { CANCEL, EXTEND, RENEW } from "./scripts.ts";
import { WorkSignal } from "./work-signal.ts";

const STALLED_CHECK_MS = 10_000; // how long a lost lease may go unnoticed, twice over
const LOOK_AGAIN_MS = 10_000; // a message that tells of work may be lost with a connection
const MAX_PARKED_AT_ONCE = 500;
const PRUNE_MS = 60_000;

export interface BullmqQueueOptions {
  readonly settings: RedisSettings;
  readonly keep: JobRetention;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** How often lost leases are looked for. */
  readonly stalledCheckMs?: number;
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
  readonly #keys: JobKeys;
  readonly #bull: Bull;
  readonly #index: JobIndex;
  readonly #signal: WorkSignal;
  readonly #adding: Adding;
  readonly #claiming: Claiming;
  readonly #ends: LeaseEnds;
  #isClosing = false;
  #pruneAtMs = 0;

  constructor(options: BullmqQueueOptions, client: RedisClient, subscriber: RedisClient) {
    const { settings, keep, clock, log, stalledCheckMs = STALLED_CHECK_MS } = options;
    this.#options = options;
    this.#client = client;
    this.#subscriber = subscriber;
    let isTold = false;
    const onError = (error: Error): void => {
      if (!isTold && !this.#isClosing) log(`the queue in Redis: ${error.message}`);
      isTold = true;
    };
    const onStalled = (): void => this.#signal.tellHere();
    const bull = new Bull({ client, settings, keep, stalledCheckMs, onError, onStalled });
    const keys = new JobKeys(bull.prefix);
    const index = new JobIndex(client, keys.prefix, keep, clock);
    const signal = new WorkSignal(client, keys.work);
    const common = { client, keys, bull, index, signal, clock };
    const places = new LimitPlaces(common);
    const adding = new Adding(common);
    const hashOf = (id: string): Promise<Hash | undefined> => this.#hash(id);
    const ends = new LeaseEnds({ ...common, places, hashOf, add: (job) => adding.add(job) });
    this.#keys = keys;
    this.#bull = bull;
    this.#index = index;
    this.#signal = signal;
    this.#adding = adding;
    this.#ends = ends;
    this.#claiming = new Claiming({ ...common, places, ends });
  }

  async open(): Promise<void> {
    await this.#signal.listen(this.#subscriber);
    await this.#bull.open();
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    return await this.#bounded(async () => await this.#adding.enqueue(job));
  }

  async claim({ count, leaseMs, limits }: ClaimRequest): Promise<Claims> {
    const claims: Claim[] = [];
    const over = new AbortController();
    const take = async (): Promise<Took> => {
      const took = await this.#claiming.take({ leaseMs, limits });
      if (took.kind !== "claim") return took;
      // Once it is over nobody waits for it any more.
      if (over.signal.aborted) await this.release(took.claim.lease, this.#options.clock.now());
      else claims.push(took.claim);
      return took;
    };
    const work = async (): Promise<number | undefined> => {
      this.#pruneSometimes();
      let atOnce = 1; // those that are sent together: more where there are many, and few for nothing
      let left = MAX_PARKED_AT_ONCE;
      while (claims.length < count && left > 0 && !over.signal.aborted) {
        const asked = Math.min(atOnce, count - claims.length);
        const last = (await Promise.all(Array.from({ length: asked }, take))).findLast(
          ({ kind }) => kind !== "skipped",
        );
        if (last?.kind === "none" || (last?.kind === "claim" && claims.length === count)) return last.nextDueMs;
        left -= asked;
        atOnce = 2 * asked;
      }
      return await this.#claiming.nextDueMs();
    };
    const again = (): number => this.#options.clock.now() + LOOK_AGAIN_MS;
    try {
      const nextDueMs = this.#isClosing ? undefined : await this.#bounded(work);
      return { claims, nextDueMs: Math.min(nextDueMs ?? Infinity, again()) };
    } catch (error) {
      if (claims.length === 0) throw error;
      return { claims, nextDueMs: again() }; // they are ours, whatever went wrong behind them
    } finally {
      over.abort();
    }
  }

  async heartbeat(leases: readonly Lease[], leaseMs: number): Promise<LeaseState[]> {
    return await this.#bounded(
      async () =>
        await Promise.all(
          leases.map(async ({ jobId, fence }): Promise<LeaseState> => {
            const keys = [...this.#keys.of(jobId), this.#keys.stalled, this.#keys.places("")];
            const untilMs = this.#options.clock.now() + leaseMs;
            const state = await evaluate(this.#client, EXTEND, keys, [fence, String(leaseMs), jobId, String(untilMs)]);
            return state === 0 ? "lost" : state === 2 ? "cancel" : "kept";
          }),
        ),
    );
  }

  async finish(lease: Lease, end: JobEnd, followUp?: NewJob): Promise<boolean> {
    return await this.#bounded(async () => await this.#ends.finish(lease, end, followUp));
  }

  async retry(lease: Lease, again: { readonly atMs: number; readonly error: string }): Promise<boolean> {
    return await this.#bounded(async () => await this.#ends.retry(lease, again));
  }

  async release(lease: Lease, atMs: number): Promise<boolean> {
    return await this.#bounded(async () => await this.#ends.release(lease, atMs));
  }

  async cancel(id: string): Promise<"cancelled" | "running" | "over" | "missing"> {
    return await this.#bounded(async () => {
      const how = await evaluate(this.#client, CANCEL, this.#keys.of(id), [String(this.#options.clock.now())]);
      if (how === "cancelled") {
        await this.#bull.promote(id); // whoever claims it ends it
        this.#signal.tellAll();
      }
      return how as "cancelled" | "running" | "over" | "missing";
    });
  }

  async replay(id: string): Promise<"queued" | "not-dead" | "missing"> {
    return await this.#bounded(async () => {
      const how = await evaluate(this.#client, RENEW, this.#keys.of(id), [String(this.#options.clock.now())]);
      if (how === "missing" || how === "not-dead") return how;
      await this.#index.unmarkCancelled(id);
      if (how === "finished") await this.#bull.retryFailed(id);
      else await this.#bull.promote(id);
      this.#signal.tellAll();
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
        this.#bull.counts("wait", "prioritized"),
        this.#client.zCount(this.#keys.delayed, 0, untilScore),
      ]);
      return counts("wait") + counts("prioritized") + overdue;
    });
  }

  async stats(): Promise<JobCounts> {
    return await this.#bounded(async () => {
      const of = await this.#bull.counts("wait", "prioritized", "delayed", "active", "completed", "failed");
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
    this.#signal.onWork(listener);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#signal.end();
    const { timeoutMs } = this.#options.settings;
    const patience = new Promise<void>((resolve) => void this.#options.clock.after(timeoutMs, resolve));
    // They never end where Redis is gone.
    await Promise.race([this.#bull.close(), patience]);
    for (const client of [this.#subscriber, this.#client]) {
      if (client.isReady) await Promise.race([client.close(), patience]);
      client.destroy();
    }
  }

  async #see(id: string): Promise<{ readonly hash: Hash; readonly status: Job["status"] } | undefined> {
    const [hash, isActive, locks] = await Promise.all([
      this.#hash(id),
      this.#bull.isActive(id),
      this.#client.exists(this.#keys.of(id)[1]),
    ]);
    return hash === undefined ? undefined : { hash, status: statusOf(hash, isActive, locks === 1) };
  }

  async #hash(id: string): Promise<Hash | undefined> {
    const hash = await this.#client.hGetAll(this.#keys.of(id)[0]);
    return hash["data"] === undefined ? undefined : hash;
  }

  /** What BullMQ has removed leaves our list, too. */
  #pruneSometimes(): void {
    const nowMs = this.#options.clock.now();
    if (nowMs < this.#pruneAtMs) return;
    this.#pruneAtMs = nowMs + PRUNE_MS;
    const exists = async (id: string): Promise<boolean> => (await this.#client.exists(this.#keys.of(id)[0])) === 1;
    this.#index.prune(exists).catch(() => {}); // the next time is soon enough
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
