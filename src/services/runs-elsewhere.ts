// Runs of other servers on the same store: what they print, and ending them. Whoever follows a run that is not here asks its server, which
// then stores the lines as they come; both look at the store, and no line travels from server to server.
import type { Clock } from "../core/clock.ts";
import type { Execution } from "../core/execution.ts";
import { messageOf } from "../core/errors.ts";
import type { Changes } from "../store/changes.ts";
import type { Store } from "../store/store.ts";
import type { LogSink } from "./executions.ts";
import type { History } from "./history.ts";
import type { LiveExecutions } from "./live.ts";

const FOLLOWED = "run-followed";
const CANCELLED = "run-cancelled";
/** A line is at the follower after two of them at most. */
const LOOK_MS = 250;
/** How often a follower says that it is there. */
const ASK_MS = 3_000;
/** A follower that has not been heard of for so long is gone. */
const SILENCE_MS = 10_000;

export interface RunsElsewhereDeps {
  readonly changes: Changes;
  readonly store: Store;
  readonly live: LiveExecutions;
  readonly history: History;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

export class RunsElsewhere {
  readonly #deps: RunsElsewhereDeps;
  /** Runs here that others follow: until when, and how many lines are stored. */
  readonly #followed = new Map<string, { untilMs: number; storedLines: number }>();
  #stopStoring: (() => void) | undefined;
  readonly #stopListening: () => void;

  constructor(deps: RunsElsewhereDeps) {
    this.#deps = deps;
    this.#stopListening = deps.changes.subscribe({
      onChange: async ({ kind, id }) => {
        if (kind === FOLLOWED) this.#keepStoring(id);
        if (kind === CANCELLED) deps.live.find(id)?.cancel();
      },
      onGap: () => Promise.resolve(), // who follows asks again
    });
  }

  /** Rejects with PlatformError STORE_UNAVAILABLE. Whether it was still running there, its record will say. */
  async cancel(id: string): Promise<void> {
    await this.#deps.changes.publish({ kind: CANCELLED, id });
  }

  /**
   * Tells of every line so far, then of further ones within some hundred milliseconds, then of the end.
   *
   * @param running as the store has it
   * @returns what stops it
   */
  follow(running: Execution, sink: LogSink): () => void {
    const { changes, store, clock, log } = this.#deps;
    const { id } = running;
    let told = 0;
    let isLooking = false;
    let isOver = false;
    const tell = ({ logs }: Execution): void => {
      for (const line of logs.slice(told)) sink.onLine(line, ++told);
    };
    const ask = async (): Promise<void> => {
      try {
        await changes.publish({ kind: FOLLOWED, id });
      } catch (error) {
        log(`a run of another server is not followed: ${messageOf(error)}`); // it is asked for again
      }
    };
    const look = async (): Promise<void> => {
      if (isLooking) return;
      isLooking = true;
      try {
        const now = await store.findExecution(id);
        if (isOver) return;
        if (now !== undefined) tell(now);
        if (now?.status === "running") return;
        stop();
        sink.onEnd(now);
      } catch {
        // The store is gone: it may come back.
      } finally {
        isLooking = false;
      }
    };
    tell(running);
    void ask();
    const stopAsking = clock.every(ASK_MS, () => void ask());
    const stopLooking = clock.every(LOOK_MS, () => void look());
    function stop(): void {
      isOver = true;
      stopAsking();
      stopLooking();
    }
    return stop;
  }

  close(): void {
    this.#stopListening();
    this.#stopStoring?.();
  }

  #keepStoring(id: string): void {
    const { live, clock } = this.#deps;
    if (live.find(id) === undefined) return; // another server's, or over
    const storedLines = this.#followed.get(id)?.storedLines ?? 0;
    this.#followed.set(id, { untilMs: clock.monotonicMs() + SILENCE_MS, storedLines });
    this.#stopStoring ??= clock.every(LOOK_MS, () => this.#storeLines());
  }

  #storeLines(): void {
    const { live, history, clock } = this.#deps;
    for (const [id, followed] of this.#followed) {
      const running = live.find(id)?.describe();
      if (running === undefined || followed.untilMs < clock.monotonicMs()) this.#followed.delete(id);
      else if (running.logs.length > followed.storedLines) {
        followed.storedLines = running.logs.length;
        history.record(() => running);
      }
    }
    if (this.#followed.size > 0) return;
    this.#stopStoring?.();
    this.#stopStoring = undefined;
  }
}
