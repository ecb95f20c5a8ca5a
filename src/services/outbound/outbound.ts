// Calls of functions to the network, for languages without a client of their own and for the providers of all of them.
import type { Clock } from "../../core/clock.ts";
import type { OutboundCalls } from "../capabilities.ts";
import { aiChat } from "./ai-chat.ts";
import { ByteBudget } from "./byte-budget.ts";
import { type ConnectOut, connectNowhere } from "./connect-out.ts";
import { emailSend } from "./email-send.ts";
import { httpRequest } from "./http-request.ts";
import { OUTBOUND_LIMITS, type OutboundLimits } from "./limits.ts";
import type { OnRecord } from "./record.ts";
import { createSecure } from "./secure.ts";
import { createSend } from "./send.ts";

export interface OutboundDeps {
  /** Undefined: the server lets nobody out. */
  readonly connect: ConnectOut | undefined;
  /** Certificate authorities that are trusted, PEM; undefined: those that come with Node. */
  readonly caFile: string | undefined;
  readonly clock: Clock;
  /** Undefined: nothing is kept. */
  readonly onRecord?: OnRecord | undefined;
  readonly limits?: Partial<OutboundLimits>;
}

/**
 * `http.request`, `ai.chat` and `email.send`: docs/wire-protocol.md, "Calls". Each reaches what the policy of the caller's version allows.
 * They reject with PlatformError INVALID_REQUEST or BODY_TOO_LARGE, or with an error of code EGRESS_REFUSED or REQUEST_FAILED.
 */
export function createOutbound(deps: OutboundDeps): OutboundCalls {
  const limits = { ...OUTBOUND_LIMITS, ...deps.limits };
  const send = createSend({
    connect: deps.connect ?? connectNowhere,
    secure: createSecure(deps.caFile),
    limits,
    budget: new ByteBudget(limits.allResponsesBytes),
  });
  const { clock, onRecord = () => {} } = deps;
  const provided = { send, clock, onRecord, responseBytes: limits.providerBytes };
  return {
    "http.request": (caller, given) => httpRequest(caller, given, send, limits),
    "ai.chat": (caller, given) => aiChat(caller, given, { ...provided, timeoutMs: limits.longestMs }), // models take their time
    "email.send": (caller, given) => emailSend(caller, given, { ...provided, timeoutMs: limits.timeoutMs }),
  };
}
