import type { Clock } from "../core/clock.ts";
import type { Execution } from "../core/execution.ts";
import type { LogChunk, LogLine } from "../core/log-line.ts";

/** Runs that take longer than this are stored as running, so that they are found again if the server dies. */
const STORED_AFTER_MS = 250;

export interface LiveExecution {
  readonly id: string;
  readonly queuedAtMs: number;
  /** As it is now, with the lines so far. */
  describe(): Execution;
  cancel(): void;
  /** Adds to its lines. */
  print(chunk: LogChunk): void;
}

export interface LogFollower {
  onLine(line: LogLine): void;
  onEnd(): void;
}

/** The place of one that runs. */
export interface LiveEntry {
  readonly execution: LiveExecution;
  /** In the list of all. */
  at: number;
  /** Its end must be stored, too. */
  stored: boolean;
  followers: Set<LogFollower> | undefined;
}

/**
 * Every execution that has begun and is not over.
 *
 * A list and no Map: each table that a Map leaves behind when it makes a new one keeps the entries of its time from the collector,
 * with all that hangs on them, until the next full collection; that took a fifth of the warm path (bench/warm.ts).
 */
export class LiveExecutions {
  readonly #entries: LiveEntry[] = [];
  readonly #stop: () => void;

  /** @param store keeps one that takes long */
  constructor(clock: Clock, store: (running: Execution) => void) {
    this.#stop = clock.every(STORED_AFTER_MS, () => {
      const nowMs = clock.now();
      for (const entry of this.#entries) {
        if (entry.stored || nowMs - entry.execution.queuedAtMs < STORED_AFTER_MS) continue;
        entry.stored = true;
        store(entry.execution.describe());
      }
    });
  }

  get count(): number {
    return this.#entries.length;
  }

  add(execution: LiveExecution): LiveEntry {
    const entry = { execution, at: this.#entries.length, stored: false, followers: undefined };
    this.#entries.push(entry);
    return entry;
  }

  /** It is over. */
  remove(entry: LiveEntry): void {
    const last = this.#entries.pop();
    if (last !== undefined && last !== entry) {
      this.#entries[entry.at] = last;
      last.at = entry.at;
    }
    if (entry.followers !== undefined) for (const follower of entry.followers) follower.onEnd();
  }

  find(id: string): LiveExecution | undefined {
    return this.#entry(id)?.execution;
  }

  /** Tells of every further line, and of the end. False where nothing of that id runs. */
  follow(id: string, follower: LogFollower): boolean {
    const entry = this.#entry(id);
    if (entry === undefined) return false;
    (entry.followers ??= new Set()).add(follower);
    return true;
  }

  unfollow(id: string, follower: LogFollower): void {
    this.#entry(id)?.followers?.delete(follower);
  }

  close(): void {
    this.#stop();
  }

  #entry(id: string): LiveEntry | undefined {
    return this.#entries.find(({ execution }) => execution.id === id);
  }
}
