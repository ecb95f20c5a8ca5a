// Runs a version for a caller of the management API, and tells how it went.
import type { ServerResponse } from "node:http";
import type { z } from "zod";
import { parseKeepingDigits } from "../../core/json-text.ts";
import type { LogLine } from "../../core/log-line.ts";
import { explain, statusOf } from "../../services/explain.ts";
import type { Invocation, InvocationResult, Invoke } from "../../services/invoke.ts";
import type { resultOut } from "./schemas.ts";
import { logShape, roundMs } from "./shapes.ts";

const SHOWN_LINES = 1000; // the rest is at the execution's logs

export type Result = z.infer<typeof resultOut>;

/** @param response the caller's: the run is cancelled when it closes before its end. Rejects with PlatformError where nothing was run. */
export async function runFor(response: ServerResponse, invoke: Invoke, invocation: Invocation): Promise<Result> {
  const lines: LogLine[] = [];
  let logsTruncated = false;
  const run = invoke({
    ...invocation,
    onLine(line) {
      if (lines.length < SHOWN_LINES) lines.push(line);
      else logsTruncated = true;
    },
  });
  const cancel = (): void => run.cancel();
  response.on("close", cancel);
  try {
    return { ...resultShape(await run.result, invocation), logs: lines.map(logShape), logsTruncated };
  } finally {
    response.off("close", cancel);
  }
}

function resultShape(
  { executionId, outcome, coldStart, waitMs, runMs }: InvocationResult,
  { version }: Invocation,
): Omit<Result, "logs" | "logsTruncated"> {
  const shared = {
    ...{ executionId, coldStart, waitMs: roundMs(waitMs), runMs: roundMs(runMs) },
    status: statusOf(outcome),
    version: version.function?.number ?? 0,
  };
  if (outcome.kind === "responded") return shared;
  if (outcome.kind === "ok") {
    return { ...shared, result: outcome.json === undefined ? undefined : parseKeepingDigits(outcome.json) };
  }
  if (outcome.kind !== "failed") return { ...shared, error: { message: explain(outcome) } };
  const { name, message, stack, line, tip } = outcome;
  return { ...shared, error: { name, message, stack, line, tip } };
}
