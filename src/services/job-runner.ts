import type { Clock } from "../core/clock.ts";
import { messageOf, PlatformError } from "../core/errors.ts";
import type { Claim, JobEnd, Lease, NewJob, Queue } from "../queue/queue.ts";

/** What becomes of a claim. */
export type Verdict =
  | { readonly kind: "end"; readonly end: JobEnd; readonly followUp?: NewJob | undefined }
  | { readonly kind: "retry"; readonly atMs: number; readonly error: string }
  | { readonly kind: "release"; readonly atMs: number };

/** Why a job is stopped: somebody cancelled it, somebody else has it now, or the server ends. It is the signal's reason. */
export type StopReason = "cancelled" | "lost" | "stopping";

/** Does the work of one kind of jobs. */
export type JobHandler = (claim: Claim, signal: AbortSignal) => Promise<Verdict>;

export interface JobRunnerDeps {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** By kind. */
  readonly handlers: Readonly<Record<string, JobHandler>>;
  /** At once, on this node: what is left of the workers is for callers who wait. */
  readonly concurrency: number;
  readonly limits: () => ReadonlyMap<string, number>;
  readonly leaseMs?: number;
}

const LEASE_MS = 30_000; // a server that is not heard of for so long is gone
const QUEUE_DOWN_MS = 1_000;
const BUG_RETRY_MS = 5_000;
const LONGEST_TIMER_MS = 3_600_000; // timers cannot be longer than 24 days

interface Running {
  readonly claim: Claim;
  /** When its lease was asked for, or lengthened, last. */
  leasedAtMs: number;
  readonly stop: AbortController;
  readonly over: Promise<void>;
}

/** Claims jobs when they are due, has them done, and tells the queue how they ended. It waits for timers and never polls. */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #leaseMs: number;
  readonly #running = new Map<string, Running>();
  #isClaiming = false;
  #claimAgain = false;
  #isStopping = true;
  #isQueueDown = false;
  #cancelTimer: (() => void) | undefined;
  #stopHeartbeat: (() => void) | undefined;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#leaseMs = deps.leaseMs ?? LEASE_MS;
    deps.queue.onWork(() => void this.#claim());
  }

  get runningCount(): number {
    return this.#running.size;
  }

  start(): void {
    this.#isStopping = false;
    void this.#claim();
  }

  /** Ends it if it runs here. */
  cancel(jobId: string): void {
    this.#stop(jobId, "cancelled");
  }

  /** Takes no more jobs; those that run have `graceMs` to end, and the rest goes back into the queue. */
  async drain(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#cancelTimer?.();
    const all = Promise.all([...this.#running.values()].map(({ over }) => over));
    const patience = Promise.withResolvers<void>();
    const stopWaiting = this.#deps.clock.after(graceMs, patience.resolve);
    await Promise.race([all, patience.promise]);
    stopWaiting();
    for (const jobId of this.#running.keys()) this.#stop(jobId, "stopping");
    await all;
    this.#stopHeartbeat?.();
  }

  async #claim(): Promise<void> {
    if (this.#isClaiming) {
      this.#claimAgain = true;
      return;
    }
    this.#isClaiming = true;
    const { queue, concurrency, limits, clock, log } = this.#deps;
    try {
      do {
        this.#claimAgain = false;
        const count = concurrency - this.#running.size;
        if (count <= 0 || this.#isStopping) break; // the end of one that runs claims again
        await this.#keepOwn();
        const askedAtMs = clock.now();
        const { claims, nextDueMs } = await queue.claim({ count, leaseMs: this.#leaseMs, limits: limits() });
        for (const claim of claims) this.#begin(claim, askedAtMs);
        this.#cancelTimer?.();
        if (nextDueMs !== undefined) this.#claimAt(nextDueMs);
        this.#isQueueDown = false;
      } while (this.#claimAgain);
    } catch (error) {
      if (!this.#isQueueDown) log(`jobs wait: ${messageOf(error)}`);
      this.#isQueueDown = true;
      this.#claimAt(clock.now() + QUEUE_DOWN_MS);
    } finally {
      this.#isClaiming = false;
    }
  }

  #claimAt(dueMs: number): void {
    this.#cancelTimer?.();
    if (this.#isStopping) return;
    const delayMs = Math.min(Math.max(0, dueMs - this.#deps.clock.now()), LONGEST_TIMER_MS);
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => void this.#claim());
  }

  /** This process, or its machine, may have stood still for so long that its leases are over: it must not take its own jobs again. */
  async #keepOwn(): Promise<void> {
    const oldMs = this.#deps.clock.now() - this.#leaseMs / 2;
    if ([...this.#running.values()].some(({ leasedAtMs }) => leasedAtMs < oldMs)) await this.#heartbeat();
  }

  #begin(claim: Claim, leasedAtMs: number): void {
    const stop = new AbortController();
    const { jobId } = claim.lease;
    this.#stop(jobId, "lost"); // by us, to us
    const running: Running = { claim, stop, leasedAtMs, over: this.#run(claim, stop.signal) };
    this.#running.set(jobId, running);
    this.#stopHeartbeat ??= this.#deps.clock.every(this.#leaseMs / 3, () => void this.#heartbeat());
    if (this.#isStopping) stop.abort("stopping" satisfies StopReason); // it was claimed while we began to stop
  }

  async #run(claim: Claim, signal: AbortSignal): Promise<void> {
    const { handlers, clock, log } = this.#deps;
    const { job } = claim;
    try {
      await this.#tell(claim.lease, await this.#verdictOn(claim, handlers[job.kind], signal), signal);
    } catch (error) {
      log(`job ${job.id} will run again: ${messageOf(error)}`); // its lease ends, since nobody lengthens it any more
      this.#claimAt(clock.now() + this.#leaseMs);
    } finally {
      if (this.#running.get(job.id)?.claim === claim) this.#running.delete(job.id);
      if (this.#running.size === 0) {
        this.#stopHeartbeat?.();
        this.#stopHeartbeat = undefined;
      }
      void this.#claim();
    }
  }

  async #verdictOn(claim: Claim, handler: JobHandler | undefined, signal: AbortSignal): Promise<Verdict> {
    const { job } = claim;
    try {
      await Promise.resolve(); // never before it is known to run
      if (handler === undefined) return { kind: "end", end: { status: "dead", error: `no such work: ${job.kind}` } };
      return await handler(claim, signal);
    } catch (error) {
      // A bug of ours, or a store that is gone: worth another attempt, and not worth one for ever.
      const text = `internal error: ${messageOf(error)}`;
      this.#deps.log(`job ${job.id}: ${error instanceof Error ? (error.stack ?? text) : text}`);
      if (job.attemptsMade >= job.attempts) return { kind: "end", end: { status: "dead", error: text } };
      return { kind: "retry", atMs: this.#deps.clock.now() + BUG_RETRY_MS, error: text };
    }
  }

  /** Until the queue knows: what has been done must not be done again only because nobody could be told. Its lease goes on meanwhile. */
  async #tell(lease: Lease, verdict: Verdict, signal: AbortSignal): Promise<void> {
    const { queue, clock, log } = this.#deps;
    for (let tries = 1; ; tries++) {
      try {
        if (verdict.kind === "end") await queue.finish(lease, verdict.end, verdict.followUp);
        else if (verdict.kind === "retry") await queue.retry(lease, verdict);
        else await queue.release(lease, verdict.atMs);
        return;
      } catch (error) {
        const mayCome = error instanceof PlatformError && error.code === "STORE_UNAVAILABLE";
        if (!mayCome || signal.reason === "lost" || signal.reason === "stopping") throw error;
        if (tries === 1) log(`job ${lease.jobId} has run, which the queue cannot be told yet: ${messageOf(error)}`);
        await pause(clock, QUEUE_DOWN_MS, signal);
      }
    }
  }

  async #heartbeat(): Promise<void> {
    const all = [...this.#running.values()];
    if (all.length === 0) return;
    const { queue, clock } = this.#deps;
    const leasedAtMs = clock.now();
    try {
      const leases = all.map(({ claim }) => claim.lease);
      const states = await queue.heartbeat(leases, this.#leaseMs);
      for (const [index, running] of all.entries()) {
        if (states[index] === "lost") running.stop.abort("lost" satisfies StopReason);
        else running.leasedAtMs = leasedAtMs;
        if (states[index] === "cancel") running.stop.abort("cancelled" satisfies StopReason);
      }
    } catch (error) {
      this.#deps.log(`leases of jobs could not be lengthened: ${messageOf(error)}`);
    }
  }

  #stop(jobId: string, reason: StopReason): void {
    this.#running.get(jobId)?.stop.abort(reason);
  }
}

/** For so long, or until the signal. */
async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.after(delayMs, end);
    signal.addEventListener("abort", end);
    function end(): void {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
