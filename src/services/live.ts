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

interface Entry {
  readonly execution: LiveExecution;
  stored: boolean;
  followers: Set<LogFollower> | undefined;
}

/** Every execution that has begun and is not over. */
export class LiveExecutions {
  readonly #entries = new Map<string, Entry>();
  readonly #stop: () => void;

  /** @param store keeps one that takes long */
  constructor(clock: Clock, store: (running: Execution) => void) {
    this.#stop = clock.every(STORED_AFTER_MS, () => {
      const nowMs = clock.now();
      for (const entry of this.#entries.values()) {
        if (entry.stored || nowMs - entry.execution.queuedAtMs < STORED_AFTER_MS) continue;
        entry.stored = true;
        store(entry.execution.describe());
      }
    });
  }

  get count(): number {
    return this.#entries.size;
  }

  add(execution: LiveExecution): void {
    this.#entries.set(execution.id, { execution, stored: false, followers: undefined });
  }

  find(id: string): LiveExecution | undefined {
    return this.#entries.get(id)?.execution;
  }

  /** Tells of every further line, and of the end. False where nothing of that id runs. */
  follow(id: string, follower: LogFollower): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    (entry.followers ??= new Set()).add(follower);
    return true;
  }

  unfollow(id: string, follower: LogFollower): void {
    this.#entries.get(id)?.followers?.delete(follower);
  }

  line(id: string, line: LogLine): void {
    const followers = this.#entries.get(id)?.followers;
    if (followers !== undefined) for (const follower of followers) follower.onLine(line);
  }

  /** True where it was stored as running: its end must be stored, too. */
  remove(id: string): boolean {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    if (entry?.followers !== undefined) for (const follower of entry.followers) follower.onEnd();
    return entry?.stored ?? false;
  }

  close(): void {
    this.#stop();
  }
}
