// What a job carries: everything that its run needs, as JSON text.
import type { HeaderList } from "../core/exchange.ts";

/** What a function is run with. */
export type JobInput =
  | { readonly kind: "value"; readonly json: string }
  | { readonly kind: "request"; readonly request: KeptRequest };

/** An HTTP request that is answered before it is run. */
export interface KeptRequest {
  readonly requestId: string;
  readonly remoteAddress: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly relativePath: string;
  readonly query: string;
  readonly headers: HeaderList;
  /** Base64. */
  readonly body: string;
}

export interface InvocationPayload {
  readonly input: JobInput;
  /** A version's number or an alias; undefined: what is active when it runs. */
  readonly pin?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Who wants to be told of its end. */
  readonly callbackUrl?: string | undefined;
  /** Where a schedule asked for it. */
  readonly fire?: Fire | undefined;
}

export interface Fire {
  /** Pattern and zone of the schedule that it is of: one of another schedule is not run. */
  readonly key: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  /** True where it comes late because nobody was there. */
  readonly isCatchUp: boolean;
}

export interface CallbackPayload {
  readonly url: string;
  /** What is sent, JSON text. */
  readonly body: string;
}

/** What is kept of an end. At most one of them; none where nothing was answered. */
export interface JobResult {
  readonly value?: unknown;
  readonly response?: KeptResponse;
  /** There was one, but it was too long to be kept. */
  readonly isDropped?: true;
}

export interface KeptResponse {
  readonly statusCode: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly isBase64Encoded: boolean;
}
