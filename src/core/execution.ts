import type { LogLine } from "./log-line.ts";

/** What asked for a run. */
export const TRIGGERS = ["http", "script", "invoke", "run-now", "async", "cron", "mcp"] as const;
export type Trigger = (typeof TRIGGERS)[number];

export const STATUSES = ["running", "success", "error", "timeout", "oom", "killed", "cancelled"] as const;
export type ExecutionStatus = (typeof STATUSES)[number];

/** The record of one invocation. */
export interface Execution {
  /** UUIDv7. */
  readonly id: string;
  readonly trigger: Trigger;
  /** Undefined for ad-hoc code. */
  readonly functionId: string | undefined;
  /** As it was called then; undefined for ad-hoc code. */
  readonly functionName: string | undefined;
  readonly version: number | undefined;
  readonly language: string;
  readonly status: ExecutionStatus;
  /** What went wrong, as the caller was told; undefined on success. */
  readonly error: string | undefined;
  /** Where in the source it went wrong, counted from 1, and what usually helps; undefined where nobody knows. */
  readonly errorLine: number | undefined;
  readonly errorTip: string | undefined;
  /** Unix time in milliseconds at which the platform accepted the invocation. */
  readonly queuedAtMs: number;
  /** Milliseconds spent waiting for a worker, a boot included. */
  readonly waitMs: number;
  /** Milliseconds the code ran. */
  readonly runMs: number;
  /** Milliseconds of CPU that its worker says it used for it; undefined where the worker did not live to tell. */
  readonly cpuMs: number | undefined;
  /** The most memory that its worker had held by then; undefined where nobody knows. */
  readonly peakMemoryBytes: number | undefined;
  /** True when no warm worker of the version could take it. */
  readonly coldStart: boolean;
  /** What it was called with, as JSON text with secrets masked; undefined where it is not kept. */
  readonly event: string | undefined;
  /** What it answered, as JSON text with secrets masked; undefined where it is not kept. */
  readonly response: string | undefined;
  /** The status of its HTTP answer; undefined where it was not called through `/fn/`. */
  readonly httpStatus: number | undefined;
  readonly logs: readonly LogLine[];
  /** True when more was printed than is kept. */
  readonly logsTruncated: boolean;
}

/** An execution in a list: without what makes it long. */
export type ExecutionSummary = Omit<Execution, "event" | "response" | "logs">;
