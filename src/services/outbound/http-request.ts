// The call `http.request`: docs/wire-protocol.md, "Calls".
import { PlatformError } from "../../core/errors.ts";
import { type Caller, number, optionalText, text } from "../capabilities.ts";
import type { OutboundLimits } from "./limits.ts";
import { OutboundError, prefixed, shown } from "./outbound-error.ts";
import { requestHeaders } from "./request-headers.ts";
import type { Send } from "./send.ts";
import type { OutboundRequest } from "./send-once.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

type Arguments = Readonly<Record<string, unknown>>;

/** @throws PlatformError INVALID_REQUEST, BODY_TOO_LARGE; OutboundError */
export async function httpRequest(
  caller: Caller,
  given: Arguments,
  send: Send,
  limits: OutboundLimits,
): Promise<string> {
  const timeoutMs = (given["timeoutMs"] ?? undefined) === undefined ? limits.timeoutMs : number(given, "timeoutMs");
  if (!(timeoutMs > 0)) throw new PlatformError("INVALID_REQUEST", "timeoutMs must be more than 0");
  const request = parseRequest(given, limits);
  try {
    const { redirects, responseBytes, longestMs } = limits;
    const options = { timeoutMs: Math.ceil(Math.min(timeoutMs, longestMs)), redirects, responseBytes };
    const { status, headers, body } = await send(caller, request, options);
    return JSON.stringify({
      statusCode: status,
      headers: Object.fromEntries(headers),
      body: body.toString("base64"),
    });
  } catch (error) {
    throw prefixed("HTTP request failed", error);
  }
}

function parseRequest(given: Arguments, limits: OutboundLimits): OutboundRequest {
  const method = text(given, "method").toUpperCase();
  if (!METHODS.has(method))
    throw new PlatformError("INVALID_REQUEST", `method must be one of ${[...METHODS].join(", ")}`);
  const encoded = optionalText(given, "body");
  const body = encoded === undefined ? undefined : Buffer.from(encoded, "base64");
  if (body !== undefined && body.length > limits.requestBytes)
    throw new PlatformError("BODY_TOO_LARGE", `the request's body is larger than ${limits.requestBytes} bytes`);
  const url = withQuery(parseUrl(text(given, "url")), record(given, "query"));
  return { method, url, headers: requestHeaders(record(given, "headers")), body };
}

function parseUrl(given: string): URL {
  const url = URL.parse(given);
  if (url === null) throw new PlatformError("INVALID_REQUEST", `failed to parse URL: ${JSON.stringify(shown(given))}`);
  if (url.protocol === "http:" || url.protocol === "https:") return url;
  const scheme = url.protocol.slice(0, -1);
  throw new OutboundError(
    "REQUEST_FAILED",
    `HTTP request failed: unsupported protocol scheme ${JSON.stringify(shown(scheme))}`,
  );
}

/** Adds to the parameters that are there; sorted by name, as a cache at the other side would have them. */
function withQuery(url: URL, query: Arguments): URL {
  const entries = Object.entries(query);
  if (entries.length === 0) return url;
  for (const [name, value] of entries) {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      throw new PlatformError("INVALID_REQUEST", `query: the value of ${shown(name)} must be a text`);
    url.searchParams.append(name, String(value));
  }
  url.searchParams.sort();
  return url;
}

function record(given: Arguments, name: string): Arguments {
  const value = given[name] ?? {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Arguments;
  throw new PlatformError("INVALID_REQUEST", `${name} must be an object`);
}
