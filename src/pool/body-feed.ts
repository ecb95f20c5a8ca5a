import type { RestOfBody } from "../core/exchange.ts";
import { BODY_FRAME_BYTES, BODY_WINDOW_BYTES } from "./protocol.ts";

/** Reads a request's body as fast as the worker takes it: what it has no credit for stays in the client's socket. */
export class BodyFeed {
  readonly #rest: RestOfBody;
  readonly #send: (bytes: Buffer, end: boolean) => void;
  #creditBytes: number;
  #over = false;
  #readBytes = 0;

  /** @param sentBytes of this body are on their way already */
  constructor(rest: RestOfBody, sentBytes: number, send: (bytes: Buffer, end: boolean) => void) {
    this.#rest = rest;
    this.#send = send;
    this.#creditBytes = BODY_WINDOW_BYTES - sentBytes;
  }

  start(): void {
    this.#rest.source.on("readable", this.#pump).on("end", this.#end);
    this.#pump();
  }

  /** The worker has taken `bytes` more. */
  credit(bytes: number): void {
    this.#creditBytes = Math.min(this.#creditBytes + bytes, BODY_WINDOW_BYTES);
    if (!this.#over) this.#pump();
  }

  stop(): void {
    this.#over = true;
    this.#rest.source.off("readable", this.#pump).off("end", this.#end);
  }

  readonly #pump = (): void => {
    while (!this.#over && this.#creditBytes > 0) {
      const { source, limitBytes } = this.#rest;
      const most = Math.min(this.#creditBytes, BODY_FRAME_BYTES, source.readableLength || 1);
      const bytes = source.read(most) as Buffer | null;
      if (bytes === null) return;
      this.#readBytes += bytes.length;
      if (this.#readBytes > limitBytes) {
        this.stop();
        this.#rest.onTooLarge();
        return;
      }
      this.#creditBytes -= bytes.length;
      this.#send(bytes, false);
    }
  };

  readonly #end = (): void => {
    this.stop();
    this.#send(Buffer.alloc(0), true);
  };
}
