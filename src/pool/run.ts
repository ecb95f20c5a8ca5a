import type { LogChunk } from "../core/log-line.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Version } from "../core/program.ts";
import type { Exchange } from "../core/exchange.ts";

/** What the program is asked. */
export type RunInput =
  /** JSON text in, a value out. */
  | { readonly kind: "value"; readonly json: string }
  /** An HTTP request in, a response or a value out. */
  | { readonly kind: "request"; readonly exchange: Exchange }
  /** What it is: nothing of it is run. */
  | { readonly kind: "check" };

/** What a caller asks the pool for. */
export interface RunRequest {
  readonly version: Version;
  readonly executionId: string;
  readonly input: RunInput;
  readonly timeoutMs: number;
  /** Called for everything the code prints, as it is printed. */
  readonly onLog: (chunk: LogChunk) => void;
  /**
   * Does what the code asks for by name, with JSON text in and out. What it rejects with is told to the code: an error's
   * message, and its `code` where it is a text.
   */
  readonly onCall: (name: string, json: string) => Promise<string>;
}

export interface RunReport {
  readonly outcome: Outcome;
  /** True when no warm worker of the version could take it. */
  readonly coldStart: boolean;
  /** Milliseconds from the request until a worker had it. */
  readonly waitMs: number;
  /** Milliseconds the code ran. */
  readonly runMs: number;
  /** Milliseconds of CPU that its worker used for it, those of runs beside it included; undefined where the worker did not live to tell. */
  readonly cpuMs: number | undefined;
  /** The most memory that its worker has held so far; undefined where nobody knows. */
  readonly peakMemoryBytes: number | undefined;
}

/** A run that has been accepted. */
export interface RunHandle {
  /** Rejects with PlatformError only where the code was never run: POOL_SATURATED, DRAINING, SANDBOX_START_FAILED. */
  readonly report: Promise<RunReport>;
  /** Ends it, wherever it is. Its outcome is then `cancelled`, unless it was over already. */
  cancel(): void;
}

/** One run on its way through the pool. Who settles it first decides how it ended. */
export class Run {
  readonly request: RunRequest;
  readonly acceptedAtMs: number;
  readonly #done = Promise.withResolvers<RunReport>();
  #settled = false;
  #startedAtMs: number | undefined;
  #printedBytes = 0;
  coldStart = false;
  cpuMs: number | undefined;
  peakMemoryBytes: number | undefined;
  /** Undoes the timer of whoever holds the run now. */
  stopTimer: () => void = () => {};
  /**
   * The one that has it. Not a function that is written here at its assignment: V8 makes such a one in the old generation, where it
   * holds on to the whole call (test/e2e/short-lived.test.ts).
   */
  worker: { cancel(run: Run): void } | undefined;

  constructor(request: RunRequest, nowMs: number) {
    this.request = request;
    this.acceptedAtMs = nowMs;
  }

  get settled(): boolean {
    return this.#settled;
  }

  get report(): Promise<RunReport> {
    return this.#done.promise;
  }

  /** Milliseconds until a worker had it. */
  get waitMs(): number {
    return this.#startedAtMs === undefined ? 0 : this.#startedAtMs - this.acceptedAtMs;
  }

  start(nowMs: number): void {
    this.#startedAtMs = nowMs;
  }

  /** Milliseconds since a worker got it. */
  ranMs(nowMs: number): number {
    return this.#startedAtMs === undefined ? 0 : nowMs - this.#startedAtMs;
  }

  /** Counts printed bytes; false once more than `limitBytes` have been printed. The piece that is too much is dropped. */
  print(chunk: LogChunk, bytes: number, limitBytes: number): boolean {
    this.#printedBytes += bytes;
    if (this.#printedBytes > limitBytes) return false;
    if (!this.#settled) this.request.onLog(chunk);
    return true;
  }

  settle(outcome: Outcome, nowMs: number): void {
    this.stopTimer(); // even of a run that was cancelled before it began: its time must not end a later one
    if (this.#settled) return;
    this.#settled = true;
    const startedAtMs = this.#startedAtMs ?? nowMs;
    this.#done.resolve({
      outcome,
      coldStart: this.coldStart,
      waitMs: startedAtMs - this.acceptedAtMs,
      runMs: nowMs - startedAtMs,
      cpuMs: this.cpuMs,
      peakMemoryBytes: this.peakMemoryBytes,
    });
  }

  reject(error: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.stopTimer();
    this.#done.reject(error);
  }
}
