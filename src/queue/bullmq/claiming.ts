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
  type Hash,
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
import { WRITE_IF_HELD } from "./scripts.ts";

interface ClaimingDeps {
  readonly client: RedisClient;
  readonly keys: JobKeys;
  readonly bull: Bull;
  readonly places: LimitPlaces;
  readonly ends: LeaseEnds;
  readonly clock: Clock;
  readonly hashOf: (id: string) => Promise<Hash | undefined>;
}

/** None, since nothing is due; or one that cannot be claimed now, though what comes behind it may be. */
export type NoClaim = "none" | "skipped";

type Wanted = Pick<ClaimRequest, "leaseMs" | "limits">;

export class Claiming {
  readonly #deps: ClaimingDeps;

  constructor(deps: ClaimingDeps) {
    this.#deps = deps;
  }

  async take(wanted: Wanted): Promise<Claim | NoClaim> {
    const token = newId();
    const id = await this.#deps.bull.next(token);
    return id === undefined ? "none" : ((await this.#begin(id, token, wanted)) ?? "skipped");
  }

  /** When the first of the jobs that wait for a time is due; undefined: none waits. */
  async nextDueMs(): Promise<number | undefined> {
    const { client, keys } = this.#deps;
    const [first] = await client.zRangeWithScores(keys.delayed, 0, 0);
    return first && Math.ceil(first.score / SCORE_UNIT);
  }

  /** Makes a claim of a job that BullMQ has given us; undefined where it cannot be one now. */
  async #begin(id: string, token: string, { leaseMs, limits }: Wanted): Promise<Claim | undefined> {
    const { client, keys, bull, places, clock, hashOf } = this.#deps;
    const found = await hashOf(id);
    if (found === undefined) return undefined;
    const hash = withoutUnbegun(found);
    if (await this.#endIfOver(id, token, hash)) return undefined;
    const nowMs = clock.now();
    const { limitedBy, attempts } = storedJob(hash);
    const limit = limitedBy === undefined ? undefined : limits.get(limitedBy);
    if (limitedBy !== undefined && limit !== undefined && !(await places.take(id, limitedBy, limit, leaseMs))) {
      await places.park(id, token, hash, limitedBy, limit);
      return undefined;
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
    const fields: Hash = {
      "x:history": JSON.stringify(exhausted ? before : [...before, begun]),
      ...(before.at(-1)?.error === LEASE_LOST ? { "x:error": LEASE_LOST } : {}),
      ...(limit === undefined ? {} : { "x:place": limitedBy ?? "" }),
      "x:released": hash["x:released"] ?? "0",
      ...(exhausted ? releasedOnce(hash) : {}),
    };
    const args = [token, ...Object.entries(fields).flat()];
    if ((await evaluate(client, WRITE_IF_HELD, keys.of(id), args)) !== 1) return undefined;
    await bull.extendLock(id, token, leaseMs);
    const now = { ...hash, ...fields };
    return { job: toJob(id, now, "running"), lease: { jobId: id, attempt: begunOf(now), fence: token }, exhausted };
  }

  /** True where it is not to be begun any more; then it has been ended. */
  async #endIfOver(id: string, token: string, hash: Hash): Promise<boolean> {
    const { ends } = this.#deps;
    const end = endOf(hash);
    if (end !== undefined) {
      await ends.settle(id, token, hash, end); // its holder died between our writing and BullMQ's
      return true;
    }
    if (hash["x:cancel"] === undefined) return false;
    const error = historyOf(hash).at(-1)?.endedAtMs === undefined ? hash["x:error"] : LEASE_LOST;
    await ends.end(id, token, hash, { status: "cancelled", error }, releasedOnce(hash));
    return true;
  }
}
