// A connection whose requests come whole and say nothing unusual: read here, answered with Node's own response. With the first one that
// is anything else the connection goes over to Node's HTTP server, for good, and with every byte of that request.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { FastResponse } from "./fast-response.ts";
import { type PlainHead, plainHead } from "./plain-head.ts";
import { WholeMessage } from "./whole-message.ts";

const END_OF_HEAD = "\r\n\r\n";
/** A head up to this length is remembered: ten thousand connections must not fill the memory with them. */
const REMEMBERED_BYTES = 2_000;

export interface FastConnectionParts {
  /** What clients are told that a connection may rest. */
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly answer: (message: IncomingMessage, response: ServerResponse) => void;
  /** Node's HTTP server takes the connection; what it reads first has been put back. */
  readonly handOver: (connection: FastConnection) => void;
}

interface ReadHead {
  /** With the empty line that ends it. Latin-1: as many bytes as units. */
  readonly text: string;
  readonly head: PlainHead;
}

export class FastConnection {
  readonly socket: Socket;
  readonly #parts: FastConnectionParts;
  /** A client says the same about itself with every request: to compare is cheaper than to read. */
  #last: ReadHead | undefined;
  #message: WholeMessage | undefined;
  #response: FastResponse | undefined;
  #hasServed = false;
  /** Rounds of `closeIfRested` since something was heard or said. */
  #rested = 0;
  /** What came while the request before it was being answered; while there is any, nothing more is read. */
  #early: Buffer | undefined;

  constructor(socket: Socket, parts: FastConnectionParts) {
    this.socket = socket;
    this.#parts = parts;
    socket.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose).on("error", ignore);
    socket.on("drain", this.#onDrain);
  }

  /** Closes it between two requests. A client that has only just connected may be sending its first one. */
  closeIfIdle(): void {
    if (this.#hasServed && this.#response === undefined) this.socket.destroy();
  }

  /** Call in rounds: closes it where it has rested for more than `rounds` of them. A timer for each, set anew with each request, costs more. */
  closeIfRested(rounds: number): void {
    if (this.#response === undefined && ++this.#rested > rounds) this.socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#rested = 0;
    if (this.#response !== undefined) {
      this.#early = bytes;
      this.socket.pause();
      return;
    }
    const message = this.#read(bytes);
    if (message === undefined) this.#handOver(bytes);
    else this.#answer(message);
  };

  /** The request that `bytes` are, no more and no less. */
  #read(bytes: Buffer): WholeMessage | undefined {
    const read = this.#headOf(bytes);
    if (read === undefined || bytes.length - read.text.length !== read.head.bodyBytes) return undefined;
    return new WholeMessage(this.socket, read.head, bytes.subarray(read.text.length));
  }

  #headOf(bytes: Buffer): ReadHead | undefined {
    const last = this.#last;
    if (last !== undefined && bytes.toString("latin1", 0, last.text.length) === last.text) return last;
    const headBytes = bytes.indexOf(END_OF_HEAD);
    if (headBytes < 0 || headBytes > this.#parts.maxHeaderBytes) return undefined;
    const text = bytes.toString("latin1", 0, headBytes + END_OF_HEAD.length);
    const head = plainHead(text.slice(0, headBytes));
    if (head === undefined) return undefined;
    const read = { text, head };
    if (headBytes <= REMEMBERED_BYTES) this.#last = read;
    return read;
  }

  #answer(message: WholeMessage): void {
    const response = new FastResponse(message, this.socket, this.#parts.keepAliveTimeoutMs, this.#onSent);
    this.#message = message;
    this.#response = response;
    this.#parts.answer(message, response);
  }

  readonly #onSent = (): void => {
    const response = this.#response;
    if (response === undefined) return;
    response.detachSocket(this.socket);
    this.#message = undefined;
    this.#response = undefined;
    this.#hasServed = true;
    this.#rested = 0;
    if (!response.destroyed) response.emit("close");
    if (!response.shouldKeepAlive) this.socket.destroySoon();
    else if (this.#early !== undefined) this.#goOn(this.#early);
  };

  #goOn(early: Buffer): void {
    this.#early = undefined;
    this.socket.resume();
    this.#onData(early);
  }

  readonly #onEnd = (): void => {
    this.socket.end();
  };

  /** Its response hears that from the socket. */
  readonly #onClose = (): void => {
    this.#message?.destroy(new Error("the client has gone"));
  };

  readonly #onDrain = (): void => {
    this.#response?.emit("drain");
  };

  #handOver(bytes: Buffer): void {
    const { socket } = this;
    socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose).off("error", ignore);
    socket.off("drain", this.#onDrain);
    socket.pause(); // else what is put back would come before anybody listens
    socket.unshift(bytes);
    this.#parts.handOver(this);
    socket.resume();
  }
}

function ignore(): void {
  // "close" follows
}
