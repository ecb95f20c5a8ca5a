import type { IncomingMessage, ServerResponse } from "node:http";
import { systemClock } from "../core/clock.ts";
import type { PlatformError } from "../core/errors.ts";
import { FastResponse, isBodyless } from "./fast-path/fast-response.ts";
import type { HttpRequest } from "./router.ts";

export function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", text);
}

export function sendJson(response: ServerResponse, status: number, json: string): void {
  send(response, status, "application/json; charset=utf-8", json);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  if (response.headersSent) {
    response.destroy(); // an answer that has begun cannot become another one
    return;
  }
  const fields = ["Content-Type", contentType];
  if (response.req.complete) {
    sendWhole(response, status, fields, body);
    return;
  }
  response.writeHead(status, withLength(fields, body)).write(body);
  endWhenRead(response);
}

/** @param fields names and values in turn, checked; the length is added to them */
export function sendWhole(response: ServerResponse, status: number, fields: string[], body: string | Buffer): void {
  if (response instanceof FastResponse && response.sendWhole(status, fields, body)) return;
  const sent = isBodyless(response.req.method, status) ? fields : withLength(fields, body);
  response.writeHead(status, sent).end(body);
}

function withLength(fields: readonly string[], body: string | Buffer): string[] {
  return [...fields, "Content-Length", String(Buffer.byteLength(body))];
}

/** A client that is still sending a refused body has so long to read the refusal, after its last bytes and in all; then it is cut off. */
const QUIET_MS = 1_000;
const LINGER_MS = 5_000;

/** Drops what still comes in, while it comes, then ends: a connection cut at once would take the answer with it. */
function endWhenRead(response: ServerResponse): void {
  const end = (): void => {
    response.end();
  };
  let stopQuiet = systemClock.after(QUIET_MS, end);
  const stopLinger = systemClock.after(LINGER_MS, end);
  response.req
    .on("data", () => {
      stopQuiet();
      stopQuiet = systemClock.after(QUIET_MS, end);
    })
    .once("close", () => {
      stopQuiet();
      stopLinger();
    })
    .once("end", end)
    .resume();
}

/** The product's one JSON error shape. */
export function sendJsonFault(response: ServerResponse, error: PlatformError): void {
  sendJson(response, error.status, JSON.stringify({ error: { code: error.code, message: error.message } }));
}

/** JSON for who asks for it, else `text`. */
export function sendFault(error: PlatformError, request: HttpRequest, response: ServerResponse, text: string): void {
  if (wantsJson(request.message)) sendJsonFault(response, error);
  else sendText(response, error.status, text);
}

export function addFaultHeaders(error: PlatformError, message: IncomingMessage, response: ServerResponse): void {
  if (error.code === "KEY_REQUIRED") response.setHeader("WWW-Authenticate", "Bearer");
  if (error.retryAfterS !== undefined) response.setHeader("Retry-After", error.retryAfterS);
  // A body that nobody will read stands in the way of the connection's next request.
  if (!message.complete) response.setHeader("Connection", "close");
}

function wantsJson(message: IncomingMessage): boolean {
  return message.headers.accept?.includes("application/json") === true;
}
