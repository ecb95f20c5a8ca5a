// Runs the function that a job is for, and says what becomes of the job.
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import type { RetrySettings } from "../core/function.ts";
import { parseKeepingDigits } from "../core/json-text.ts";
import { maskOf } from "../core/masking.ts";
import type { Exchange } from "../core/exchange.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Version } from "../core/program.ts";
import type { Claim, JobEnd } from "../queue/queue.ts";
import { backoffMs, retryAfterMs } from "./backoff.ts";
import type { Callbacks } from "./callbacks.ts";
import type { Catalog, StoredFunction } from "./catalog.ts";
import { explain } from "./explain.ts";
import type { Invoke } from "./invoke.ts";
import type { InvocationPayload, JobInput, JobResult, KeptRequest, KeptResponse } from "./job-payload.ts";
import type { JobHandler, Verdict } from "./job-runner.ts";
import type { Schedules } from "./schedules.ts";

const KEPT_EVENT_CHARS = 16 * 1024; // as the doors keep it
const KEPT_RESULT_BYTES = 256 * 1024;
const SATURATED_RETRY_MS = 1_000; // callers who wait come first
const NO_SANDBOX_RETRY_MS = 5_000;
const TOO_MANY_REQUESTS = 429;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;

/** A request that is run without its sender; its response is kept. */
export interface KeptExchange extends Exchange {
  /** What is kept of the request: JSON text, with its secrets masked. */
  event(): string;
  readonly status: number | undefined;
  /**
   * The response, when the run is over.
   *
   * @param returned JSON text, where the code returned a value instead of answering itself
   * @returns a text says why it is none
   */
  answer(returned: string | undefined): KeptResponse | string;
}

export interface RunJobDeps {
  readonly catalog: Catalog;
  readonly invoke: Invoke;
  readonly schedules: Schedules;
  readonly callbacks: Callbacks;
  readonly openExchange: (request: KeptRequest) => KeptExchange;
  readonly clock: Clock;
  readonly random?: () => number;
}

/** How an attempt ended: undefined failure is success. */
interface Attempt {
  readonly result?: JobResult;
  readonly failure?: string;
  /** Asked for by the function. */
  readonly retryAfterMs?: number | undefined;
  /** True where another attempt would fail in the same way. */
  readonly isFinal?: boolean;
}

export function createRunJob(deps: RunJobDeps): JobHandler {
  const { catalog, clock, random = Math.random } = deps;

  return async function runJob(claim, signal) {
    const { job, exhausted } = claim;
    const payload = JSON.parse(job.payload) as InvocationPayload;
    const end = (jobEnd: JobEnd): Verdict => {
      const { callbackUrl } = payload;
      const followUp = callbackUrl === undefined ? undefined : deps.callbacks.jobFor(job, jobEnd, callbackUrl);
      return { kind: "end", end: jobEnd, followUp };
    };
    if (exhausted) return end({ status: "dead", error: job.error ?? "lost" });
    let { input } = payload;
    if (payload.fire !== undefined) {
      const admitted = await deps.schedules.admit(claim, payload.fire);
      if ("kind" in admitted) return admitted;
      input = { kind: "value", json: admitted.input };
    }
    const stored = catalog.function(job.functionId ?? "") ?? (await catalog.refresh(job.functionId ?? ""));
    if (stored === undefined) return end({ status: "dead", error: "the function is gone" });

    let attempt: Attempt;
    try {
      const version = await catalog.pinned(stored, payload.pin);
      if (signal.aborted) return stopped(signal, end, clock);
      const outcome = await run({ claim, stored, version, input, payload, signal, deps });
      if (outcome === "cancelled") return stopped(signal, end, clock);
      attempt = outcome;
    } catch (fault) {
      if (!(fault instanceof PlatformError)) throw fault;
      const waitMs = waitFor(fault);
      if (waitMs !== undefined) return { kind: "release", atMs: clock.now() + waitMs };
      attempt = { failure: fault.message, isFinal: true };
    }
    const { failure, result } = attempt;
    const text = result === undefined ? undefined : resultText(result);
    if (failure === undefined) return end({ status: "completed", result: text });
    if (attempt.isFinal === true || job.attemptsMade >= job.attempts) {
      return end({ status: "dead", result: text, error: failure });
    }
    const waitMs = attempt.retryAfterMs ?? backoffMs(job.attemptsMade, retryOf(stored), random());
    return { kind: "retry", atMs: clock.now() + waitMs, error: failure };
  };
}

async function run(given: {
  readonly claim: Claim;
  readonly stored: StoredFunction;
  readonly version: Version;
  readonly input: JobInput;
  readonly payload: InvocationPayload;
  readonly signal: AbortSignal;
  readonly deps: RunJobDeps;
}): Promise<Attempt | "cancelled"> {
  const { claim, stored, version, input, payload, signal, deps } = given;
  const { settings } = stored;
  const request = requestOf(input, version);
  const exchange = request === undefined ? undefined : deps.openExchange(request);
  let kept: string | undefined;
  const handle = deps.invoke({
    version,
    trigger: claim.job.kind === "cron" ? "cron" : "async",
    executionId: claim.job.history.at(-1)?.executionId,
    input: exchange === undefined ? { kind: "value", json: valueOf(input) } : { kind: "request", exchange },
    timeoutMs: Math.min(payload.timeoutMs ?? Infinity, settings.timeoutMs ?? Infinity),
    event: () => (input.kind === "request" ? exchange?.event() : shortText(input.json)),
    httpStatus: () => (input.kind === "request" ? exchange?.status : undefined),
    ...(settings.saveResponses ? { response: () => kept } : {}),
  });
  const cancel = (): void => handle.cancel();
  signal.addEventListener("abort", cancel);
  try {
    if (signal.aborted) cancel();
    const { outcome } = await handle.result;
    if (outcome.kind === "cancelled") return "cancelled";
    const attempt = attemptOf(outcome, { exchange, version, isValue: input.kind === "value", nowMs: deps.clock.now() });
    const { value, response } = attempt.result ?? {};
    kept = shortText(JSON.stringify(response ?? value));
    return attempt;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** A program that answers requests says how it went by its status, which it could not tell of a value alone. */
function requestOf(input: JobInput, { style, function: owner }: Version): KeptRequest | undefined {
  if (input.kind === "request") return input.request;
  if (style !== "web" && style !== "asgi" && style !== "wsgi") return undefined;
  const body = Buffer.from(input.json);
  return {
    ...{ requestId: "", remoteAddress: undefined, method: "POST", path: `/fn/${owner?.name ?? ""}`, relativePath: "/" },
    ...{ query: "", body: body.toString("base64") },
    headers: [
      ["host", "localhost"],
      ["content-type", "application/json"],
      ["content-length", String(body.length)],
    ],
  };
}

function attemptOf(
  outcome: Exclude<Outcome, { readonly kind: "cancelled" }>,
  given: {
    readonly exchange: KeptExchange | undefined;
    readonly version: Version;
    /** True where the caller sent a value, and wants one. */
    readonly isValue: boolean;
    readonly nowMs: number;
  },
): Attempt {
  const { exchange, version, isValue, nowMs } = given;
  const { secrets } = version;
  if (outcome.kind !== "ok" && outcome.kind !== "responded") {
    const text = explain(outcome);
    return { failure: maskOf(secrets)?.(text) ?? text };
  }
  if (exchange === undefined) {
    if (outcome.kind === "ok") {
      return outcome.json === undefined ? {} : { result: { value: parseKeepingDigits(outcome.json) } };
    }
    return isFailure(outcome.status) ? { failure: answered(outcome.status) } : {};
  }
  const response = exchange.answer(outcome.kind === "ok" ? outcome.json : undefined);
  if (typeof response === "string") return { failure: response };
  const { statusCode, headers } = response;
  if (!isFailure(statusCode)) return { result: isValue ? { value: bodyValue(response) } : { response } };
  const retryAfter = headers.find(([name]) => name.toLowerCase() === "retry-after")?.[1];
  return { result: { response }, failure: answered(statusCode), retryAfterMs: retryAfterMs(retryAfter, nowMs) };
}

/** What a body stands for: JSON where it says so, else text; nothing where there is none. */
function bodyValue({ headers, body }: KeptResponse): unknown {
  if (body === "") return undefined;
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (!JSON_TYPE.test(type)) return body;
  try {
    return parseKeepingDigits(body);
  } catch {
    return body;
  }
}

function isFailure(status: number): boolean {
  return status >= 500 || status === TOO_MANY_REQUESTS;
}

function answered(status: number): string {
  return `the function answered ${status}`;
}

/** Nobody wants its result: it was cancelled, or is somebody else's, or waits for the next server. */
function stopped(signal: AbortSignal, end: (jobEnd: JobEnd) => Verdict, clock: Clock): Verdict {
  if (signal.reason === "stopping" || signal.reason === "lost") return { kind: "release", atMs: clock.now() };
  return end({ status: "cancelled", error: "cancelled while it ran" });
}

/** Milliseconds after which what was never run may be; undefined where it never may. */
function waitFor({ code }: PlatformError): number | undefined {
  if (code === "DRAINING") return 0;
  if (code === "POOL_SATURATED") return SATURATED_RETRY_MS;
  return code === "SANDBOX_START_FAILED" || code === "STORE_UNAVAILABLE" ? NO_SANDBOX_RETRY_MS : undefined;
}

function resultText(result: JobResult): string {
  const text = JSON.stringify(result);
  return Buffer.byteLength(text) <= KEPT_RESULT_BYTES ? text : JSON.stringify({ isDropped: true } satisfies JobResult);
}

function retryOf({ settings }: StoredFunction): RetrySettings {
  return settings.retry;
}

function valueOf(input: JobInput): string {
  return input.kind === "value" ? input.json : "{}";
}

function shortText(text: string | undefined): string | undefined {
  return text === undefined || text === "{}" || text.length > KEPT_EVENT_CHARS ? undefined : text;
}
