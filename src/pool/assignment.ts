import { BodyFeed } from "./body-feed.ts";
import { CgiHeadReader } from "../core/cgi-head.ts";
import { cgiVariables } from "../core/cgi-variables.ts";
import { type HeaderList, headJson } from "../core/exchange.ts";
import { BODY_WINDOW_BYTES, encodeFrame, ProtocolError, type WorkerFrame } from "./protocol.ts";
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
  #responds = false;
  #status: number | undefined;
  /** Until it is clear whether the response begins with a CGI header block. */
  #cgi: CgiHeadReader | undefined;
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
    const { executionId, input, timeoutMs, version } = this.run.request;
    if (input.kind === "value") return encodeFrame({ t: "run", id, executionId }, input.json);
    if (input.kind === "check") return encodeFrame({ t: "check", id });
    const { head, firstBytes, rest } = input.exchange;
    const end = rest === undefined;
    if (version.program.options["style"] === "program") {
      return encodeFrame(
        { t: "request", id, executionId, timeoutMs, end, cgi: cgiVariables(head, executionId) },
        firstBytes,
      );
    }
    const { json = headJson(head) } = head;
    const ids = `"id":${id},"executionId":${JSON.stringify(executionId)}`;
    return encodeFrame(`{"t":"request",${ids},"timeoutMs":${timeoutMs},"end":${end},${json}}`, firstBytes);
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
   * The head of the response has come in, and the first bytes of its body.
   *
   * @returns why it cannot be sent
   * @throws ProtocolError
   */
  respond(
    { status, headers, cgi, body, end }: WorkerFrame & { readonly t: "response" },
    nowMs: number,
  ): string | undefined {
    if (this.run.request.input.kind !== "request" || this.#responds) throw new ProtocolError("a response out of order");
    this.#responds = true;
    if (this.dropped) return undefined;
    if (cgi) this.#cgi = new CgiHeadReader();
    return (cgi ? undefined : this.#begin(status, headers, end, nowMs)) ?? this.passOn(body, end, nowMs);
  }

  /**
   * More of the response's body has come in; `end`: all of it.
   *
   * @returns why the response cannot be sent
   * @throws ProtocolError
   */
  passOn(chunk: Buffer, end: boolean, nowMs: number): string | undefined {
    const { input } = this.run.request;
    if (input.kind !== "request" || !this.#responds) throw new ProtocolError("a body out of order");
    if (this.dropped) return undefined;
    this.#openBytes += chunk.length;
    if (this.#openBytes > BODY_WINDOW_BYTES) throw new ProtocolError("more of a response than it has credit for");
    if (this.#cgi === undefined) {
      if (chunk.length > 0) input.exchange.onBody(chunk, () => this.#taken(chunk.length));
      return undefined;
    }
    const head = this.#cgi.push(chunk, end);
    if (head === undefined) return undefined;
    this.#cgi = undefined;
    const complaint = this.#begin(head.status, head.headers, end, nowMs);
    if (complaint !== undefined) return complaint;
    const heldBytes = this.#openBytes;
    if (head.body.length > 0) input.exchange.onBody(head.body, () => this.#taken(heldBytes));
    else this.#taken(heldBytes);
    return undefined;
  }

  #begin(status: number, headers: HeaderList, end: boolean, nowMs: number): string | undefined {
    const { run } = this;
    const { input } = run.request;
    if (input.kind !== "request") return undefined;
    this.#status = status;
    const { coldStart, waitMs } = run;
    return input.exchange.onHead({ status, headers, end, coldStart, waitMs, ranMs: run.ranMs(nowMs) });
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
