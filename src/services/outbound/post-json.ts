import type { Caller } from "../capabilities.ts";
import { OutboundError, prefixed, shown } from "./outbound-error.ts";
import { requestHeaders } from "./request-headers.ts";
import type { Send } from "./send.ts";

export interface JsonAnswer {
  readonly isOk: boolean;
  readonly status: number;
  /** An object; anything else that was answered is told as an error. */
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * Asks a provider's API. Redirects are not followed: no API sends one, and a key must not go astray.
 *
 * @throws OutboundError
 */
export async function postJson(
  caller: Caller,
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: object },
  send: Send,
  bounds: { readonly timeoutMs: number; readonly responseBytes: number },
): Promise<JsonAnswer> {
  const url = URL.parse(request.url);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new OutboundError(
      "REQUEST_FAILED",
      `HTTP request failed: ${JSON.stringify(shown(request.url))} is no http or https URL`,
    );
  const headers = requestHeaders({
    "content-type": "application/json",
    accept: "application/json",
    ...request.headers,
  });
  const body = Buffer.from(JSON.stringify(request.body));
  const response = await send(caller, { method: "POST", url, headers, body }, { ...bounds, redirects: 0 }).catch(
    (error: unknown) => {
      throw prefixed("HTTP request failed", error);
    },
  );
  const { status } = response;
  const value = parseObject(response.body.toString("utf8"));
  const isOk = status >= 200 && status < 300;
  if (value === undefined && isOk)
    throw new OutboundError("REQUEST_FAILED", "failed to parse response: it is no JSON object");
  return { isOk, status, value: value ?? {} };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
