// `Prefer: respond-async` (RFC 7240): the caller wants the work to be taken, not done, before the answer.
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendJson } from "./answer.ts";

export const RESPOND_ASYNC = "respond-async";

export function prefersAsync({ headers: { prefer } }: Pick<IncomingMessage, "headers">): boolean {
  if (prefer === undefined) return false;
  const preferences = Array.isArray(prefer) ? prefer.join(",") : prefer;
  return preferences.split(",").some((each) => each.split(";", 1)[0]?.trim().toLowerCase() === RESPOND_ASYNC);
}

/** As the caller sent it. */
export function idempotencyKeyOf({ headers }: Pick<IncomingMessage, "headers">): string | undefined {
  const given = headers["idempotency-key"];
  return Array.isArray(given) ? given.join(", ") : given;
}

export interface Accepted {
  readonly jobId: string;
  readonly status: "queued";
  /** Where to ask for it. */
  readonly url: string;
}

export function acceptedJob(jobId: string): Accepted {
  return { jobId, status: "queued", url: `/api/jobs/${encodeURIComponent(jobId)}` };
}

/** 202: it is durable, and will be run. */
export function answerAccepted(response: ServerResponse, jobId: string): void {
  const accepted = acceptedJob(jobId);
  response.setHeader("Location", accepted.url).setHeader("Preference-Applied", RESPOND_ASYNC);
  sendJson(response, 202, JSON.stringify(accepted));
}
