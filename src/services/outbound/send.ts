// A request with all that comes of it: its time limit, and the redirects that it is sent on.
import type { Caller } from "../capabilities.ts";
import { OutboundError, shown } from "./outbound-error.ts";
import { withoutBody, withoutSensitive } from "./request-headers.ts";
import { isRedirect, type OutboundRequest, type OutboundResponse, type SendDeps, sendOnce } from "./send-once.ts";

export interface SendOptions {
  readonly timeoutMs: number;
  /** Redirects to follow; with 0 the redirect is the response. */
  readonly redirects: number;
  /** Of the body, at most. */
  readonly responseBytes: number;
}

export type Send = (caller: Caller, request: OutboundRequest, options: SendOptions) => Promise<OutboundResponse>;

/** Every connection goes through the gate with the policy of the caller's version, those of redirects, too. */
export function createSend(deps: SendDeps): Send {
  return async function send(caller, request, options) {
    const timeoutMs = Math.min(options.timeoutMs, deps.limits.longestMs);
    const signal = AbortSignal.timeout(timeoutMs);
    const late = Promise.withResolvers<never>(); // for what cannot be interrupted, such as the start of the gate
    late.promise.catch(() => {});
    signal.addEventListener("abort", () => late.reject(signal.reason));
    const bounded = { ...deps, limits: { ...deps.limits, responseBytes: options.responseBytes } };
    let current = request;
    try {
      for (let redirects = 0; ; redirects += 1) {
        const response = await Promise.race([sendOnce(caller, current, bounded, signal), late.promise]);
        if (options.redirects === 0 || !isRedirect(response.status, response.headers)) return response;
        if (redirects === options.redirects) throw failure(`stopped after ${redirects} redirects`);
        current = redirected(current, response);
      }
    } catch (error) {
      throw signal.aborted ? failure(`no complete response within ${timeoutMs} ms`, error) : error;
    }
  };
}

/** The request for the place that `response` names, by the rules that browsers follow. */
function redirected(request: OutboundRequest, { status, headers }: OutboundResponse): OutboundRequest {
  const url = URL.parse(headers.get("location") ?? "", request.url.href);
  if (url === null) throw failure("redirected to what is no URL");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw failure(`redirected to a URL with the unsupported scheme ${JSON.stringify(shown(url.protocol))}`);
  const kept = url.origin === request.url.origin ? request.headers : withoutSensitive(request.headers);
  const keepsMethod = status === 307 || status === 308 || request.method === "GET" || request.method === "HEAD";
  if (keepsMethod) return { ...request, url, headers: kept };
  return { method: "GET", url, headers: withoutBody(kept), body: undefined };
}

function failure(message: string, cause?: unknown): OutboundError {
  return new OutboundError("REQUEST_FAILED", message, { cause });
}
