// Which jobs there are, newest first: BullMQ has a list for each state, and none for a function.
import type { Clock } from "../../core/clock.ts";
import { decodeCursor, encodeCursor, wholeLimit } from "../../core/cursor.ts";
import type { JobPage, JobQuery, JobRetention, JobStatus, JobSummary } from "../queue.ts";
import { type Hash, toSummary } from "./job-hash.ts";
import type { RedisClient } from "./redis-clients.ts";

const CHUNK = 100;
const MAX_OF_FUNCTION = 100_000; // listed; older ones are found in the list of all
const MAX_LOOKED_AT = 2_000; // in one page: a filter that fits few leads to short pages
/** What is listed and not there is being added, or has been removed; after this long it is the latter. */
const BEING_ADDED_MS = 60_000;

type See = (id: string) => Promise<{ readonly hash: Hash; readonly status: JobStatus } | undefined>;

interface Place {
  readonly id: string;
  readonly atMs: number;
}

/** Sorted sets of ids by the time of their adding: of all jobs, and of each function's. */
export class JobIndex {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #keep: JobRetention;
  readonly #clock: Clock;

  constructor(client: RedisClient, prefix: string, keep: JobRetention, clock: Clock) {
    this.#client = client;
    this.#prefix = `${prefix}x:`;
    this.#keep = keep;
    this.#clock = clock;
  }

  /** @returns false where it is listed already */
  async add(id: string, functionId: string | undefined, atMs: number): Promise<boolean> {
    const place = { score: atMs, value: id };
    const [isNew] = await Promise.all([
      this.#client.zAdd(this.#all, place, { condition: "NX" }),
      functionId === undefined ? 0 : this.#client.zAdd(this.#of(functionId), place, { condition: "NX" }),
      functionId === undefined ? 0 : this.#client.zRemRangeByRank(this.#of(functionId), 0, -(MAX_OF_FUNCTION + 1)),
    ]);
    return isNew === 1;
  }

  async list(query: JobQuery, see: See): Promise<JobPage> {
    const limit = wholeLimit(query.limit);
    const key = query.functionId === undefined ? this.#all : this.#of(query.functionId);
    let after: Place | undefined;
    if (query.cursor !== undefined) {
      const place = decodeCursor(query.cursor, [0, ""] as const);
      if (place === undefined) return { items: [], cursor: undefined };
      after = { atMs: place[0], id: place[1] };
    }
    const items: JobSummary[] = [];
    for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += CHUNK) {
      const { places, isLast } = await this.#after(key, after);
      const seen = await Promise.all(places.map(async (place) => ({ place, job: await see(place.id) })));
      const gone = seen.filter(
        ({ job, place }) => job === undefined && place.atMs < this.#clock.now() - BEING_ADDED_MS,
      );
      if (gone.length > 0)
        await this.#client.zRem(
          key,
          gone.map(({ place }) => place.id),
        );
      for (const { place, job } of seen) {
        if (items.length === limit) return { items, cursor: after && encodeCursor([after.atMs, after.id]) };
        after = place;
        if (job === undefined) continue;
        const summary = toSummary(place.id, job.hash, job.status);
        if (query.status !== undefined && summary.status !== query.status) continue;
        if (query.kind !== undefined && summary.kind !== query.kind) continue;
        items.push(summary);
      }
      if (isLast) return { items, cursor: undefined };
    }
    return { items, cursor: after && encodeCursor([after.atMs, after.id]) };
  }

  // BullMQ counts cancelled jobs among the failed ones.

  async markCancelled(id: string): Promise<void> {
    await this.#client.zAdd(this.#cancelled, { score: this.#clock.now(), value: id });
  }

  async unmarkCancelled(id: string): Promise<void> {
    await this.#client.zRem(this.#cancelled, id);
  }

  async countCancelled(): Promise<number> {
    const { ageMs, count } = this.#keep.dead;
    await this.#client.zRemRangeByScore(this.#cancelled, "-inf", this.#clock.now() - ageMs);
    await this.#client.zRemRangeByRank(this.#cancelled, 0, -(count + 1));
    return await this.#client.zCard(this.#cancelled);
  }

  /** Removes from the list of all what is gone, from its oldest end. */
  async prune(exists: (id: string) => Promise<boolean>): Promise<void> {
    const oldest = await this.#client.zRange(this.#all, 0, CHUNK - 1);
    const there = await Promise.all(oldest.map(exists));
    const gone = oldest.filter((_id, place) => there[place] !== true);
    if (gone.length > 0) await this.#client.zRem(this.#all, gone);
  }

  /** Those that come after a place; some hundred of them, unless there are fewer. */
  async #after(key: string, after: Place | undefined): Promise<{ readonly places: Place[]; readonly isLast: boolean }> {
    const from = after === undefined ? "+inf" : String(after.atMs);
    for (let count = CHUNK; ; count *= 2) {
      const options = { BY: "SCORE", REV: true, LIMIT: { offset: 0, count } } as const;
      const range = await this.#client.zRangeWithScores(key, from, "-inf", options);
      const places = range
        .map(({ value, score }) => ({ id: value, atMs: score }))
        .filter(({ id, atMs }) => after === undefined || atMs < after.atMs || id < after.id);
      const isLast = range.length < count;
      if (isLast || places.length >= CHUNK / 2) return { places, isLast }; // else too many are of one moment
    }
  }

  get #all(): string {
    return `${this.#prefix}all`;
  }

  get #cancelled(): string {
    return `${this.#prefix}cancelled`;
  }

  #of(functionId: string): string {
    return `${this.#prefix}of:${functionId}`;
  }
}
