/** What a millisecond is in the scores of those who wait for a time: BullMQ counts jobs of one moment below it. */
export const SCORE_UNIT = 0x1000;

/** Names of keys in Redis. BullMQ's own are a prefix with the job's id behind it, or one of its words; ours begin with `x:`. */
export class JobKeys {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Of a job: its hash, and the lock beside it. */
  of(id: string): [string, string] {
    return [`${this.prefix}${id}`, `${this.prefix}${id}:lock`];
  }

  /** BullMQ's set of jobs that may be stalled. */
  get stalled(): string {
    return `${this.prefix}stalled`;
  }

  /** BullMQ's jobs that wait for a time. */
  get delayed(): string {
    return `${this.prefix}delayed`;
  }

  /** The channel that tells all nodes of work. */
  get work(): string {
    return `${this.prefix}x:work`;
  }

  once(key: string): string {
    return `${this.prefix}x:once:${key}`;
  }

  /** Who runs now under a limit, by the ends of their leases. */
  places(limitedBy: string): string {
    return `${this.prefix}x:places:${limitedBy}`;
  }

  /** Who waits for a place, the oldest first. */
  parked(limitedBy: string): string {
    return `${this.prefix}x:parked:${limitedBy}`;
  }
}
