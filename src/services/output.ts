import type { Clock } from "../core/clock.ts";
import type { LogChunk, LogLine } from "../core/log-line.ts";
import { LineSplitter } from "../core/log-lines.ts";
import type { Mask } from "../core/masking.ts";

const KEPT_LOG_CHARS = 256 * 1024; // of an execution's record; the caller gets all of it
const LINE_COST_CHARS = 64; // what a line costs beside its text: many short ones must not take the server's memory
const LOOSE_PIECES = 256; // of printed text, until they are put together: each holds a hundred bytes of its own

/** What one run prints: whole for the caller, the first part of it for the record, masked. Costs nothing until something is printed. */
export class Output {
  readonly #mask: Mask | undefined;
  readonly #clock: Clock;
  readonly #onLine: (line: LogLine) => void;
  #splitter: LineSplitter | undefined;
  #lines: LogLine[] | undefined;
  #keptChars = 0;
  #printed = "";
  #pieces: string[] = [];
  truncated = false;

  constructor(mask: Mask | undefined, clock: Clock, onLine: (line: LogLine) => void) {
    this.#mask = mask;
    this.#clock = clock;
    this.#onLine = onLine;
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

  #keep(printed: LogLine): void {
    const line = this.#mask === undefined ? printed : { ...printed, text: this.#mask(printed.text) };
    this.#onLine(line);
    this.#keptChars += line.text.length + LINE_COST_CHARS;
    if (this.#keptChars > KEPT_LOG_CHARS) this.truncated = true;
    else (this.#lines ??= []).push(line);
  }
}
