import { ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "../../core/clock.ts";
import type { WholeMessage } from "./whole-message.ts";

/** Larger ones are sent behind the head instead of being copied there. */
const COPIED_BYTES = 16 * 1024;

/** True for answers that have no body, whatever is in it: RFC 9110, 6.4.1. */
export function isBodyless(method: string | undefined, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/** Node's response, with a short way for an answer that is there as a whole. */
export class FastResponse extends ServerResponse<WholeMessage> {
  readonly #connection: Socket;
  readonly #keepAliveTimeoutMs: number;
  readonly #onSent: () => void;

  /** @param onSent the answer has left; it is told at `finish` of one that Node has made, too */
  constructor(message: WholeMessage, connection: Socket, keepAliveTimeoutMs: number, onSent: () => void) {
    super(message);
    this.#connection = connection;
    this.#keepAliveTimeoutMs = keepAliveTimeoutMs;
    this.#onSent = onSent;
    tellKeepAliveTimeout(this, keepAliveTimeoutMs);
    this.assignSocket(connection);
    this.once("finish", onSent);
  }

  /**
   * Sends an answer in one write; false where Node has to make it.
   *
   * @param fields names and values in turn, such as headers can have: nobody looks at them again
   */
  sendWhole(status: number, fields: readonly string[], body: string | Buffer): boolean {
    if (isBodyless(this.req.method, status) || !this.shouldKeepAlive) return false;
    if (this.headersSent || this.getHeaderNames().length > 0) return false;
    const head = this.#head(status, fields, Buffer.byteLength(body));
    this.destroyed = true; // as Node has it after an answer: there is no second one
    const connection = this.#connection;
    if (typeof body === "string") connection.write(head + body, this.#onSent);
    else if (body.length <= COPIED_BYTES) connection.write(joined(head, body), this.#onSent);
    else {
      connection.cork();
      connection.write(head, "latin1");
      connection.write(body, this.#onSent);
      connection.uncork();
    }
    return true;
  }

  #head(status: number, fields: readonly string[], lengthBytes: number): string {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    let hasDate = false;
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at] ?? "";
      if (name.length === "date".length && name.toLowerCase() === "date") hasDate = true;
      head += `${name}: ${fields[at + 1]}\r\n`;
    }
    if (!hasDate) head += `Date: ${httpDate()}\r\n`;
    const timeoutS = Math.floor(this.#keepAliveTimeoutMs / 1000);
    return `${head}Connection: keep-alive\r\nKeep-Alive: timeout=${timeoutS}\r\nContent-Length: ${lengthBytes}\r\n\r\n`;
  }
}

function joined(head: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, "latin1");
  body.copy(bytes, head.length);
  return bytes;
}

let second = 0;
let dateOfSecond = "";

function httpDate(): string {
  const now = Math.floor(systemClock.now() / 1000);
  if (now !== second) {
    second = now;
    dateOfSecond = new Date(now * 1000).toUTCString();
  }
  return dateOfSecond;
}

/** As Node's server does it; it has no other name. */
function tellKeepAliveTimeout(response: ServerResponse, timeoutMs: number): void {
  (response as unknown as { _keepAliveTimeout: number })._keepAliveTimeout = timeoutMs;
}
