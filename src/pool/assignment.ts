import { BodyFeed } from "./body-feed.ts";
import type { HeaderList } from "../core/exchange.ts";
import { BODY_WINDOW_BYTES, encodeFrame, ProtocolError } from "./protocol.ts";
import type { Run } from "./run.ts";

/** Credit is given in pieces of this size: a frame for each small chunk would cost more than the chunk. */
const CREDIT_BYTES = BODY_WINDOW_BYTES / 4;

/** A run that a worker has been given, and how far its bodies have got. */
export class Assignment {
  readonly id: number;
  readonly run: Run;
  readonly #send: (frame: Buffer) => void;
  readonly #feed: BodyFeed | undefined;
  #started = false;
  #status: number | undefined;
  /** Of the response: came in, and was not credited yet. */
  #openBytes = 0;
  #takenBytes = 0;
  /** Nobody waits for it any more, but the worker is still at it. */
  dropped = false;

  constructor(id: number, run: Run, send: (frame: Buffer) => void) {
    this.id = id;
    this.run = run;
    this.#send = send;
    const { input } = run.request;
    if (input.kind !== "request" || input.exchange.rest === undefined) return;
    this.#feed = new BodyFeed(input.exchange.rest, input.exchange.firstBytes.length, (bytes, end) =>
      send(encodeFrame({ t: "body", id, end }, bytes)),
    );
  }

  get started(): boolean {
    return this.#started;
  }

  /** Of the response that has begun. */
  get status(): number | undefined {
    return this.#status;
  }

  /** The frame that asks for it. */
  get question(): Buffer {
    const { id } = this;
    const { executionId, input, timeoutMs } = this.run.request;
    if (input.kind === "value") return encodeFrame({ t: "run", id, executionId }, input.json);
    if (input.kind === "check") return encodeFrame({ t: "check", id });
    const { head, firstBytes, rest } = input.exchange;
    return encodeFrame({ t: "request", id, executionId, timeoutMs, ...head, end: rest === undefined }, firstBytes);
  }

  start(nowMs: number): void {
    this.#started = true;
    this.run.start(nowMs);
    this.#feed?.start();
  }

  /** The worker has read `bytes` more of the request's body. */
  credit(bytes: number): void {
    this.#feed?.credit(bytes);
  }

  /**
   * The head of the response has come in.
   *
   * @returns why it cannot be sent
   * @throws ProtocolError
   */
  respond(status: number, headers: HeaderList, end: boolean, nowMs: number): string | undefined {
    const { run } = this;
    const { input } = run.request;
    if (input.kind !== "request" || this.#status !== undefined) throw new ProtocolError("a response out of order");
    this.#status = status;
    const { coldStart, waitMs } = run;
    return input.exchange.onHead({ status, headers, end, coldStart, waitMs, ranMs: run.ranMs(nowMs) });
  }

  /** @throws ProtocolError */
  passOn(chunk: Buffer): void {
    const { input } = this.run.request;
    if (input.kind !== "request" || this.#status === undefined) throw new ProtocolError("a body out of order");
    if (chunk.length === 0 || this.dropped) return;
    this.#openBytes += chunk.length;
    if (this.#openBytes > BODY_WINDOW_BYTES) throw new ProtocolError("more of a response than it has credit for");
    input.exchange.onBody(chunk, () => this.#taken(chunk.length));
  }

  /** Its request is read no further. */
  stop(): void {
    this.#feed?.stop();
  }

  #taken(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes < CREDIT_BYTES) return;
    this.#openBytes -= this.#takenBytes;
    this.#send(encodeFrame({ t: "credit", id: this.id, bytes: this.#takenBytes }));
    this.#takenBytes = 0;
  }
}
