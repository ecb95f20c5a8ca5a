// Which warm worker to give up when room is needed: Greedy-Dual-Size-Frequency, the policy that FaasCache (ASPLOS 2021) found best for
// keep-warm. A worker is worth (uses × cost to boot it again ÷ memory it holds), plus an age that rises with every
// eviction, so that what was popular once does not stay for ever.
import { LRUCache } from "lru-cache";

const REMEMBERED_VERSIONS = 10_000; // frequencies outlive workers, or an evicted version could never show that it is popular

interface Standing {
  uses: number;
  priority: number;
}

export class GreedyDual {
  readonly #standings = new LRUCache<string, Standing>({ max: REMEMBERED_VERSIONS });
  #age = 0;

  /** Notes one use of `versionId`, whose worker took `bootMs` to boot and holds `memoryBytes`. */
  used(versionId: string, bootMs: number, memoryBytes: number): void {
    let standing = this.#standings.get(versionId);
    if (standing === undefined) this.#standings.set(versionId, (standing = { uses: 0, priority: 0 }));
    standing.uses++;
    standing.priority = this.#age + (standing.uses * bootMs) / memoryBytes;
  }

  /** The one of `candidates` to evict; undefined where there is none. */
  choose<T extends { readonly versionId: string }>(candidates: Iterable<T>): T | undefined {
    let chosen: T | undefined;
    for (const candidate of candidates) {
      if (chosen === undefined || this.#priority(candidate) < this.#priority(chosen)) chosen = candidate;
    }
    if (chosen !== undefined) this.#age = Math.max(this.#age, this.#priority(chosen));
    return chosen;
  }

  #priority(candidate: { readonly versionId: string }): number {
    return this.#standings.peek(candidate.versionId)?.priority ?? 0;
  }
}
