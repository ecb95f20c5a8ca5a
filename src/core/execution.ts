import type { LogLine } from "./log-line.ts";

/** What asked for a run. */
export type Trigger = "script" | "run-now";

export type ExecutionStatus = "success" | "error" | "timeout" | "oom" | "killed" | "cancelled";

/** The record of one invocation. */
export interface Execution {
  /** UUIDv7. */
  readonly id: string;
  readonly trigger: Trigger;
  /** Undefined for ad-hoc code. */
  readonly functionName: string | undefined;
  readonly version: number | undefined;
  readonly language: string;
  readonly status: ExecutionStatus;
  /** What went wrong, as the caller was told; undefined on success. */
  readonly error: string | undefined;
  /** Unix time in milliseconds at which the platform accepted the invocation. */
  readonly queuedAtMs: number;
  /** Milliseconds spent waiting for a worker, a boot included. */
  readonly waitMs: number;
  /** Milliseconds the code ran. */
  readonly runMs: number;
  /** True when no warm worker of the version could take it. */
  readonly coldStart: boolean;
  readonly logs: readonly LogLine[];
  /** True when more was printed than is kept. */
  readonly logsTruncated: boolean;
}
