import type { IncomingMessage, ServerResponse } from "node:http";
import type { Version } from "../../../core/program.ts";
import type { Exchange, ResponseHead, RestOfBody } from "../../../core/exchange.ts";
import type { HeaderList } from "../../../core/exchange.ts";
import type { InvocationHandle, InvocationResult } from "../../../services/invoke.ts";
import { sendWhole } from "../../answer.ts";
import { setHeaders } from "./cors.ts";
import { answerFailure, answerFault } from "./fault.ts";
import { eventRecord, FirstBytes, responseRecord } from "./record.ts";
import { tooLarge } from "./request.ts";
import { checkHead, InvalidResponse, responseOf } from "./response.ts";
import type { TakenHead } from "./taken-head.ts";

interface CallParts {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: TakenHead;
  /** Go out with every answer; the function's own of the same name take their place. */
  readonly cors: HeaderList;
  /** Undefined: it is streamed. */
  readonly body: Buffer | undefined;
  readonly version: Version;
  /** The most that the request's body may have. */
  readonly bodyBytes: number;
  readonly keepsResponse: boolean;
}

const EMPTY = Buffer.alloc(0);
/** A page that a function serves has an origin of its own: its scripts cannot use the dashboard's cookie, nor the open API of loopback. */
const SANDBOXED_PAGE = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads";

/** One call of a function over HTTP: between the client's connection and the worker. */
export class FunctionCall implements Exchange {
  readonly head: TakenHead;
  readonly firstBytes: Buffer;
  readonly rest: RestOfBody | undefined;
  /** What runs for it; it is cancelled where the client went away, or sends more than it may. */
  invocation: InvocationHandle | undefined;
  /** Of the response, once it has one. */
  status: number | undefined;
  readonly #parts: CallParts;
  readonly #sent = new FirstBytes();
  #headers: HeaderList = [];
  #tooLarge = false;
  #wholeBody: Buffer = EMPTY;

  constructor(parts: CallParts) {
    this.#parts = parts;
    const { message, response, head, body } = parts;
    this.head = head;
    this.firstBytes = body ?? EMPTY;
    const onTooLarge = (): void => {
      this.#tooLarge = true;
      this.invocation?.cancel();
    };
    this.rest = body === undefined ? { source: message, limitBytes: parts.bodyBytes, onTooLarge } : undefined;
    response.on("close", () => {
      if (!response.writableFinished) this.invocation?.cancel();
    });
    response.on("error", () => {});
    if (this.rest !== undefined) message.on("error", () => this.invocation?.cancel());
  }

  onHead({ status, headers, end, coldStart, waitMs, ranMs }: ResponseHead): string | undefined {
    const checked = checkHead(status, headers);
    if (typeof checked === "string") return checked;
    this.status = status;
    this.#headers = checked;
    if (!end) this.#sendHead(coldStart, waitMs, ranMs);
    return undefined;
  }

  onBody(chunk: Buffer, taken: () => void): void {
    const { response } = this.#parts;
    if (this.#parts.keepsResponse) this.#sent.push(chunk);
    if (!response.headersSent) {
      this.#wholeBody = chunk; // the only one; the head is written with its length when the run is over
      taken();
    } else if (response.destroyed) taken();
    else if (response.write(chunk)) taken();
    else response.once("drain", taken);
  }

  /** The run is over: answers, or completes the answer. */
  finish({ outcome, coldStart, waitMs, runMs }: InvocationResult, maySeeDetails: () => boolean): void {
    const { response } = this.#parts;
    if (response.destroyed) return;
    if (outcome.kind === "responded") {
      if (response.headersSent) response.end();
      else this.#send(coldStart, waitMs, runMs, this.#wholeBody);
      return;
    }
    if (response.headersSent) {
      response.destroy(); // an answer that has begun cannot become another one; the client sees that it is not whole
      return;
    }
    if (outcome.kind === "ok") {
      this.#answerValue(outcome.json, { coldStart, waitMs, runMs }, maySeeDetails);
      return;
    }
    this.#setOurFields(coldStart, waitMs, runMs);
    if (this.#tooLarge) {
      response.setHeader("Connection", "close");
      answerFault(response, tooLarge(this.#parts.bodyBytes));
    } else answerFailure(response, outcome, maySeeDetails());
  }

  eventRecord(): string {
    return eventRecord(this.head.kept, this.firstBytes, this.rest === undefined);
  }

  responseRecord(): string | undefined {
    return this.status === undefined
      ? undefined
      : responseRecord(this.status, this.#headers, this.#sent.bytes, this.#sent.isWhole);
  }

  #answerValue(
    json: string | undefined,
    { coldStart, waitMs, runMs }: { coldStart: boolean; waitMs: number; runMs: number },
    maySeeDetails: () => boolean,
  ): void {
    const { response } = this.#parts;
    try {
      const { status, headers, body } = responseOf(json);
      this.status = status;
      this.#headers = headers;
      if (this.#parts.keepsResponse) this.#sent.push(Buffer.from(body));
      this.#send(coldStart, waitMs, runMs, body);
    } catch (error) {
      if (!(error instanceof InvalidResponse)) throw error;
      this.#setOurFields(coldStart, waitMs, runMs);
      const outcome = { kind: "failed", name: error.name, message: error.message, stack: "" } as const;
      answerFailure(response, outcome, maySeeDetails());
    }
  }

  /** Its body follows as it comes. */
  #sendHead(coldStart: boolean, waitMs: number, ranMs: number): void {
    const { response } = this.#parts;
    response.writeHead(this.status ?? 200, this.#fields(coldStart, waitMs, ranMs));
    response.flushHeaders();
  }

  #send(coldStart: boolean, waitMs: number, ranMs: number, body: string | Buffer): void {
    sendWhole(this.#parts.response, this.status ?? 200, this.#fields(coldStart, waitMs, ranMs), body);
  }

  #fields(coldStart: boolean, waitMs: number, ranMs: number): string[] {
    const { message, cors } = this.#parts;
    const fields = this.#platformFields(coldStart, waitMs, ranMs);
    // Two of "Vary" are one list; without ours a cache would show one origin's answer to all.
    for (const [name, value] of cors) if (name === "Vary" || !has(this.#headers, name)) fields.push(name, value);
    for (const [name, value] of this.#headers) fields.push(name, value);
    fields.push("Content-Security-Policy", SANDBOXED_PAGE);
    if (!message.complete && this.rest !== undefined) fields.push("Connection", "close");
    return fields;
  }

  /** Names and values in turn: as a list they cost a fifth of what `setHeader` does, while nothing has been set by that. */
  #platformFields(coldStart: boolean, waitMs: number, ranMs: number): string[] {
    const owner = this.#parts.version.function;
    const wait = coldStart ? `boot;dur=${waitMs.toFixed(1)}` : `queue;dur=${waitMs.toFixed(1)}`;
    const fields = ["X-Execution-Id", this.invocation?.executionId ?? ""];
    fields.push("X-Execution-Duration-Ms", String(Math.round(ranMs)));
    fields.push("X-Cold-Start", String(coldStart));
    fields.push("Server-Timing", `${wait}, run;dur=${ranMs.toFixed(1)}`);
    if (owner !== undefined) fields.push("X-Function-Id", owner.id, "X-Function-Version-Id", String(owner.number));
    return fields;
  }

  #setOurFields(coldStart: boolean, waitMs: number, ranMs: number): void {
    setHeaders(this.#parts.response, this.#parts.cors);
    const fields = this.#platformFields(coldStart, waitMs, ranMs);
    for (let at = 0; at < fields.length; at += 2)
      this.#parts.response.setHeader(fields[at] ?? "", fields[at + 1] ?? "");
  }
}

function has(headers: HeaderList, name: string): boolean {
  const wanted = name.toLowerCase();
  return headers.some(([own]) => own.toLowerCase() === wanted);
}
