import type { IncomingMessage, ServerResponse } from "node:http";
import type { HeaderList } from "../../../core/exchange.ts";

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const EXPOSED = "X-Function-Id, X-Function-Version-Id, X-Execution-Id, X-Execution-Duration-Ms, X-Cold-Start";
const PREFLIGHT_SECONDS = 600;

/** What a browser must be told so that pages of other origins may read the answer; none where the origin is not allowed. */
export function corsHeaders(message: IncomingMessage, origins: readonly string[]): HeaderList {
  const { origin } = message.headers;
  if (origins.includes("*")) {
    return [
      ["Access-Control-Allow-Origin", "*"],
      ["Access-Control-Expose-Headers", EXPOSED],
    ];
  }
  if (origin === undefined || !origins.includes(origin)) return origins.length === 0 ? [] : [["Vary", "Origin"]];
  return [
    ["Access-Control-Allow-Origin", origin],
    ["Access-Control-Expose-Headers", EXPOSED],
    ["Vary", "Origin"],
  ];
}

/** A browser asks before it sends the request itself. Other OPTIONS requests are the function's. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && headers["access-control-request-method"] !== undefined;
}

export function answerPreflight(message: IncomingMessage, response: ServerResponse, origins: readonly string[]): void {
  setHeaders(response, corsHeaders(message, origins));
  if (response.hasHeader("Access-Control-Allow-Origin")) {
    response.setHeader("Access-Control-Allow-Methods", METHODS);
    response.setHeader("Access-Control-Allow-Headers", message.headers["access-control-request-headers"] ?? "*");
    response.setHeader("Access-Control-Max-Age", PREFLIGHT_SECONDS);
  }
  response.writeHead(204).end();
}

export function setHeaders(response: ServerResponse, headers: HeaderList): void {
  for (const [name, value] of headers) response.setHeader(name, value);
}
