import type { Readable } from "node:stream";

/** Names in the order and spelling in which they came; a name may be there more than once. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The head of a request, in the shape of docs/wire-protocol.md. */
export interface RequestHead {
  readonly requestId: string;
  /** Where it came from, as far as the server knows. */
  readonly remoteAddress?: string | undefined;
  readonly method: string;
  /** As it came: percent-encoded, whole. */
  readonly path: string;
  /** What is behind the function's name, decoded; `/` where there is nothing. */
  readonly relativePath: string;
  /** Behind `?`, raw. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: HeaderList;
  /** What `headJson` gives, where it is at hand. */
  readonly json?: string;
}

/** As JSON text without the braces, in the order in which the Lua shim reads it at once (shim/inbox.lua). */
export function headJson(head: RequestHead): string {
  const { requestId, remoteAddress, method, path, relativePath, query, headers } = head;
  return JSON.stringify({ requestId, remoteAddress, method, path, relativePath, query, headers }).slice(1, -1);
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** True when no body but that of this frame follows. */
  readonly end: boolean;
  readonly coldStart: boolean;
  /** Milliseconds from the request until a worker had it, and from then on. */
  readonly waitMs: number;
  readonly ranMs: number;
}

/** A body that is streamed. */
export interface RestOfBody {
  /** Paused; read only as fast as the worker takes it. */
  readonly source: Readable;
  readonly limitBytes: number;
  /** Called once, when more than that has come: nothing more is read. */
  onTooLarge(): void;
}

/** An HTTP request on its way to a worker, and who takes the response. Bodies are passed on as they come, never kept whole. */
export interface Exchange {
  readonly head: RequestHead;
  /** The first bytes of the request's body; all of them where `rest` is undefined. */
  readonly firstBytes: Buffer;
  readonly rest: RestOfBody | undefined;
  /** Called once; a text says why such a response cannot be sent, and ends the run as failed. */
  onHead(head: ResponseHead): string | undefined;
  /** A piece of the body; `taken` is to be called when it is on its way, so that the worker may send more. */
  onBody(chunk: Buffer, taken: () => void): void;
}
