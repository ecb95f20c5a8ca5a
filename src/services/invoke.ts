// The one path of every invocation, whatever triggered it.
import type { Clock } from "../core/clock.ts";
import type { Trigger } from "../core/execution.ts";
import { newId } from "../core/id.ts";
import type { LogChunk, LogLine } from "../core/log-line.ts";
import { LineSplitter } from "../core/log-lines.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Version } from "../core/program.ts";
import type { Pool } from "../pool/pool.ts";
import { explain, statusOf } from "./explain.ts";
import type { History } from "./history.ts";

const KEPT_LOG_CHARS = 256 * 1024; // of an execution's record; the caller gets all of it
const LINE_COST_CHARS = 64; // what a line costs beside its text: many short ones must not take the server's memory
const LOOSE_PIECES = 256; // of printed text, until they are put together: each holds a hundred bytes of its own

export interface Invocation {
  readonly version: Version;
  /** JSON text. */
  readonly input: string;
  readonly trigger: Trigger;
  /** Called for every printed line as soon as it is complete. */
  readonly onLine?: (line: LogLine) => void;
}

export interface InvocationResult {
  readonly executionId: string;
  readonly outcome: Outcome;
  /** All that the code printed to stdout. */
  readonly printed: string;
  readonly coldStart: boolean;
  readonly waitMs: number;
  readonly runMs: number;
}

export interface InvocationHandle {
  /** Rejects with PlatformError where the code was never run. */
  readonly result: Promise<InvocationResult>;
  /** The caller went away: ends the run. */
  cancel(): void;
}

export type Invoke = (invocation: Invocation) => InvocationHandle;

export function createInvoke(deps: { pool: Pool; history: History; clock: Clock; timeoutMs: number }): Invoke {
  return function invoke(invocation) {
    const { version, trigger } = invocation;
    const queuedAtMs = deps.clock.now();
    const output = new Output(invocation.onLine, deps.clock);
    const run = deps.pool.run({
      version,
      input: invocation.input,
      timeoutMs: deps.timeoutMs,
      onLog: (chunk) => output.push(chunk),
    });

    async function finish(): Promise<InvocationResult> {
      const { outcome, coldStart, waitMs, runMs } = await run.report;
      output.end();
      const executionId = newId();
      deps.history.record({
        id: executionId,
        trigger,
        functionName: version.functionName,
        version: version.number,
        language: version.program.language,
        status: statusOf(outcome),
        error: outcome.kind === "ok" ? undefined : explain(outcome),
        queuedAtMs,
        waitMs,
        runMs,
        coldStart,
        logs: output.lines,
        logsTruncated: output.truncated,
      });
      return { executionId, outcome, printed: output.printed, coldStart, waitMs, runMs };
    }
    return { result: finish(), cancel: () => run.cancel() };
  };
}

/** What one run prints: whole for the caller, the first part of it for the record. Costs nothing until something is printed. */
class Output {
  readonly #onLine: ((line: LogLine) => void) | undefined;
  readonly #clock: Clock;
  #splitter: LineSplitter | undefined;
  #lines: LogLine[] | undefined;
  #keptChars = 0;
  #printed = "";
  #pieces: string[] = [];
  truncated = false;

  constructor(onLine: ((line: LogLine) => void) | undefined, clock: Clock) {
    this.#onLine = onLine;
    this.#clock = clock;
  }

  get printed(): string {
    this.#putTogether();
    return this.#printed;
  }

  get lines(): readonly LogLine[] {
    return this.#lines ?? [];
  }

  push(chunk: LogChunk): void {
    if (chunk.stream === "stdout" && this.#pieces.push(chunk.text) === LOOSE_PIECES) this.#putTogether();
    this.#splitter ??= new LineSplitter(
      (line) => this.#keep(line),
      () => this.#clock.now(),
    );
    this.#splitter.push(chunk);
  }

  end(): void {
    this.#splitter?.end();
  }

  #putTogether(): void {
    if (this.#pieces.length === 0) return;
    this.#printed += this.#pieces.join("");
    this.#pieces = [];
  }

  #keep(line: LogLine): void {
    this.#onLine?.(line);
    this.#keptChars += line.text.length + LINE_COST_CHARS;
    if (this.#keptChars > KEPT_LOG_CHARS) this.truncated = true;
    else (this.#lines ??= []).push(line);
  }
}
