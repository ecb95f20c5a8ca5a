import type { Execution } from "../core/execution.ts";

/** A function that no test creates: executions need not wait for one. */
export const RESIZE_ID = "018bcfe5-6800-7000-9000-000000000001";

/** A plain execution, the `n`th of its test: its id grows with `n`. */
export function anExecution(n: number, changes: Partial<Execution>): Execution {
  return {
    id: `018bcfe5-6800-7000-8000-${String(n).padStart(12, "0")}`,
    trigger: "script",
    functionId: RESIZE_ID,
    functionName: "resize",
    version: 1_700_000_000,
    language: "javascript",
    status: "success",
    error: undefined,
    errorLine: undefined,
    errorTip: undefined,
    queuedAtMs: 1_700_000_000_000 + n,
    waitMs: 0.25,
    runMs: 1.5,
    cpuMs: 0.75,
    peakMemoryBytes: 40 * 1024 * 1024,
    coldStart: false,
    event: undefined,
    response: undefined,
    httpStatus: undefined,
    logs: [],
    logsTruncated: false,
    ...changes,
  };
}
