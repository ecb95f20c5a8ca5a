import { PlatformError } from "../core/errors.ts";
import type { Execution, ExecutionSummary } from "../core/execution.ts";
import type { LogLine } from "../core/log-line.ts";
import type { ExecutionQuery, MetricsBucket, Page, Store } from "../store/store.ts";
import type { History } from "./history.ts";
import type { LiveExecutions } from "./live.ts";
import type { RunsElsewhere } from "./runs-elsewhere.ts";

export type { ExecutionQuery, MetricsBucket } from "../store/store.ts";

export interface LogSink {
  /** @param id counts the execution's lines from 1 */
  onLine(line: LogLine, id: number): void;
  /** @param final undefined where nothing of it was kept */
  onEnd(final: Execution | undefined): void;
}

/** The records of executions, those included that run now or are not written yet. */
export class Executions {
  readonly #store: Store;
  readonly #history: History;
  readonly #live: LiveExecutions;
  readonly #elsewhere: RunsElsewhere | undefined;

  /** @param elsewhere undefined: no other server has this store */
  constructor(store: Store, history: History, live: LiveExecutions, elsewhere: RunsElsewhere | undefined) {
    this.#store = store;
    this.#history = history;
    this.#live = live;
    this.#elsewhere = elsewhere;
  }

  /** The last first. */
  async list(query: ExecutionQuery): Promise<Page<ExecutionSummary>> {
    await this.#history.settle();
    const page = await this.#store.listExecutions(query);
    return { ...page, items: page.items.map((item) => this.#current(item)) };
  }

  /** Rejects with PlatformError NOT_FOUND. */
  async find(id: string): Promise<Execution> {
    const running = this.#live.find(id);
    if (running !== undefined) return running.describe();
    await this.#history.settle();
    const stored = await this.#store.findExecution(id);
    if (stored !== undefined) return stored;
    throw new PlatformError("NOT_FOUND", `there is no execution ${JSON.stringify(id)}`);
  }

  /** Ends a run. Rejects with PlatformError NOT_FOUND, or IN_USE where it is over. */
  async cancel(id: string): Promise<void> {
    const running = this.#live.find(id);
    if (running !== undefined) {
      running.cancel();
      return;
    }
    const { status } = await this.find(id);
    if (status === "running" && this.#elsewhere !== undefined) {
      await this.#elsewhere.cancel(id);
      return;
    }
    throw new PlatformError("IN_USE", `the execution is over (${status}); only one that runs can be cancelled`);
  }

  /**
   * Tells of every line so far, then of each new one as it is printed, then of the end.
   *
   * @returns what stops it. Rejects with PlatformError NOT_FOUND.
   */
  async follow(id: string, sink: LogSink): Promise<() => void> {
    const running = this.#live.find(id);
    let count = 0;
    const onLine = (line: LogLine): void => sink.onLine(line, ++count);
    if (running === undefined) {
      const over = await this.find(id);
      if (over.status === "running" && this.#elsewhere !== undefined) return this.#elsewhere.follow(over, sink);
      over.logs.forEach(onLine);
      sink.onEnd(over);
      return () => {};
    }
    // Nothing may wait between these two: a line that is printed in between would be lost.
    running.describe().logs.forEach(onLine);
    const follower = { onLine, onEnd: () => void this.#tellEnd(id, sink) };
    this.#live.follow(id, follower);
    return () => this.#live.unfollow(id, follower);
  }

  /** Steps that had calls, oldest first. */
  async metrics(
    functionId: string,
    range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
  ): Promise<MetricsBucket[]> {
    await this.#history.settle();
    return await this.#store.metrics(functionId, range);
  }

  async #tellEnd(id: string, sink: LogSink): Promise<void> {
    try {
      await this.#history.settle();
      const final = await this.#store.findExecution(id);
      sink.onEnd(final?.status === "running" ? undefined : final); // it waited, and no worker ever took it
    } catch {
      sink.onEnd(undefined); // the store is gone; the run is over all the same
    }
  }

  /** A run is written when it has taken long, as it was then; it has gone on since. */
  #current(stored: ExecutionSummary): ExecutionSummary {
    if (stored.status !== "running") return stored;
    const running = this.#live.find(stored.id)?.describe();
    if (running === undefined) return stored;
    const { event: _event, response: _response, logs: _logs, ...summary } = running;
    return summary;
  }
}
