// The settings as a form has them: texts and numbers that somebody types, "" where nothing is set.
import type { FunctionWithAll, Operations } from "../../api/schema.ts";

type Change = Operations["changeFunction"]["body"];
export type Whole = number | string; // "" where nothing is typed

export interface Form {
  readonly name: string;
  readonly description: string;
  readonly timeoutMs: Whole;
  readonly callsPerMinute: Whole;
  readonly concurrency: Whole;
  readonly isolation: FunctionWithAll["isolation"];
  readonly egress: "" | "none" | "public" | "all" | "hosts";
  /** One a line, as are the origins. */
  readonly hosts: string;
  readonly access: FunctionWithAll["access"];
  readonly corsOrigins: string;
  readonly saveResponses: boolean;
  readonly retentionDays: Whole;
  readonly retentionCount: Whole;
  readonly attempts: Whole;
  readonly backoffMs: Whole;
  readonly maxBackoffMs: Whole;
  readonly jobConcurrency: Whole;
}

export function formOf(stored: FunctionWithAll): Form {
  const { name, description, concurrency, isolation, access, saveResponses, egress } = stored;
  return {
    ...{ name, description, concurrency, isolation, access, saveResponses, ...stored.retry },
    timeoutMs: stored.timeoutMs ?? "",
    callsPerMinute: stored.callsPerMinute ?? "",
    egress: typeof egress === "object" ? "hosts" : (egress ?? ""),
    hosts: typeof egress === "object" ? egress.join("\n") : "",
    corsOrigins: stored.corsOrigins.join("\n"),
    retentionDays: stored.retentionDays ?? "",
    retentionCount: stored.retentionCount ?? "",
    jobConcurrency: stored.jobConcurrency ?? "",
  };
}

export function changeOf(form: Form): Change {
  const { name, description, isolation, access, saveResponses, egress } = form;
  return {
    ...{ name, description, isolation, access, saveResponses },
    concurrency: Number(form.concurrency),
    timeoutMs: numberOrNull(form.timeoutMs),
    callsPerMinute: numberOrNull(form.callsPerMinute),
    egress: egress === "hosts" ? linesOf(form.hosts) : egress === "" ? null : egress,
    corsOrigins: linesOf(form.corsOrigins),
    retentionDays: numberOrNull(form.retentionDays),
    retentionCount: numberOrNull(form.retentionCount),
    retry: {
      attempts: Number(form.attempts),
      backoffMs: Number(form.backoffMs),
      maxBackoffMs: Number(form.maxBackoffMs),
    },
    jobConcurrency: numberOrNull(form.jobConcurrency),
  };
}

function numberOrNull(value: Whole): number | null {
  return value === "" ? null : Number(value);
}

function linesOf(text: string): string[] {
  return text.split(/\s+/).filter((line) => line !== "");
}
