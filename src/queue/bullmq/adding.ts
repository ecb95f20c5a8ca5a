// How a job is added, and how a key keeps a second one from being added.
import type { Clock } from "../../core/clock.ts";
import type { Enqueued, NewJob, OnceKey } from "../queue.ts";
import type { Bull } from "./bull.ts";
import type { StoredJob } from "./job-hash.ts";
import type { JobIndex } from "./job-index.ts";
import type { JobKeys } from "./job-keys.ts";
import { evaluate, type RedisClient } from "./redis-clients.ts";
import { SET_ONCE } from "./scripts.ts";
import type { WorkSignal } from "./work-signal.ts";

interface Once extends OnceKey {
  readonly jobId: string;
  readonly isAdded: boolean;
}

interface AddingDeps {
  readonly client: RedisClient;
  readonly keys: JobKeys;
  readonly bull: Bull;
  readonly index: JobIndex;
  readonly signal: WorkSignal;
  readonly clock: Clock;
}

export class Adding {
  readonly #deps: AddingDeps;

  constructor(deps: AddingDeps) {
    this.#deps = deps;
  }

  async enqueue(job: NewJob): Promise<Enqueued> {
    const { client, keys } = this.#deps;
    const { once } = job;
    if (once === undefined) return { isNew: await this.add(job), jobId: job.id, fingerprint: undefined };
    const key = keys.once(once.key);
    const mine: Once = { ...once, jobId: job.id, isAdded: false };
    const known = await evaluate(client, SET_ONCE, [key], [JSON.stringify(mine), String(once.forMs)]);
    const first = typeof known === "string" ? (JSON.parse(known) as Once) : mine;
    const told = { jobId: first.jobId, fingerprint: first.fingerprint };
    if (first.isAdded || first.fingerprint !== once.fingerprint) return { isNew: false, ...told };
    // Whoever came first may have died since: the job must be durable before anybody is told of it.
    const isNew = await this.add({ ...job, id: first.jobId });
    const added = JSON.stringify({ ...first, isAdded: true });
    await client.set(key, added, { condition: "XX", expiration: "KEEPTTL" });
    return { isNew, ...told };
  }

  /** @returns false where it is there already */
  async add(job: NewJob): Promise<boolean> {
    const { bull, index, signal, clock } = this.#deps;
    const { id, kind, functionId, limitedBy, payload, priority, attempts, runAtMs } = job;
    const createdAtMs = clock.now();
    const stored: StoredJob = { kind, functionId, limitedBy, payload, priority, attempts, runAtMs, createdAtMs };
    // Sent together, and done in this order: what is listed and not there is left out.
    const [isNew] = await Promise.all([index.add(id, functionId, createdAtMs), bull.add(id, stored)]);
    signal.tellAll();
    return isNew;
  }
}
