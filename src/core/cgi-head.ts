// Where a program's output begins with a CGI header block, that is the head of its response. Source: RFC 3875, section 6.
import { isUtf8 } from "node:buffer";
import type { HeaderList } from "./exchange.ts";

/** A header block is not longer than what a client would take (16 KiB), twice over. */
const MOST_HEAD_BYTES = 32 * 1024;
const LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
/** What a line that has not ended yet may still become one of. */
const START_OF_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*(?::|\r?$)/;
const STATUS = /^(\d{3})(?: |$)/;
/** One of these must be there: a text that happens to begin with `Note: …` is a body. */
const TELLING = new Set(["status", "content-type", "location"]);

const FOUND = 302;
const OK = 200;

export interface CgiHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** What has come of the body. */
  readonly body: Buffer;
}

/**
 * Reads the output of a program until it is clear how its response begins.
 *
 * It is a header block if it ends with an empty line within 32 KiB, each line before that is `name: value`, one of the names is
 * Status, Content-Type or Location, and a Status begins with three digits. All else is a body with status 200.
 */
export class CgiHeadReader {
  #held: Buffer = Buffer.alloc(0);

  /** @returns undefined while it is not clear; `end`: nothing more will come */
  push(chunk: Buffer, end: boolean): CgiHead | undefined {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const text = this.#held.toString("latin1", 0, MOST_HEAD_BYTES); // one character a byte
    const lines = text.split("\n");
    const blank = lines.findIndex((line) => line === "" || line === "\r");
    const isWhole = blank >= 0 && blank < lines.length - 1;
    if (!isWhole) {
      const last = lines.at(-1) ?? "";
      const isPossible = START_OF_LINE.test(last) && lines.slice(0, -1).every((line) => LINE.test(withoutReturn(line)));
      return isPossible && !end && this.#held.length < MOST_HEAD_BYTES ? undefined : bodyAlone(this.#held);
    }
    const headLines = lines.slice(0, blank);
    const bodyAt = lines.slice(0, blank + 1).reduce((bytes, line) => bytes + line.length + 1, 0);
    return headOf(headLines.map(withoutReturn), this.#held.subarray(bodyAt)) ?? bodyAlone(this.#held);
  }
}

/** Undefined where `lines` are no header block. */
function headOf(lines: readonly string[], body: Buffer): CgiHead | undefined {
  const fields: [string, string][] = [];
  for (const line of lines) {
    const [, name, value = ""] = LINE.exec(line) ?? [];
    if (name === undefined) return undefined;
    fields.push([name, value]);
  }
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  if (![...names].some((name) => TELLING.has(name))) return undefined;
  const stated = fields.find(([name]) => name.toLowerCase() === "status");
  const code = stated === undefined ? undefined : STATUS.exec(stated[1])?.[1];
  if (stated !== undefined && code === undefined) return undefined;
  const headers = fields.filter(([name]) => name.toLowerCase() !== "status");
  const status = code === undefined ? (names.has("location") ? FOUND : OK) : Number(code);
  return { status, headers: names.has("content-type") ? headers : [...headers, ...typeOf(body)], body };
}

function bodyAlone(body: Buffer): CgiHead {
  return { status: OK, headers: typeOf(body), body };
}

/** By what has come: text, as far as that can be told. */
function typeOf(body: Buffer): [string, string][] {
  if (body.length === 0) return [];
  const isText = isUtf8(body.subarray(0, body.length - cutBytes(body))) && !body.includes(0);
  return [["content-type", isText ? "text/plain; charset=utf-8" : "application/octet-stream"]];
}

/** How many of the last bytes begin a character that is not complete. */
function cutBytes(body: Buffer): number {
  for (let back = 1; back <= Math.min(3, body.length); back++) {
    const byte = body[body.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
