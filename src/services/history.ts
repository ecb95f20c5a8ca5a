import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Execution } from "../core/execution.ts";
import type { ExecutionBatch, Store } from "../store/store.ts";

const FLUSH_MS = 20; // later ones double the p99 of a few quick calls: the store's thread has their core for longer
const BUSY_FLUSH_MS = 100; // sooner ones take a tenth of the throughput of many (bench/warm.ts)
const BUSY_ROWS = 256; // within FLUSH_MS
const BATCH_ROWS = 4096;
const MAX_PENDING_ROWS = 20_000; // about 10 MB; beyond it the store is slower than the calls for longer than we can hold

/** Writes executions behind the replies, in batches. A call never waits for it. */
export class History {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  /** Of this turn of the event loop. What makes a record holds on to the whole call, so it must not live for longer. */
  #fresh: (() => Execution)[] = [];
  #batch: ExecutionBatch | undefined;
  #pendingRows = 0;
  #lostRows = 0;
  #cancelFlush: (() => void) | undefined;
  readonly #writing = new Set<Promise<void>>();

  constructor(store: Store, clock: Clock, log: (line: string) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Executions that could not be kept since the start: the store failed, or could not keep pace. */
  get lostRows(): number {
    return this.#lostRows;
  }

  /** @param describe makes the record, behind this turn of the event loop: a reply never waits for it */
  record(describe: () => Execution): void {
    if (this.#pendingRows >= MAX_PENDING_ROWS) {
      this.#lose(1, "the store cannot keep pace");
      return;
    }
    this.#pendingRows++;
    if (this.#fresh.push(describe) === 1) setImmediate(() => this.#describeFresh());
    if (this.#waiting >= BATCH_ROWS) this.#flush();
    else this.#cancelFlush ??= this.#clock.after(FLUSH_MS, () => this.#flushUnlessBusy());
  }

  /** Sees every record once. */
  protected note(_execution: Execution): void {}

  get #waiting(): number {
    return (this.#batch?.rows ?? 0) + this.#fresh.length;
  }

  #describeFresh(): void {
    if (this.#fresh.length === 0) return;
    const batch = (this.#batch ??= this.#store.newExecutionBatch());
    for (const describe of this.#fresh) {
      const execution = describe();
      this.note(execution);
      batch.add(execution);
    }
    this.#fresh = [];
  }

  /** Resolves when everything recorded so far is stored. */
  async settle(): Promise<void> {
    this.#flush();
    await Promise.all(this.#writing);
  }

  #flushUnlessBusy(): void {
    if (this.#waiting < BUSY_ROWS) this.#flush();
    else this.#cancelFlush = this.#clock.after(BUSY_FLUSH_MS - FLUSH_MS, () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#describeFresh();
    if (this.#batch === undefined) return;
    const writing = this.#write(this.#batch);
    this.#batch = undefined;
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
  }

  async #write(batch: ExecutionBatch): Promise<void> {
    const { rows } = batch;
    try {
      await batch.append();
    } catch (error) {
      this.#lose(rows, messageOf(error));
    } finally {
      this.#pendingRows -= rows;
    }
  }

  #lose(rows: number, why: string): void {
    if (this.#lostRows === 0) this.#log(`executions are not being recorded: ${why}`);
    this.#lostRows += rows;
  }
}
