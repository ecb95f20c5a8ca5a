// Jobs that share a limit: who has a place ends or gives it back, and lets the next one go that was parked for want of one.
import type { Clock } from "../../core/clock.ts";
import type { Bull } from "./bull.ts";
import { type Hash, releasedOnce, storedJob } from "./job-hash.ts";
import type { JobKeys } from "./job-keys.ts";
import { evaluate, type RedisClient } from "./redis-clients.ts";
import { LEAVE_PLACE } from "./scripts.ts";
import type { WorkSignal } from "./work-signal.ts";

const PARKED_MS = 10_000; // at most, where whoever frees a place dies before it tells

interface LimitPlacesDeps {
  readonly client: RedisClient;
  readonly keys: JobKeys;
  readonly bull: Bull;
  readonly signal: WorkSignal;
  readonly clock: Clock;
}

export class LimitPlaces {
  readonly #deps: LimitPlacesDeps;

  constructor(deps: LimitPlacesDeps) {
    this.#deps = deps;
  }

  /** Another one with its limit has to end first; whoever ends it lets this one go. */
  async park(id: string, token: string, hash: Hash, limitedBy: string, limit: number): Promise<void> {
    const { client, keys, bull, clock } = this.#deps;
    const { createdAtMs } = storedJob(hash);
    await client.zAdd(keys.parked(limitedBy), { score: createdAtMs, value: id });
    if (!(await bull.delay(id, token, clock.now(), PARKED_MS, releasedOnce(hash)))) return;
    // Its place may have been freed before it was parked.
    if ((await client.zCard(keys.places(limitedBy))) < limit) await this.leave(undefined, limitedBy);
  }

  /** Gives the place of a job back, where it has one, and lets the next one go. */
  async leave(id: string | undefined, limitedBy: string): Promise<void> {
    const { client, keys, bull, signal } = this.#deps;
    for (;;) {
      const next = await evaluate(client, LEAVE_PLACE, [keys.places(limitedBy), keys.parked(limitedBy)], [id ?? ""]);
      if (typeof next !== "string") return;
      if (!(await bull.promote(next))) continue; // it has gone on by itself
      signal.tellAll();
      return;
    }
  }
}
