// How a job is claimed: BullMQ locks it for a token, and then it has a lease, an attempt and, where there is a limit, a place; or it is
// found to be over, and is ended.
import type { Clock } from "../../core/clock.ts";
import { newId } from "../../core/id.ts";
import { withEnd } from "../job-history.ts";
import { type Claim, type ClaimRequest, LEASE_LOST } from "../queue.ts";
import type { Bull } from "./bull.ts";
import {
  begunOf,
  endOf,
  fromFlat,
  type Hash,
  heldOf,
  historyOf,
  madeOf,
  releasedOnce,
  storedJob,
  toJob,
  withoutUnbegun,
} from "./job-hash.ts";
import { type JobKeys, SCORE_UNIT } from "./job-keys.ts";
import type { LeaseEnds } from "./lease-ends.ts";
import type { LimitPlaces } from "./limit-places.ts";
import { evaluate, type RedisClient } from "./redis-clients.ts";
import { BEGIN } from "./scripts.ts";

interface ClaimingDeps {
  readonly client: RedisClient;
  readonly keys: JobKeys;
  readonly bull: Bull;
  readonly places: LimitPlaces;
  readonly ends: LeaseEnds;
  readonly clock: Clock;
}

/** A claim; none, since nothing is due; or nothing that can be claimed now, though what comes behind it may be. */
export type Took =
  | { readonly kind: "claim"; readonly claim: Claim; readonly nextDueMs: number | undefined }
  | { readonly kind: "none"; readonly nextDueMs: number | undefined }
  | { readonly kind: "skipped" };

type Wanted = Pick<ClaimRequest, "leaseMs" | "limits">;

export class Claiming {
  readonly #deps: ClaimingDeps;

  constructor(deps: ClaimingDeps) {
    this.#deps = deps;
  }

  /** `nextDueMs` is when the first of the jobs that wait for a time is due; undefined: none waits. */
  async take(wanted: Wanted): Promise<Took> {
    const token = newId();
    const given = await this.#deps.bull.next(token);
    if (given.id === undefined) return { kind: "none", nextDueMs: given.nextDueMs };
    // Of most jobs nothing has been written yet, and what BullMQ tells of them is all there is: they need not be read.
    const fresh = { data: given.data, ats: String(given.claims) };
    return await this.#begin(given.id, token, fresh, false, wanted);
  }

  async nextDueMs(): Promise<number | undefined> {
    const { client, keys } = this.#deps;
    const [first] = await client.zRangeWithScores(keys.delayed, 0, 0);
    return first && dueMs(first.score);
  }

  /** @param isKnown `found` is all that has been written of it; else it begins only where there is no more */
  async #begin(id: string, token: string, found: Hash, isKnown: boolean, wanted: Wanted): Promise<Took> {
    const { client, keys, places, ends, clock } = this.#deps;
    const { leaseMs, limits } = wanted;
    const hash = withoutUnbegun(found);
    if (await this.#endIfOver(id, token, hash)) return { kind: "skipped" };
    const nowMs = clock.now();
    const { limitedBy, attempts } = storedJob(hash);
    const limit = limitedBy === undefined ? undefined : limits.get(limitedBy);
    const exhausted = madeOf(hash) > attempts;
    const before = withEnd(historyOf(hash), nowMs, LEASE_LOST);
    const begun = {
      number: begunOf(hash),
      executionId: newId(),
      startedAtMs: nowMs,
      endedAtMs: undefined,
      error: undefined,
    };
    const fields: Hash = {
      "x:history": JSON.stringify(exhausted ? before : [...before, begun]),
      ...(before.at(-1)?.error === LEASE_LOST ? { "x:error": LEASE_LOST } : {}),
      ...(limit === undefined ? {} : { "x:place": limitedBy ?? "" }),
      "x:released": hash["x:released"] ?? "0",
      ...(exhausted ? releasedOnce(hash) : {}),
    };
    const [answer, more] = (await evaluate(
      client,
      BEGIN,
      [...keys.of(id), keys.stalled, keys.delayed, keys.places(limitedBy ?? "")],
      [
        ...[token, String(leaseMs), id, String(nowMs), String(nowMs + leaseMs), String(limit ?? "")],
        ...[isKnown ? "1" : "0", ...Object.entries(fields).flat()],
      ],
    )) as ["lost" | "full" | "known" | "begun", unknown];
    if (answer === "known") return await this.#begin(id, token, fromFlat(more as string[]), true, wanted);
    if (answer === "full") await places.park(id, token, hash, limitedBy ?? "", limit ?? 0);
    if (answer !== "begun") return { kind: "skipped" };
    const now = { ...hash, ...fields };
    const lease = { jobId: id, attempt: begunOf(now), fence: token };
    ends.began(lease, now);
    const nextDueMs = typeof more === "string" ? dueMs(Number(more)) : undefined;
    return { kind: "claim", claim: { job: toJob(id, now, "running"), lease, exhausted }, nextDueMs };
  }

  /** True where it is not to be begun any more; then it has been ended. */
  async #endIfOver(id: string, token: string, hash: Hash): Promise<boolean> {
    const { ends } = this.#deps;
    const end = endOf(hash);
    if (end !== undefined) {
      await ends.settle(id, token, heldOf(hash), end); // its holder died between our writing and BullMQ's
      return true;
    }
    if (hash["x:cancel"] === undefined) return false;
    const error = historyOf(hash).at(-1)?.endedAtMs === undefined ? hash["x:error"] : LEASE_LOST;
    await ends.end(id, token, heldOf(hash), { status: "cancelled", error }, releasedOnce(hash));
    return true;
  }
}

function dueMs(score: number): number {
  return Math.ceil(score / SCORE_UNIT);
}
