import type { ServerResponse } from "node:http";
import type { PlatformError } from "../../../core/errors.ts";
import type { Outcome } from "../../../core/outcome.ts";
import { sendJson } from "../../answer.ts";
import { explain } from "../../../services/explain.ts";

/** The platform's own refusals: no code of the function has run, or none of its answer can be sent. */
export function answerFault(response: ServerResponse, error: PlatformError): void {
  if (!response.headersSent) response.setHeader("X-Error-Source", "platform");
  const message = error.code === "FUNCTION_NOT_FOUND" ? "Function not found" : error.message;
  sendJson(response, error.status, JSON.stringify({ error: message, code: error.code }));
}

type Failed = Exclude<Outcome, { readonly kind: "ok" | "responded" }>;

const FAILURES: { readonly [Kind in Failed["kind"]]: readonly [status: number, code: string, error: string] } = {
  failed: [500, "RUN_FAILED", "Function execution failed"],
  exited: [500, "RUN_EXITED", "Function execution failed"],
  crashed: [500, "RUN_CRASHED", "Function execution failed"],
  "timed-out": [504, "RUN_TIMED_OUT", "Function timed out"],
  "out-of-memory": [502, "RUN_OUT_OF_MEMORY", "Function exceeded its memory limit"],
  "output-limit": [502, "RUN_OUTPUT_LIMIT", "Function exceeded its output limit"],
  cancelled: [499, "RUN_CANCELLED", "Function was cancelled"],
};

/** @param withDetails only for callers who could also read the execution's record */
export function answerFailure(response: ServerResponse, outcome: Failed, withDetails: boolean): void {
  const [status, code, error] = FAILURES[outcome.kind];
  const details = withDetails ? { details: explain(outcome) } : {};
  sendJson(response, status, JSON.stringify({ error, code, ...details }));
}
