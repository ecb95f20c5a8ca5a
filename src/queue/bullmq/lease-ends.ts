// How a lease ends: its job is over, or due again. Whoever has lost it changes nothing.
import type { Clock } from "../../core/clock.ts";
import { withEnd } from "../job-history.ts";
import type { JobEnd, Lease, NewJob } from "../queue.ts";
import type { Bull } from "./bull.ts";
import { type Hash, type Held, heldOf, historyOf, releasedOnce, type StoredEnd } from "./job-hash.ts";
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
  /** Spares reading again what only the holder changes. */
  readonly #held = new WeakMap<Lease, Held>();

  constructor(deps: LeaseEndsDeps) {
    this.#deps = deps;
  }

  /** @param hash as its claim has left it */
  began(lease: Lease, hash: Hash): void {
    this.#held.set(lease, heldOf(hash));
  }

  async finish(lease: Lease, end: JobEnd, followUp: NewJob | undefined): Promise<boolean> {
    const held = this.#held.get(lease) ?? (await this.#read(lease.jobId));
    return held !== undefined && (await this.end(lease.jobId, lease.fence, held, { ...end, followUp }));
  }

  async retry({ jobId, fence }: Lease, again: { readonly atMs: number; readonly error: string }): Promise<boolean> {
    const hash = await this.#deps.hashOf(jobId);
    if (hash === undefined) return false;
    const { atMs, error } = again;
    const held = heldOf(hash);
    if (hash["x:cancel"] !== undefined) return await this.end(jobId, fence, held, { status: "cancelled", error });
    const history = JSON.stringify(withEnd(held.history, this.#deps.clock.now(), error));
    return await this.#delay(jobId, fence, held, atMs, {
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
    const held = heldOf({ ...hash, ...fields });
    if (hash["x:cancel"] === undefined) return await this.#delay(jobId, fence, held, atMs, fields);
    return await this.end(jobId, fence, held, { status: "cancelled" }, fields);
  }

  /**
   * Writes how a job ended and has BullMQ end it.
   *
   * @param more fields that are written with it
   */
  async end(
    id: string,
    token: string,
    held: Held,
    { followUp, ...end }: JobEnd & { readonly followUp?: NewJob | undefined },
    more: Fields = {},
  ): Promise<boolean> {
    const { client, keys, bull, clock } = this.#deps;
    const finishedAtMs = clock.now();
    const stored: StoredEnd = { ...end, finishedAtMs, followUp };
    const error = end.status === "completed" ? undefined : end.error;
    const history = JSON.stringify(withEnd(held.history, finishedAtMs, error));
    const fields: Fields = { ...more, "x:history": history, "x:end": JSON.stringify(stored) };
    if (followUp === undefined && end.status !== "cancelled") {
      const finish = bull.finish(id, token, failureOf(stored), fields);
      return await this.#thenLeave(id, held, finish);
    }
    // What has to be added or listed with the end must not be before the end is known to be ours, nor be forgotten behind it.
    const args = [token, ...Object.entries(fields).flat()];
    const isOurs = (await evaluate(client, WRITE_IF_HELD, keys.of(id), args)) === 1;
    if (isOurs) await this.settle(id, token, held, stored);
    return isOurs;
  }

  /** Of a job whose end is written: has BullMQ end it, with what belongs to that. */
  async settle(id: string, token: string, held: Held, end: StoredEnd): Promise<void> {
    const { bull, index, places, add } = this.#deps;
    if (end.followUp !== undefined) await add(end.followUp);
    if (end.status === "cancelled") await index.markCancelled(id);
    await bull.finish(id, token, failureOf(end)); // where the lock is lost, whoever claims it next settles it
    if (held.limitedBy !== undefined) await places.leave(id, held.limitedBy);
  }

  /** Due again at `atMs`. False where the lease is lost. */
  async #delay(id: string, token: string, held: Held, atMs: number, fields: Fields): Promise<boolean> {
    const { bull, clock, signal } = this.#deps;
    const nowMs = clock.now();
    const delay = bull.delay(id, token, nowMs, Math.max(0, atMs - nowMs), fields);
    const isOurs = await this.#thenLeave(id, held, delay);
    if (isOurs) signal.tellAll();
    return isOurs;
  }

  /** Its place is for others once the job is known to have left it. */
  async #thenLeave(id: string, { limitedBy, hasPlace }: Held, left: Promise<boolean>): Promise<boolean> {
    const { places } = this.#deps;
    if (limitedBy === undefined) return await left;
    // Without a place there is nothing to wait for; those parked under a limit that there is no more may go.
    if (!hasPlace) return (await Promise.all([left, places.leave(undefined, limitedBy)]))[0];
    const isOurs = await left;
    if (isOurs) await places.leave(id, limitedBy);
    return isOurs;
  }

  async #read(id: string): Promise<Held | undefined> {
    const hash = await this.#deps.hashOf(id);
    return hash && heldOf(hash);
  }
}

/** What BullMQ is told that it failed of; undefined where it did not. */
function failureOf({ status, error }: StoredEnd): string | undefined {
  return status === "completed" ? undefined : (error ?? status);
}
