import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import type { Job, JobCounts, JobPage, JobQuery, Queue } from "../queue/queue.ts";
import type { Callbacks } from "./callbacks.ts";
import type { Catalog, StoredFunction } from "./catalog.ts";
import { checkSameRequest, onceKey } from "./idempotency.ts";
import type { InvocationPayload, JobInput } from "./job-payload.ts";

export { JOB_STATUSES, LEAST_PRIORITY, MOST_PRIORITY } from "../queue/queue.ts";
export type { Job, JobAttempt, JobCounts, JobStatus, JobSummary } from "../queue/queue.ts";

const COUNT_LASTS_MS = 1_000;
const REPLAY_PAGE = 200;

/** A function's run that is asked for and not waited for. */
export interface JobRequest {
  readonly stored: StoredFunction;
  readonly input: JobInput;
  readonly pin?: string | undefined;
  readonly delayMs?: number | undefined;
  /** Undefined: the function's. */
  readonly attempts?: number | undefined;
  readonly priority?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly callbackUrl?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface JobsDeps {
  readonly queue: Queue;
  readonly catalog: Catalog;
  readonly callbacks: Callbacks;
  readonly clock: Clock;
  /** That may wait. */
  readonly maxQueued: number;
  /** Of one job's input. */
  readonly inputBytes: number;
}

/** Jobs, for those who ask for them and those who look after them. `JobRunner` does them. */
export class Jobs {
  readonly #deps: JobsDeps;
  #queued = 0;
  #countedAtMs = -Infinity;
  /** Told of jobs that were cancelled: before they began, or while they may run. */
  onCancelled: (job: Job, how: "cancelled" | "running") => Promise<void> = () => Promise.resolve();

  constructor(deps: JobsDeps) {
    this.#deps = deps;
  }

  /** Of one job's input: more is refused. */
  get inputBytes(): number {
    return this.#deps.inputBytes;
  }

  /**
   * Resolves when the job is durable.
   *
   * @returns its id; that of the first one where the same was asked for under the same key
   * @throws PlatformError FUNCTION_DISABLED, VERSION_NOT_FOUND, INVALID_REQUEST, BODY_TOO_LARGE, IDEMPOTENCY_KEY_REUSED, QUEUE_FULL
   */
  async submit(request: JobRequest): Promise<{ readonly jobId: string; readonly isNew: boolean }> {
    const { queue, catalog, callbacks, clock, inputBytes } = this.#deps;
    const { stored, input, pin, delayMs = 0, priority = 0, timeoutMs, callbackUrl, idempotencyKey } = request;
    const { id: functionId, name, settings, activeVersion } = stored;
    if (settings.disabled) throw new PlatformError("FUNCTION_DISABLED", "Function is disabled");
    if (pin !== undefined) await catalog.pinned(stored, pin);
    else if (activeVersion === undefined) {
      throw new PlatformError("VERSION_NOT_FOUND", `function "${name}" has no version yet`);
    }
    if (callbackUrl !== undefined) callbacks.checkUrl(callbackUrl);
    const payload = JSON.stringify({ input, pin, timeoutMs, callbackUrl } satisfies InvocationPayload);
    const bytes =
      input.kind === "value" ? Buffer.byteLength(input.json) : Buffer.byteLength(input.request.body, "base64");
    if (bytes > inputBytes) throw inputTooLarge(inputBytes);
    const attempts = request.attempts ?? settings.retry.attempts;
    const asked = JSON.stringify([withoutMoment(input), pin, timeoutMs, callbackUrl, delayMs, attempts, priority]);
    const once = onceKey(idempotencyKey, functionId, asked);
    await this.#checkRoom();
    const enqueued = await queue.enqueue({
      ...{ id: newId(), kind: "invocation", functionId, limitedBy: functionId, payload, priority, attempts, once },
      runAtMs: clock.now() + delayMs,
    });
    checkSameRequest(enqueued, once);
    if (enqueued.isNew) this.#queued++;
    return enqueued;
  }

  /** Rejects with PlatformError NOT_FOUND. */
  async find(id: string): Promise<Job> {
    const job = await this.#deps.queue.find(id);
    if (job === undefined) throw noJob(id);
    return job;
  }

  /** The newest first. */
  async list(query: JobQuery): Promise<JobPage> {
    return await this.#deps.queue.list(query);
  }

  async counts(): Promise<JobCounts> {
    return await this.#deps.queue.stats();
  }

  /** Ends one that waits or runs. Rejects with PlatformError NOT_FOUND, or IN_USE where it is over. */
  async cancel(id: string): Promise<void> {
    const { queue, callbacks } = this.#deps;
    const how = await queue.cancel(id);
    if (how === "missing") throw noJob(id);
    const job = await this.find(id);
    if (how === "over") throw new PlatformError("IN_USE", `the job is over (${job.status}): it cannot be cancelled`);
    await this.onCancelled(job, how);
    const { callbackUrl } = JSON.parse(job.payload) as InvocationPayload;
    if (how === "cancelled" && callbackUrl !== undefined) {
      await queue.enqueue(callbacks.jobFor(job, { status: "cancelled" }, callbackUrl));
    }
  }

  /** Runs a dead or cancelled one again. Rejects with PlatformError NOT_FOUND, or IN_USE where it is neither. */
  async replay(id: string): Promise<Job> {
    const how = await this.#deps.queue.replay(id);
    if (how === "missing") throw noJob(id);
    const job = await this.find(id);
    if (how === "not-dead") {
      throw new PlatformError("IN_USE", `the job is ${job.status}: only a dead or cancelled one can be replayed`);
    }
    return job;
  }

  /** Runs all dead (or cancelled) ones again, of one function or of all; says how many. */
  async replayAll(which: {
    readonly functionId?: string | undefined;
    readonly status: "dead" | "cancelled";
  }): Promise<number> {
    const { queue } = this.#deps;
    let replayed = 0;
    let cursor: string | undefined;
    do {
      const page = await queue.list({ ...which, limit: REPLAY_PAGE, cursor });
      const how = await Promise.all(page.items.map(({ id }) => queue.replay(id)));
      replayed += how.filter((each) => each === "queued").length;
      ({ cursor } = page);
    } while (cursor !== undefined);
    return replayed;
  }

  /** Counting takes time: the count of a second ago and what has come since is good enough. */
  async #checkRoom(): Promise<void> {
    const { queue, clock, maxQueued } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#countedAtMs > COUNT_LASTS_MS) {
      this.#countedAtMs = nowMs;
      this.#queued = (await queue.stats()).queued;
    }
    if (this.#queued < maxQueued) return;
    throw new PlatformError(
      "QUEUE_FULL",
      `${this.#queued} jobs wait already (max ${maxQueued}, setting JOBS_MAX_QUEUED)`,
    );
  }
}

function inputTooLarge(limitBytes: number): PlatformError {
  const message = `the input is too large to be kept for later (max ${limitBytes} bytes, setting JOB_INPUT_MAX_SIZE)`;
  return new PlatformError("BODY_TOO_LARGE", message);
}

function noJob(id: string): PlatformError {
  return new PlatformError("NOT_FOUND", `there is no job ${JSON.stringify(id)}`);
}

/** What a client sends anew with each try of the same request does not make it another one. */
function withoutMoment(input: JobInput): unknown {
  if (input.kind === "value") return input.json;
  const { method, path, query, body } = input.request;
  return [method, path, query, body];
}
