// A batch of executions as bytes, in which they wait for the store's thread and cross to it. As objects they would be there for up to
// 100 ms: each collection meanwhile copies them, which takes a tenth of all warm calls (bench/functions.ts), and to cross they would be
// written as bytes anyway.
import type { Execution } from "../../core/execution.ts";
import { FLAGS } from "./execution-flags.ts";
import { packLines } from "./execution-lines.ts";
import { outcomeCode } from "./outcome-codes.ts";
import type { Program } from "./programs-table.ts";

/** Of each row, in the order in which `add` and `next` have them. */
const NUMBERS = 12;
const FIRST_ROWS = 16;
const FIRST_TEXT_BYTES = 8 * 1024;
/** The most that one UTF-16 unit can take. */
const UNIT_BYTES = 3;
/** Instead of a place or a length. */
const NONE = -1;

export interface PackedExecutions {
  readonly rows: number;
  /** NUMBERS for each row. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Of each row its id and its event, in UTF-8. */
  readonly texts: Uint8Array<ArrayBuffer>;
  /** What was run: the same for many rows, so it is here once. */
  readonly programs: readonly Program[];
  readonly extras: readonly Extra[];
}

/** What most executions have none of. */
export interface Extra {
  readonly error: string | null;
  readonly errorLine: number | null;
  readonly errorTip: string | null;
  readonly response: string | null;
  /** Packed. */
  readonly lines: string | null;
}

/** An execution on its way into the table. */
export interface PackedRow {
  /** Of what was run, in the batch's list. */
  readonly program: number;
  readonly id: string;
  readonly outcome: number;
  readonly queuedAtMs: number;
  readonly waitMs: number;
  readonly runMs: number;
  readonly flags: number;
  readonly httpStatus: number | null;
  readonly cpuMs: number | null;
  readonly peakKib: number | null;
  readonly event: string | null;
  readonly extra: Extra | undefined;
}

export class ExecutionPacker {
  #rows = 0;
  #numbers = new Float64Array(FIRST_ROWS * NUMBERS);
  #texts = Buffer.allocUnsafeSlow(FIRST_TEXT_BYTES);
  #textBytes = 0;
  readonly #programs: Program[] = [];
  readonly #places = new Map<string | undefined, number[]>();
  readonly #extras: Extra[] = [];

  get rows(): number {
    return this.#rows;
  }

  add(execution: Execution): void {
    const { id, event, httpStatus, cpuMs, peakMemoryBytes } = execution;
    let at = this.#rows * NUMBERS;
    if (at === this.#numbers.length) this.#growNumbers();
    const numbers = this.#numbers;
    const idBytes = this.#write(id, this.#textBytes);
    const eventBytes = event === undefined ? NONE : this.#write(event, this.#textBytes + idBytes);
    numbers[at++] = this.#placeOf(execution);
    numbers[at++] = outcomeCode(execution.status, execution.trigger);
    numbers[at++] = execution.queuedAtMs;
    numbers[at++] = execution.waitMs;
    numbers[at++] = execution.runMs;
    numbers[at++] = (execution.coldStart ? FLAGS.coldStart : 0) | (execution.logsTruncated ? FLAGS.logsTruncated : 0);
    numbers[at++] = httpStatus ?? Number.NaN;
    numbers[at++] = cpuMs ?? Number.NaN;
    numbers[at++] = peakMemoryBytes === undefined ? Number.NaN : Math.ceil(peakMemoryBytes / 1024);
    numbers[at++] = idBytes;
    numbers[at++] = eventBytes;
    numbers[at++] = this.#addExtra(execution);
    this.#textBytes += idBytes + Math.max(eventBytes, 0);
    this.#rows++;
  }

  /** All of it; there is nothing in here from then on. */
  take(): PackedExecutions {
    const rows = this.#rows;
    this.#rows = 0;
    const texts = this.#texts as Uint8Array<ArrayBuffer>;
    return { rows, numbers: this.#numbers, texts, programs: this.#programs, extras: this.#extras };
  }

  /** @returns how many bytes it takes */
  #write(text: string, from: number): number {
    if (from + text.length * UNIT_BYTES > this.#texts.length) this.#growTexts(from, Buffer.byteLength(text));
    return this.#texts.write(text, from);
  }

  #addExtra({ error, errorLine, errorTip, response, logs }: Execution): number {
    const hasError = error !== undefined || errorLine !== undefined || errorTip !== undefined;
    if (!hasError && response === undefined && logs.length === 0) return NONE;
    const extra = {
      error: error ?? null,
      errorLine: errorLine ?? null,
      errorTip: errorTip ?? null,
      response: response ?? null,
      lines: packLines(logs),
    };
    return this.#extras.push(extra) - 1;
  }

  #placeOf({ functionId, functionName, version, language }: Program): number {
    let own = this.#places.get(functionId);
    if (own === undefined) this.#places.set(functionId, (own = []));
    for (const place of own) {
      const program = this.#programs[place];
      if (program === undefined || program.version !== version) continue;
      if (program.functionName === functionName && program.language === language) return place;
    }
    const place = this.#programs.push({ functionId, functionName, version, language }) - 1;
    own.push(place);
    return place;
  }

  #growNumbers(): void {
    const longer = new Float64Array(this.#numbers.length * 2);
    longer.set(this.#numbers);
    this.#numbers = longer;
  }

  #growTexts(usedBytes: number, moreBytes: number): void {
    const wanted = usedBytes + moreBytes;
    if (wanted <= this.#texts.length) return;
    const longer = Buffer.allocUnsafeSlow(Math.max(wanted, this.#texts.length * 2));
    this.#texts.copy(longer, 0, 0, usedBytes);
    this.#texts = longer;
  }
}

export function packed(executions: readonly Execution[]): PackedExecutions {
  const packer = new ExecutionPacker();
  for (const execution of executions) packer.add(execution);
  return packer.take();
}

/** Reads the rows of a batch, one after the other. */
export class PackedRows {
  readonly #packed: PackedExecutions;
  readonly #texts: Buffer;
  #textAt = 0;
  #at = 0;

  constructor(batch: PackedExecutions) {
    this.#packed = batch;
    this.#texts = Buffer.from(batch.texts.buffer, batch.texts.byteOffset, batch.texts.byteLength);
  }

  next(): PackedRow | undefined {
    const { rows, extras } = this.#packed;
    if (this.#at === rows * NUMBERS) return undefined;
    return {
      program: this.#number(),
      outcome: this.#number(),
      queuedAtMs: this.#number(),
      waitMs: this.#number(),
      runMs: this.#number(),
      flags: this.#number(),
      httpStatus: this.#numberOrNull(),
      cpuMs: this.#numberOrNull(),
      peakKib: this.#numberOrNull(),
      id: this.#text(this.#number()),
      event: this.#textOrNull(this.#number()),
      extra: extras[this.#number()],
    };
  }

  #number(): number {
    return this.#packed.numbers[this.#at++] ?? Number.NaN;
  }

  #numberOrNull(): number | null {
    const number = this.#number();
    return Number.isNaN(number) ? null : number;
  }

  #text(bytes: number): string {
    const from = this.#textAt;
    this.#textAt += bytes;
    return this.#texts.toString("utf8", from, this.#textAt);
  }

  #textOrNull(bytes: number): string | null {
    return bytes === NONE ? null : this.#text(bytes);
  }
}
