import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { PlainHead } from "./plain-head.ts";

/** A request that has come with all of its body. */
export class WholeMessage extends IncomingMessage {
  readonly body: Buffer;

  constructor(socket: Socket, head: PlainHead, body: Buffer) {
    super(socket);
    this.httpVersion = "1.1";
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.method = head.method;
    this.url = head.url;
    this.headers = head.headers;
    this.rawHeaders = head.rawHeaders;
    this.complete = true;
    this.body = body;
  }

  /** For who reads it as a stream. */
  override _read(): void {
    if (this.body.length > 0) this.push(this.body);
    this.push(null);
  }
}
