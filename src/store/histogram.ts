// Bucket n > 0 holds the times of (GROWTH^(n-1), GROWTH^n] x SMALLEST_MS; what is shorter is in bucket 0. A bucket's middle is
// at most 4.2 % from all that it holds. 290 buckets reach beyond a day.
const GROWTH = 1.0862;
const SMALLEST_MS = 0.001;
const LOG_GROWTH = Math.log(GROWTH);
const LAST_BUCKET = 400;

/** How often which time was taken. Histograms add up, so those of minutes give that of an hour. */
export class Histogram {
  readonly #counts = new Map<number, number>();

  add(ms: number): void {
    this.addCount(bucketOf(ms), 1);
  }

  /** @param bucket as `bucketOf` gives it */
  addCount(bucket: number, times: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + times);
  }

  /** Adds all that `encoded` counts. */
  addEncoded(encoded: Uint8Array): void {
    let bucket = 0;
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = encoded[at++] ?? 0;
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    while (at < encoded.length) {
      bucket += next();
      this.addCount(bucket, next());
    }
  }

  /** Pairs of numbers in LEB128: the distance from the last bucket, and the count. Two bytes for most. */
  encode(): Uint8Array {
    const bytes: number[] = [];
    const put = (value: number): void => {
      let rest = value;
      for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
      bytes.push(rest);
    };
    let last = 0;
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      put(bucket - last);
      put(count);
      last = bucket;
    }
    return Uint8Array.from(bytes);
  }

  /**
   * The times below which these shares of all lie, by nearest rank, each within 5 %; undefined where there are none.
   *
   * @param shares of 1, ascending
   */
  quantilesMs(shares: readonly number[]): (number | undefined)[] {
    const buckets = [...this.#counts].sort(([a], [b]) => a - b);
    const total = buckets.reduce((sum, [, count]) => sum + count, 0);
    let index = 0;
    let below = 0; // counted in the buckets before `index`
    return shares.map((share) => {
      if (total === 0) return undefined;
      const rank = Math.max(1, Math.ceil(share * total));
      while (below + (buckets[index]?.[1] ?? Number.POSITIVE_INFINITY) < rank) below += buckets[index++]?.[1] ?? 0;
      return middleMs(buckets[index]?.[0] ?? 0);
    });
  }
}

/** Which times are counted together. Stored, so it never changes. */
export function bucketOf(ms: number): number {
  return ms <= SMALLEST_MS ? 0 : Math.min(Math.ceil(Math.log(ms / SMALLEST_MS) / LOG_GROWTH), LAST_BUCKET);
}

function middleMs(bucket: number): number {
  if (bucket === 0) return 0;
  return (SMALLEST_MS * GROWTH ** bucket * 2) / (1 + GROWTH);
}
