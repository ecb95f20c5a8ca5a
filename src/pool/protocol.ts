// The server's side of docs/wire-protocol.md: frames of `u32 header length, u32 body length, header JSON, body`.
// Everything that comes in is hostile: lengths are checked before anything is kept.
import type { LogLevel, OutputStream } from "../core/log-line.ts";

const PREFIX_BYTES = 8;
const MAX_HEADER_BYTES = 65_536;

/** A frame from a worker, checked. Its body is a view of the chunk that it came in. */
export type WorkerFrame =
  | { readonly t: "ready" }
  | { readonly t: "log"; readonly level: LogLevel; readonly stream: OutputStream; readonly body: Buffer }
  | { readonly t: "result" | "error"; readonly id: number; readonly raw: boolean; readonly body: Buffer }
  | { readonly t: "exit"; readonly id: number; readonly code: number }
  | { readonly t: "retire"; readonly why: string }
  | { readonly t: "pong"; readonly id: number };

/** The worker broke the protocol; it cannot be trusted with anything from here on. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** A frame with more body than a worker may send: the code returned or printed too much at once. */
export class FrameTooLarge extends ProtocolError {}

/** One frame as bytes, ready to be written. Text is encoded in place: it is copied once. */
export function encodeFrame(header: object, body = ""): Buffer {
  const json = JSON.stringify(header);
  const headerLength = Buffer.byteLength(json);
  const bodyLength = Buffer.byteLength(body);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headerLength + bodyLength);
  frame.writeUInt32BE(headerLength, 0);
  frame.writeUInt32BE(bodyLength, 4);
  frame.write(json, PREFIX_BYTES);
  frame.write(body, PREFIX_BYTES + headerLength);
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
  let header: unknown;
  try {
    header = JSON.parse(frame.toString("utf8", 0, headerLength));
  } catch {
    throw new ProtocolError("a header that is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new ProtocolError("a header that is not an object");
  }
  const { t, id, code, level, stream, why, raw } = header as { readonly [name: string]: unknown };
  const body = frame.subarray(headerLength);
  switch (t) {
    case "ready":
      return { t };
    case "log":
      if (!LEVELS.has(level) || !STREAMS.has(stream)) break;
      return { t, level: level as LogLevel, stream: stream as OutputStream, body };
    case "result":
    case "error":
      if (!isCount(id)) break;
      return { t, id, raw: raw === true, body };
    case "exit":
      if (!isCount(id) || typeof code !== "number" || !Number.isInteger(code)) break;
      return { t, id, code };
    case "retire":
      return { t, why: typeof why === "string" ? why.slice(0, 200) : "no reason given" };
    case "pong":
      if (!isCount(id)) break;
      return { t, id };
    default:
  }
  // Only text is shown: writing out a deeply nested value would overflow the stack.
  throw new ProtocolError(
    `an unusable frame of type ${typeof t === "string" ? JSON.stringify(t.slice(0, 40)) : typeof t}`,
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
