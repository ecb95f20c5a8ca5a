// The HTTP request that a caller of the management API describes instead of sending it: what a page with a session, whose cookie
// goes nowhere but below /api, has in place of `/fn/`.
import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import { newId } from "../../core/id.ts";
import type { RequestHead } from "../../core/exchange.ts";
import { HEADER_NAME, MAX_HEADERS, OF_THE_CONNECTION, UNSENDABLE } from "../../core/header-syntax.ts";
import { decodePath } from "../decode.ts";

const MAX_TARGET_CHARS = 8_000; // some less than Node takes of a request's first line and headers together

export const requestIn = z
  .strictObject({
    method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]).default("GET"),
    path: z
      .string()
      .max(MAX_TARGET_CHARS)
      .regex(/^(?:\/[^\s?#]*)?$/, { error: "begins with a slash, and has no blanks, ? or #" })
      .default("")
      .describe("behind the function's address, percent-encoded"),
    query: z
      .string()
      .max(MAX_TARGET_CHARS)
      .regex(/^[^\s#]*$/, { error: "percent-encoded, without blanks or #" })
      .default("")
      .describe("without its question mark"),
    headers: z
      .array(z.tuple([z.string().regex(HEADER_NAME, { error: "not a header's name" }).max(200), headerValue()]))
      .max(MAX_HEADERS)
      .default([]),
    body: z.string().default(""),
    isBase64Encoded: z.boolean().default(false).describe("of the body"),
  })
  .describe("an HTTP request in place of an input; the answer has a response in place of a result");

function headerValue() {
  return z.string().refine((value) => !UNSENDABLE.test(value), {
    error: "a character that a header cannot have, such as a line break",
  });
}

/**
 * The request as the function gets it.
 *
 * @param functionName of the function that is called
 * @param host that the caller named this server by
 * @throws PlatformError INVALID_REQUEST
 */
export function askedRequest(
  { method, path, query, headers, body, isBase64Encoded }: z.infer<typeof requestIn>,
  functionName: string,
  { host, remoteAddress }: { readonly host: string; readonly remoteAddress: string | undefined },
): { readonly head: RequestHead; readonly body: Buffer } {
  const bytes = Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
  const mayHaveBody = method !== "GET" && method !== "HEAD";
  if (bytes.length > 0 && !mayHaveBody) {
    throw new PlatformError("INVALID_REQUEST", `request.body: ${method} has none`);
  }
  const list = headers
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name]) => name !== "content-length" && !OF_THE_CONNECTION.has(name)); // there is no connection
  if (!list.some(([name]) => name === "host")) list.unshift(["host", host]);
  if (bytes.length > 0) list.push(["content-length", String(bytes.length)]);
  const address = `/fn/${functionName}`;
  return {
    head: {
      ...{ requestId: newId(), remoteAddress, method, query, headers: list },
      ...{ path: address + path, relativePath: path === "" ? "/" : decodePath(path) },
    },
    body: bytes,
  };
}
