// The server's side of docs/wire-protocol.md: frames of `u32 header length, u32 body length, header JSON, body`.
// Everything that comes in is hostile: lengths are checked before anything is kept.
import type { HeaderList } from "../core/exchange.ts";
import type { LogLevel, OutputStream } from "../core/log-line.ts";

const PREFIX_BYTES = 8;
const MAX_HEADER_BYTES = 65_536;
const MAX_CALL_NAME_CHARS = 40;

/** Of a request's or response's body in one frame. */
export const BODY_FRAME_BYTES = 65_536;
/** How much of one body may be on its way beyond what the other side gave credit for. */
export const BODY_WINDOW_BYTES = 262_144;

/** What a worker's processes have used since they began, as they say themselves: for statistics, not for limits. */
export interface Usage {
  readonly cpuUs: number;
  /** The most memory; undefined where the worker cannot tell. */
  readonly peakKib: number | undefined;
}

/** A frame from a worker, checked. Its body is a view of the chunk that it came in. */
export type WorkerFrame =
  | { readonly t: "ready"; readonly used: Usage | undefined }
  | {
      readonly t: "log";
      readonly level: LogLevel;
      readonly stream: OutputStream;
      readonly run: number | undefined;
      readonly body: Buffer;
    }
  | {
      readonly t: "result" | "error";
      readonly id: number;
      readonly raw: boolean;
      readonly used: Usage | undefined;
      readonly body: Buffer;
    }
  | {
      readonly t: "response";
      readonly id: number;
      readonly status: number;
      readonly headers: HeaderList;
      /** The body may begin with a CGI header block, which is then the head. */
      readonly cgi: boolean;
      readonly end: boolean;
      readonly raw: boolean;
      readonly used: Usage | undefined;
      readonly body: Buffer;
    }
  | {
      readonly t: "body";
      readonly id: number;
      readonly end: boolean;
      readonly raw: boolean;
      readonly used: Usage | undefined;
      readonly body: Buffer;
    }
  | { readonly t: "credit"; readonly id: number; readonly bytes: number }
  | { readonly t: "call"; readonly id: number; readonly run: number; readonly name: string; readonly body: Buffer }
  | {
      readonly t: "exit";
      readonly id: number;
      readonly code: number;
      readonly stays: boolean;
      readonly used: Usage | undefined;
    }
  | { readonly t: "retire"; readonly why: string }
  | { readonly t: "pong"; readonly id: number };

/** The worker broke the protocol; it cannot be trusted with anything from here on. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** A frame with more body than a worker may send: the code returned or printed too much at once. */
export class FrameTooLarge extends ProtocolError {}

/**
 * One frame as bytes, ready to be written. Text is encoded in place: it is copied once.
 *
 * @param header a text: its JSON
 */
export function encodeFrame(header: object | string, body: string | Buffer = ""): Buffer {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  const headerLength = Buffer.byteLength(json);
  const bodyLength = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headerLength + bodyLength);
  frame.writeUInt32BE(headerLength, 0);
  frame.writeUInt32BE(bodyLength, 4);
  frame.write(json, PREFIX_BYTES);
  if (typeof body === "string") frame.write(body, PREFIX_BYTES + headerLength);
  else body.copy(frame, PREFIX_BYTES + headerLength);
  return frame;
}

/** Cuts a byte stream into frames, wherever the chunks break. Holds at most one frame and one chunk. */
export class FrameReader {
  readonly #maxBodyBytes: number;
  readonly #onFrame: (frame: WorkerFrame) => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that must be there before it is worth looking again. */
  #wantedBytes = PREFIX_BYTES;

  constructor(maxBodyBytes: number, onFrame: (frame: WorkerFrame) => void) {
    this.#maxBodyBytes = maxBodyBytes;
    this.#onFrame = onFrame;
  }

  /** @throws ProtocolError */
  push(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes < this.#wantedBytes) return;
    let bytes = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending);
    for (;;) {
      const length = this.#frameLength(bytes);
      this.#wantedBytes = length;
      if (bytes.length < length) break;
      this.#onFrame(decode(bytes.subarray(PREFIX_BYTES, length), bytes.readUInt32BE(0)));
      bytes = bytes.subarray(length);
    }
    this.#pending = bytes.length === 0 ? [] : [bytes];
    this.#pendingBytes = bytes.length;
  }

  /** Length of the frame at the start of `bytes`, as far as it can be known yet. */
  #frameLength(bytes: Buffer): number {
    if (bytes.length < PREFIX_BYTES) return PREFIX_BYTES;
    const headerLength = bytes.readUInt32BE(0);
    const bodyLength = bytes.readUInt32BE(4);
    if (headerLength > MAX_HEADER_BYTES) throw new ProtocolError(`a header of ${headerLength} bytes`);
    if (bodyLength > this.#maxBodyBytes) throw new FrameTooLarge(`a body of ${bodyLength} bytes`);
    return PREFIX_BYTES + headerLength + bodyLength;
  }
}

const LEVELS: ReadonlySet<unknown> = new Set<LogLevel>(["debug", "info", "warn", "error"]);
const STREAMS: ReadonlySet<unknown> = new Set<OutputStream>(["stdout", "stderr"]);

function decode(frame: Buffer, headerLength: number): WorkerFrame {
  const header = parseHeader(frame, headerLength);
  const { t, id } = header;
  const body = frame.subarray(headerLength);
  switch (t) {
    case "ready":
      return { t, used: usageIn(header) };
    case "retire":
      return { t, why: typeof header.why === "string" ? header.why.slice(0, 200) : "no reason given" };
    case "log":
      if (!LEVELS.has(header.level) || !STREAMS.has(header.stream)) break;
      return {
        t,
        level: header.level as LogLevel,
        stream: header.stream as OutputStream,
        run: isCount(header.run) ? header.run : undefined,
        body,
      };
    default:
  }
  // All others belong to a run or a question.
  if (!isCount(id)) throw unusable(t);
  const end = header.end === true;
  const raw = header.raw === true;
  switch (t) {
    case "result":
    case "error":
      return { t, id, raw, used: usageIn(header), body };
    case "response":
      if (!isCount(header.status) || !isHeaderList(header.headers)) break;
      return {
        t,
        id,
        status: header.status,
        headers: header.headers,
        cgi: header.cgi === true,
        end,
        raw,
        used: usageIn(header),
        body,
      };
    case "body":
      return { t, id, end, raw, used: usageIn(header), body };
    case "credit":
      if (!isCount(header.bytes)) break;
      return { t, id, bytes: header.bytes };
    case "call":
      if (!isCount(header.run) || typeof header.name !== "string" || header.name.length > MAX_CALL_NAME_CHARS) break;
      return { t, id, run: header.run, name: header.name, body };
    case "exit":
      if (typeof header.code !== "number" || !Number.isInteger(header.code)) break;
      return { t, id, code: header.code, stays: header.stays === true, used: usageIn(header) };
    case "pong":
      return { t, id };
    default:
  }
  throw unusable(t);
}

function usageIn({ cpuUs, peakKib }: Header): Usage | undefined {
  if (!isCount(cpuUs)) return undefined;
  return { cpuUs, peakKib: isCount(peakKib) ? peakKib : undefined };
}

type Header = Readonly<
  Record<
    | (
        | "t"
        | "id"
        | "run"
        | "name"
        | "code"
        | "level"
        | "stream"
        | "why"
        | "raw"
        | "end"
        | "status"
        | "headers"
        | "bytes"
      )
    | ("cgi" | "stays" | "cpuUs" | "peakKib"),
    unknown
  >
>;

function parseHeader(frame: Buffer, headerLength: number): Header {
  let header: unknown;
  try {
    header = JSON.parse(frame.toString("utf8", 0, headerLength));
  } catch {
    throw new ProtocolError("a header that is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new ProtocolError("a header that is not an object");
  }
  return header as Header;
}

/** Only text is shown: writing out a deeply nested value would overflow the stack. */
function unusable(t: unknown): ProtocolError {
  return new ProtocolError(
    `an unusable frame of type ${typeof t === "string" ? JSON.stringify(t.slice(0, 40)) : typeof t}`,
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isHeaderList(value: unknown): value is HeaderList {
  return (
    Array.isArray(value) &&
    value.every(
      (pair: unknown) =>
        Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string",
    )
  );
}
