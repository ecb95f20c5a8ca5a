// The one path of every invocation, whatever triggered it.
import type { Clock } from "../core/clock.ts";
import type { Execution, ExecutionStatus, Trigger } from "../core/execution.ts";
import { messageOf } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import type { LogLine } from "../core/log-line.ts";
import { type Mask, maskOf } from "../core/masking.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Version } from "../core/program.ts";
import type { Pool, RunInput } from "../pool/pool.ts";
import type { Capabilities } from "./capabilities.ts";
import { explain, statusOf } from "./explain.ts";
import type { History } from "./history.ts";
import type { LiveExecutions } from "./live.ts";
import { Output } from "./output.ts";

export interface Invocation {
  readonly version: Version;
  readonly input: RunInput;
  readonly trigger: Trigger;
  /** Undefined: a new one. */
  readonly executionId?: string | undefined;
  /** Undefined: the server's limit. */
  readonly timeoutMs?: number | undefined;
  /** Called for every printed line as soon as it is complete. */
  readonly onLine?: (line: LogLine) => void;
  /** What is kept of the call, asked for when it is over: JSON text, not masked yet. */
  readonly event?: () => string | undefined;
  /** What is kept of the answer, in the same way. */
  readonly response?: (() => string | undefined) | undefined;
  /** The status of the HTTP answer, where there is one. */
  readonly httpStatus?: () => number | undefined;
}

export interface InvocationResult {
  readonly executionId: string;
  readonly outcome: Outcome;
  /** All that the code printed to stdout. */
  readonly printed: string;
  /** All that it printed to stderr. */
  readonly stderr: string;
  readonly coldStart: boolean;
  readonly waitMs: number;
  readonly runMs: number;
}

export interface InvocationHandle {
  readonly executionId: string;
  /** Rejects with PlatformError where the code was never run. */
  readonly result: Promise<InvocationResult>;
  /** The caller went away, or somebody wants it ended: ends the run. */
  cancel(): void;
}

export type Invoke = (invocation: Invocation) => InvocationHandle;

export interface InvokeDeps {
  readonly pool: Pool;
  readonly history: History;
  readonly live: LiveExecutions;
  readonly capabilities: Capabilities;
  readonly clock: Clock;
  /** The longest that a run may take. */
  readonly timeoutMs: number;
}

export function createInvoke(deps: InvokeDeps): Invoke {
  return function invoke(invocation) {
    const { version, trigger } = invocation;
    const executionId = invocation.executionId ?? newId();
    const queuedAtMs = deps.clock.now();
    const mask = maskOf(version.secrets);
    const output = new Output(mask, deps.clock, (line) => {
      invocation.onLine?.(line);
      if (entry.followers !== undefined) for (const follower of entry.followers) follower.onLine(line);
    });
    const entry = deps.live.add({
      id: executionId,
      queuedAtMs,
      cancel: () => run.cancel(),
      print: (chunk) => output.push(chunk),
      describe: () => record("running", {}, { ...NOT_RUN, runMs: deps.clock.now() - queuedAtMs }),
    });
    const run = deps.pool.run({
      version,
      executionId,
      input: invocation.input,
      timeoutMs: Math.min(invocation.timeoutMs ?? deps.timeoutMs, deps.timeoutMs),
      onLog: (chunk) => output.push(chunk),
      onCall: (name, json) => deps.capabilities.call({ version, executionId }, name, json),
    });

    function record(status: ExecutionStatus, failure: FailureNote, usage: RunUsage): Execution {
      return {
        id: executionId,
        trigger,
        functionId: version.function?.id,
        functionName: version.function?.name,
        version: version.function?.number,
        language: version.program.language,
        status,
        error: masked(failure.text, mask),
        errorLine: failure.line,
        errorTip: failure.tip,
        queuedAtMs,
        // One by one: `...usage` costs more than the rest of this.
        coldStart: usage.coldStart,
        waitMs: usage.waitMs,
        runMs: usage.runMs,
        cpuMs: usage.cpuMs,
        peakMemoryBytes: usage.peakMemoryBytes,
        event: masked(invocation.event?.(), mask),
        response: masked(invocation.response?.(), mask),
        httpStatus: invocation.httpStatus?.(),
        logs: output.lines,
        logsTruncated: output.truncated,
      };
    }

    async function finish(): Promise<InvocationResult> {
      try {
        const report = await run.report;
        const { outcome, coldStart, waitMs, runMs } = report;
        output.end();
        deps.history.record(() => record(statusOf(outcome), noteOf(outcome), report));
        deps.live.remove(entry);
        return { executionId, outcome, printed: output.printed, stderr: output.stderr, coldStart, waitMs, runMs };
      } catch (refusal) {
        // The code was never run; who waited for long is in the store all the same.
        const usage = { ...NOT_RUN, waitMs: deps.clock.now() - queuedAtMs };
        const ended = record("error", { text: messageOf(refusal) }, usage);
        deps.live.remove(entry);
        if (entry.stored) deps.history.record(() => ended);
        throw refusal;
      }
    }

    return { executionId, result: finish(), cancel: () => run.cancel() };
  };
}

type RunUsage = Pick<Execution, "coldStart" | "waitMs" | "runMs" | "cpuMs" | "peakMemoryBytes">;

const NOT_RUN: RunUsage = { coldStart: false, waitMs: 0, runMs: 0, cpuMs: undefined, peakMemoryBytes: undefined };

interface FailureNote {
  readonly text?: string;
  readonly line?: number | undefined;
  readonly tip?: string | undefined;
}

function noteOf(outcome: Outcome): FailureNote {
  if (outcome.kind === "ok" || outcome.kind === "responded") return {};
  if (outcome.kind !== "failed") return { text: explain(outcome) };
  return { text: explain(outcome), line: outcome.line, tip: outcome.tip };
}

function masked(text: string | undefined, mask: Mask | undefined): string | undefined {
  return text === undefined || mask === undefined ? text : mask(text);
}
