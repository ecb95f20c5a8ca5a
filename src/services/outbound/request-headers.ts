// Headers as code names them, checked and made ready for the wire.
import { PlatformError } from "../../core/errors.ts";
import { HEADER_NAME, OF_THE_CONNECTION } from "../../core/header-syntax.ts";
import { shown } from "./outbound-error.ts";

/** Names in lower case; values as the bytes on the wire, one character each. */
export type RequestHeaders = ReadonlyMap<string, string>;

/** What belongs to the connection or is known from the URL and the body. Code that sets it is not told: it means well. */
const OURS = new Set([...OF_THE_CONNECTION, "host", "content-length", "expect"]);
// oxlint-disable-next-line no-control-regex -- they are what is looked for: a line break in a value begins another header
const FORBIDDEN = /[\0-\x08\x0a-\x1f\x7f]/;

/** @throws PlatformError INVALID_REQUEST, naming the header */
export function requestHeaders(given: Readonly<Record<string, unknown>>): RequestHeaders {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    if (!HEADER_NAME.test(name)) throw invalid(`headers: ${JSON.stringify(shown(name))} is no name of a header`);
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      throw invalid(`headers: the value of ${shown(name)} must be a text`);
    const text = String(value).trim();
    if (FORBIDDEN.test(text))
      throw invalid(`headers: the value of ${shown(name)} holds a line break or another control character`);
    if (!OURS.has(name.toLowerCase())) headers.set(name.toLowerCase(), Buffer.from(text, "utf8").toString("latin1"));
  }
  return headers;
}

const SENSITIVE = /^(?:cookie2?|.*(?:auth|api[-_]?key|token|secret|passw|credential|session).*)$/;

/** What another origin may see: a redirect must not carry keys to whoever it names. */
export function withoutSensitive(headers: RequestHeaders): RequestHeaders {
  return new Map([...headers].filter(([name]) => !SENSITIVE.test(name)));
}

/** Without what describes a body. */
export function withoutBody(headers: RequestHeaders): RequestHeaders {
  return new Map([...headers].filter(([name]) => !name.startsWith("content-")));
}

function invalid(message: string): PlatformError {
  return new PlatformError("INVALID_REQUEST", message);
}
