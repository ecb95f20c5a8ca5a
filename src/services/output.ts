import type { Clock } from "../core/clock.ts";
import type { LogChunk, LogLine } from "../core/log-line.ts";
import { LineSplitter } from "../core/log-lines.ts";
import type { Mask } from "../core/masking.ts";

const KEPT_LOG_CHARS = 256 * 1024; // of an execution's record; the caller gets all of it
const LINE_COST_CHARS = 64; // what a line costs beside its text: many short ones must not take the server's memory
const LOOSE_PIECES = 256; // of printed text, until they are put together: each holds a hundred bytes of its own

/** What one run prints: whole for the caller, the first part of it for the record, masked. Costs next to nothing until something is printed. */
export class Output {
  readonly #mask: Mask | undefined;
  readonly #clock: Clock;
  readonly #onLine: (line: LogLine) => void;
  #splitter: LineSplitter | undefined;
  #lines: LogLine[] | undefined;
  #keptChars = 0;
  readonly #printed = new Text();
  readonly #complaints = new Text();
  truncated = false;

  constructor(mask: Mask | undefined, clock: Clock, onLine: (line: LogLine) => void) {
    this.#mask = mask;
    this.#clock = clock;
    this.#onLine = onLine;
  }

  /** To stdout. */
  get printed(): string {
    return this.#printed.whole;
  }

  /** To stderr. */
  get stderr(): string {
    return this.#complaints.whole;
  }

  get lines(): readonly LogLine[] {
    return this.#lines ?? [];
  }

  push(chunk: LogChunk): void {
    (chunk.stream === "stdout" ? this.#printed : this.#complaints).push(chunk.text);
    this.#splitter ??= new LineSplitter(
      (line) => this.#keep(line),
      () => this.#clock.now(),
    );
    this.#splitter.push(chunk);
  }

  end(): void {
    this.#splitter?.end();
  }

  #keep(printed: LogLine): void {
    const line = this.#mask === undefined ? printed : { ...printed, text: this.#mask(printed.text) };
    this.#onLine(line);
    this.#keptChars += line.text.length + LINE_COST_CHARS;
    if (this.#keptChars > KEPT_LOG_CHARS) this.truncated = true;
    else (this.#lines ??= []).push(line);
  }
}

/** A text that comes in pieces. */
class Text {
  #start = "";
  #pieces: string[] = [];

  get whole(): string {
    this.#putTogether();
    return this.#start;
  }

  push(piece: string): void {
    if (this.#pieces.push(piece) === LOOSE_PIECES) this.#putTogether();
  }

  #putTogether(): void {
    if (this.#pieces.length === 0) return;
    this.#start += this.#pieces.join("");
    this.#pieces = [];
  }
}
