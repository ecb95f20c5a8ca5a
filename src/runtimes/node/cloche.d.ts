// The module "cloche": what a function can ask its platform for. `import { kv, log } from "cloche"`, or
// `const { kv, log } = require("cloche")`; the same objects are in `ctx`.
//
// Every call returns a promise. An error has a `code`: INVALID_REQUEST (also where ad-hoc code asks for kv or env), STORE_FULL (a value
// is too large, or all of them are), EGRESS_REFUSED, STORE_UNAVAILABLE.

declare module "cloche" {
  /** A value that can be stored. */
  export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

  /** Keys have at most 512 bytes, values at most 256 KiB as JSON, a store at most 100 MiB. */
  export interface Store {
    /** The value of `key`; undefined where there is none. */
    get<Value = Json>(key: string): Promise<Value | undefined>;
    /** @param options `ttl`: seconds after which the key is gone */
    set(key: string, value: unknown, options?: { ttl?: number }): Promise<void>;
    /** False where there was none. */
    delete(key: string): Promise<boolean>;
    /** The keys that begin with `prefix`, sorted; all of them unless `limit` says how many. */
    list(prefix?: string, options?: { limit?: number }): Promise<string[]>;
    /** Keys and values, at most 8 MiB. */
    all<Value = Json>(prefix?: string): Promise<Record<string, Value>>;
    /** Adds `by`, or 1, in one step, and returns the sum. A key that is not there counts as 0. */
    incr(key: string, by?: number): Promise<number>;
    /**
     * Sets `key` to `value` if it is `old`, in one step. `undefined` stands for "there is none" as `old`, and deletes as `value`.
     * False if it was something else.
     */
    cas(key: string, old: unknown, value: unknown): Promise<boolean>;
  }

  /** The function's own store. */
  export const kv: Store & {
    /** The store that all functions share. */
    readonly global: Store;
  };

  /** The function's variables as they are now. The environment of the process has them as they were when the worker started. */
  export const env: {
    get(name: string): Promise<string | undefined>;
    set(name: string, value: string): Promise<void>;
    /** False where there was none. */
    delete(name: string): Promise<boolean>;
  };

  /** Lines of the execution's log, formatted as `console` does. */
  export const log: {
    debug(...values: unknown[]): void;
    info(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
  };

  export interface HttpOptions {
    headers?: Record<string, string>;
    /** Added to the URL's own. */
    query?: Record<string, string | number | boolean>;
    /** Text and bytes go as they are; any other object as JSON. */
    body?: string | Uint8Array | ArrayBuffer | URLSearchParams | FormData | object;
    timeoutMs?: number;
  }

  export interface HttpAnswer {
    statusCode: number;
    /** Names in lower case; several values are joined with ", ". */
    headers: Record<string, string>;
    /** As text. Use fetch for bytes and streams. */
    body: string;
  }

  type HttpCall = (url: string | URL, options?: HttpOptions) => Promise<HttpAnswer>;

  /** Requests to other servers. Any status is an answer; no answer is an error. */
  export const http: {
    readonly get: HttpCall;
    readonly post: HttpCall;
    readonly put: HttpCall;
    readonly patch: HttpCall;
    readonly delete: HttpCall;
    readonly head: HttpCall;
  };

  export const ai: {
    /** Asks a language model. */
    chat(request: {
      provider: string;
      model: string;
      messages: readonly { role: "system" | "user" | "assistant"; content: string }[];
      max_tokens?: number;
      temperature?: number;
      endpoint?: string;
    }): Promise<{ content: string; model: string; usage: { input_tokens: number; output_tokens: number } }>;
  };

  export const email: {
    send(message: {
      from: string;
      to: string | readonly string[];
      subject: string;
      text?: string;
      html?: string;
      cc?: string | readonly string[];
      bcc?: string | readonly string[];
      reply_to?: string;
      headers?: Record<string, string>;
    }): Promise<{ id: string }>;
  };

  /** What every program is told about its run: `ctx` in a bare script, the last parameter of a handler. */
  export interface Context {
    readonly executionId: string;
    /** "" for ad-hoc code, as are `functionName`, `version` and `baseUrl`. */
    readonly functionId: string;
    readonly functionName: string;
    readonly version: string;
    readonly requestId: string;
    /** Unix time in milliseconds. */
    readonly startedAt: number;
    /** The server's address, for links: `${baseUrl}/fn/${functionName}`. */
    readonly baseUrl: string;
    /** What is behind the function's name in the path, decoded; `/` where there is nothing. For HTTP requests only. */
    readonly relativePath?: string;
    /** How long the run may take. For HTTP requests only. */
    readonly timeoutMs?: number;
    readonly kv: typeof kv;
    readonly env: typeof env;
    readonly log: typeof log;
    readonly http: typeof http;
  }

  /** What handlers get. */
  export interface HandlerContext extends Context {
    /** Work that goes on behind the response; its errors are logged. */
    waitUntil(promise: Promise<unknown>): void;
    /** Aborted when the caller goes away. Only where several runs share a worker. */
    readonly signal?: AbortSignal;
  }

  /** `export default { fetch }`. */
  export interface WebHandler {
    fetch(request: Request, env: Readonly<Record<string, string>>, ctx: HandlerContext): Response | Promise<Response>;
  }

  /** The event of an HTTP request, in the form of API Gateway's payload version 2.0. */
  export interface HttpEvent {
    version: "2.0";
    routeKey: string;
    rawPath: string;
    rawQueryString: string;
    cookies?: string[];
    headers: Record<string, string>;
    queryStringParameters?: Record<string, string>;
    pathParameters?: { proxy: string };
    requestContext: {
      accountId: string;
      apiId: string;
      domainName: string;
      domainPrefix: string;
      http: { method: string; path: string; protocol: string; sourceIp: string; userAgent: string };
      requestId: string;
      routeKey: string;
      stage: string;
      time: string;
      timeEpoch: number;
    };
    body?: string;
    isBase64Encoded: boolean;
  }

  /** The second parameter of `handler`. */
  export interface LambdaContext extends HandlerContext {
    readonly awsRequestId: string;
    readonly functionVersion: string;
    readonly invokedFunctionArn: string;
    getRemainingTimeInMillis(): number;
  }

  /** What makes a whole HTTP response; any other value becomes JSON, text stays text. */
  export interface HttpResult {
    statusCode?: number;
    headers?: Record<string, string | readonly string[]>;
    cookies?: readonly string[];
    body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
    isBase64Encoded?: boolean;
  }

  /** `export const handler`. */
  export type LambdaHandler<Event = HttpEvent, Result = HttpResult | Json> = (
    event: Event,
    context: LambdaContext,
  ) => Result | Promise<Result> | AsyncGenerator<string | Uint8Array>;

  /** `export default` of the same things, for those who import all at once. */
  const cloche: {
    readonly kv: typeof kv;
    readonly env: typeof env;
    readonly log: typeof log;
    readonly http: typeof http;
    readonly ai: typeof ai;
    readonly email: typeof email;
  };
  export default cloche;
}
