import type { ExecutionStatus } from "../core/execution.ts";
import type { Outcome } from "../core/outcome.ts";

export type Failure = Exclude<Outcome, { readonly kind: "ok" | "responded" }>;

const MIB = 1024 * 1024;

/** What a caller is told about a run that failed: what happened, the limit, and the setting that changes it. */
export function explain(outcome: Failure): string {
  switch (outcome.kind) {
    case "failed":
      return outcome.stack === "" ? outcome.message : `${outcome.message}\n${outcome.stack}`;
    case "exited":
      return `exit status ${outcome.exitCode}`;
    case "timed-out":
      return `execution timeout (max ${outcome.limitMs / 1000}s), setting TIMEOUT_SCRIPT`;
    case "out-of-memory":
      return `memory limit exceeded (max ${outcome.limitBytes / MIB}M), setting MAX_MEMORY`;
    case "output-limit":
      return `output limit exceeded (max ${outcome.limitBytes} bytes printed or returned), setting OUTPUT_MAX_SIZE`;
    case "crashed":
      return `the process ended unexpectedly: ${outcome.detail}`;
    case "cancelled":
      return "cancelled: the client went away";
  }
}

const STATUSES: { readonly [Kind in Outcome["kind"]]: ExecutionStatus } = {
  ok: "success",
  responded: "success",
  failed: "error",
  exited: "error",
  "timed-out": "timeout",
  "out-of-memory": "oom",
  "output-limit": "killed",
  crashed: "error",
  cancelled: "cancelled",
};

export function statusOf(outcome: Outcome): ExecutionStatus {
  // A function that says it is broken is; one that refuses a request is not.
  if (outcome.kind === "responded" && outcome.status >= 500) return "error";
  return STATUSES[outcome.kind];
}
