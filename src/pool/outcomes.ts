// From what a worker sends, or how it dies, to how its run ended.
import { constants } from "node:os";
import { isJson } from "../core/json-text.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Ending } from "../sandbox/sandbox.ts";
import { ProtocolError } from "./protocol.ts";

/** Why a worker is being ended. The first reason stands: a timeout that kills must not be reported as the crash it causes. */
export type EndReason =
  | { readonly kind: "timed-out"; readonly limitMs: number }
  | { readonly kind: "output-limit"; readonly limitBytes: number }
  | { readonly kind: "cancelled" }
  | { readonly kind: "broke-protocol"; readonly detail: string }
  /** Its control channel ended: normally because its process did. */
  | { readonly kind: "hung-up" }
  /** Not a run's fault: evicted, not quiet, unhealthy, or the server stops. */
  | { readonly kind: "retired"; readonly why: string };

/** What is known about a worker when nothing of it is left. */
export interface Death {
  readonly reason: EndReason | undefined;
  /** It closed its control channel and lived on, until it was killed for that. */
  readonly closedChannel: boolean;
  /** With which the code said that it would end its process. */
  readonly exitCode: number | undefined;
  /** The last that it wrote to stderr. */
  readonly stderrTail: string;
  readonly memoryLimitBytes: number;
}

const FIRST_SIGNAL_CODE = 128; // a shell's convention: 128 + signal number
/** V8's last words when its heap reaches the limit; the kernel has not killed anything then. */
const HEAP_FULL = /heap out of memory|Array buffer allocation failed/;

/**
 * The outcome in a `result` frame. An empty body: nothing was returned.
 *
 * @throws ProtocolError
 */
export function valueOutcome(body: Buffer, limitBytes: number): Outcome {
  if (body.length > limitBytes) return { kind: "output-limit", limitBytes };
  if (body.length === 0) return { kind: "ok", json: undefined };
  const json = body.toString("utf8");
  if (!isJson(json)) throw new ProtocolError("a result that is not JSON");
  return { kind: "ok", json };
}

/**
 * The outcome in an `error` frame.
 *
 * @throws ProtocolError
 */
export function failureOutcome(body: Buffer): Outcome {
  let error: unknown;
  try {
    error = JSON.parse(body.toString("utf8"));
  } catch {
    throw new ProtocolError("an error that is not JSON");
  }
  if (typeof error !== "object" || error === null) throw new ProtocolError("an error that is not an object");
  const { name, message, stack, line, file, tip } = error as { readonly [key: string]: unknown };
  if (typeof name !== "string" || typeof message !== "string" || typeof stack !== "string") {
    throw new ProtocolError("an error without name, message and stack");
  }
  return {
    kind: "failed",
    name,
    message,
    stack,
    ...(typeof line === "number" && Number.isSafeInteger(line) && line > 0 && file === undefined ? { line } : {}),
    ...(typeof tip === "string" ? { tip } : {}),
  };
}

/** How the run ended that was in progress when the worker died. The first cause wins. */
export function deathOutcome(ending: Ending, death: Death): Outcome {
  const { reason, exitCode } = death;
  if (reason?.kind === "timed-out" || reason?.kind === "output-limit" || reason?.kind === "cancelled") return reason;
  if (reason?.kind === "broke-protocol") return { kind: "crashed", detail: reason.detail };
  if (death.closedChannel) return { kind: "crashed", detail: "it closed its control channel" };
  if (exitCode !== undefined) return exitOutcome(exitCode);
  if (ending.outOfMemory || HEAP_FULL.test(death.stderrTail)) {
    return { kind: "out-of-memory", limitBytes: death.memoryLimitBytes };
  }
  if (ending.exitCode !== null && ending.exitCode < FIRST_SIGNAL_CODE) return exitOutcome(ending.exitCode);
  return { kind: "crashed", detail: describeEnding(ending) };
}

/** `signal SIGSEGV`, `exit status 3`. */
export function describeEnding({ exitCode, signal }: Ending): string {
  if (signal !== null) return `signal ${signal}`;
  if (exitCode === null) return "no exit code";
  if (exitCode < FIRST_SIGNAL_CODE) return `exit status ${exitCode}`;
  const number = exitCode - FIRST_SIGNAL_CODE;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return `signal ${name ?? number}`;
}

/** The code ended its process itself. */
export function exitOutcome(exitCode: number): Outcome {
  return exitCode === 0 ? { kind: "ok", json: undefined } : { kind: "exited", exitCode };
}
