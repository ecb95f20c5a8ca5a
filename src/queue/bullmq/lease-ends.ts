// How a lease ends: its job is over, or due again. Whoever has lost it changes nothing.
import type { Clock } from "../../core/clock.ts";
import { withEnd } from "../job-history.ts";
import type { JobEnd, Lease, NewJob } from "../queue.ts";
import type { Bull } from "./bull.ts";
import { type Hash, historyOf, releasedOnce, storedJob, type StoredEnd } from "./job-hash.ts";
import type { JobIndex } from "./job-index.ts";
import type { JobKeys } from "./job-keys.ts";
import type { LimitPlaces } from "./limit-places.ts";
import { evaluate, type RedisClient } from "./redis-clients.ts";
import { WRITE_IF_HELD } from "./scripts.ts";
import type { WorkSignal } from "./work-signal.ts";

type Fields = Readonly<Record<string, string>>;

interface LeaseEndsDeps {
  readonly client: RedisClient;
  readonly keys: JobKeys;
  readonly bull: Bull;
  readonly index: JobIndex;
  readonly places: LimitPlaces;
  readonly signal: WorkSignal;
  readonly clock: Clock;
  readonly hashOf: (id: string) => Promise<Hash | undefined>;
  readonly add: (job: NewJob) => Promise<boolean>;
}

export class LeaseEnds {
  readonly #deps: LeaseEndsDeps;

  constructor(deps: LeaseEndsDeps) {
    this.#deps = deps;
  }

  async finish(lease: Lease, end: JobEnd, followUp: NewJob | undefined): Promise<boolean> {
    const hash = await this.#deps.hashOf(lease.jobId);
    return hash !== undefined && (await this.end(lease.jobId, lease.fence, hash, { ...end, followUp }));
  }

  async retry({ jobId, fence }: Lease, again: { readonly atMs: number; readonly error: string }): Promise<boolean> {
    const hash = await this.#deps.hashOf(jobId);
    if (hash === undefined) return false;
    const { atMs, error } = again;
    if (hash["x:cancel"] !== undefined) return await this.end(jobId, fence, hash, { status: "cancelled", error });
    const history = JSON.stringify(withEnd(historyOf(hash), this.#deps.clock.now(), error));
    return await this.#delay(jobId, fence, hash, atMs, {
      "x:history": history,
      "x:error": error,
      "x:runAt": String(atMs),
    });
  }

  async release({ jobId, fence }: Lease, atMs: number): Promise<boolean> {
    const hash = await this.#deps.hashOf(jobId);
    if (hash === undefined) return false;
    const history = historyOf(hash);
    const isBegun = history.at(-1)?.endedAtMs === undefined; // else it was claimed only to be ended
    const fields: Fields = {
      ...(isBegun ? { "x:history": JSON.stringify(history.slice(0, -1)), ...releasedOnce(hash) } : {}),
      "x:runAt": String(atMs),
    };
    if (hash["x:cancel"] === undefined) return await this.#delay(jobId, fence, hash, atMs, fields);
    return await this.end(jobId, fence, { ...hash, ...fields }, { status: "cancelled" }, fields);
  }

  /**
   * Writes how a job ended and has BullMQ end it.
   *
   * @param more fields that are written with it
   */
  async end(
    id: string,
    token: string,
    hash: Hash,
    { followUp, ...end }: JobEnd & { readonly followUp?: NewJob | undefined },
    more: Fields = {},
  ): Promise<boolean> {
    const { client, keys, clock } = this.#deps;
    const finishedAtMs = clock.now();
    const stored: StoredEnd = { ...end, finishedAtMs, followUp };
    const error = end.status === "completed" ? undefined : end.error;
    const history = JSON.stringify(withEnd(historyOf(hash), finishedAtMs, error));
    const fields: Fields = { ...more, "x:history": history, "x:end": JSON.stringify(stored) };
    const args = [token, ...Object.entries(fields).flat()];
    const isOurs = (await evaluate(client, WRITE_IF_HELD, keys.of(id), args)) === 1;
    if (isOurs) await this.settle(id, token, hash, stored);
    return isOurs;
  }

  /** Of a job whose end is written: has BullMQ end it, with what belongs to that. */
  async settle(id: string, token: string, hash: Hash, end: StoredEnd): Promise<void> {
    const { bull, index, add } = this.#deps;
    if (end.followUp !== undefined) await add(end.followUp);
    if (end.status === "cancelled") await index.markCancelled(id);
    await bull.finish(id, token, failureOf(end)); // where the lock is lost, whoever claims it next settles it
    await this.#leavePlace(id, hash);
  }

  /** Due again at `atMs`. False where the lease is lost. */
  async #delay(id: string, token: string, hash: Hash, atMs: number, fields: Fields): Promise<boolean> {
    const { bull, clock, signal } = this.#deps;
    const nowMs = clock.now();
    if (!(await bull.delay(id, token, nowMs, Math.max(0, atMs - nowMs), fields))) return false;
    await this.#leavePlace(id, hash);
    await signal.tellAll();
    return true;
  }

  async #leavePlace(id: string, hash: Hash): Promise<void> {
    const { limitedBy } = storedJob(hash);
    if (limitedBy !== undefined) await this.#deps.places.leave(id, limitedBy);
  }
}

/** What BullMQ is told that it failed of; undefined where it did not. */
function failureOf({ status, error }: StoredEnd): string | undefined {
  return status === "completed" ? undefined : (error ?? status);
}
