// Telling others that a job is over: signed as Standard Webhooks has it, sent through the egress gate as a job of its own.
import { createHmac } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { canonicalHost, type EgressPolicy, whyHostDenied } from "../core/egress-policy.ts";
import { messageOf, PlatformError } from "../core/errors.ts";
import { parseKeepingDigits } from "../core/json-text.ts";
import type { Job, JobEnd, NewJob } from "../queue/queue.ts";
import { backoffMs, retryAfterMs } from "./backoff.ts";
import type { CallbackPayload, JobResult } from "./job-payload.ts";
import type { JobHandler, Verdict } from "./job-runner.ts";
import type { Caller } from "./capabilities.ts";
import { ByteBudget } from "./outbound/byte-budget.ts";
import { type ConnectOut, connectNowhere } from "./outbound/connect-out.ts";
import { OUTBOUND_LIMITS } from "./outbound/limits.ts";
import { requestHeaders } from "./outbound/request-headers.ts";
import { createSecure } from "./outbound/secure.ts";
import { createSend, type Send } from "./outbound/send.ts";

const MAX_URL_CHARS = 2_000;
/** Eight attempts within some five hours; a receiver that is down for longer asks for the job itself. */
const RETRY = { attempts: 8, backoffMs: 5_000, maxBackoffMs: 3_600_000 };
const TIMEOUT_MS = 15_000;
const ANSWER_BYTES = 64 * 1024; // nobody reads it
const GONE = 410;

export interface CallbacksDeps {
  /** Undefined: the server lets nobody out. */
  readonly connect: ConnectOut | undefined;
  readonly caFile: string | undefined;
  /** Where the server lets anybody connect to: a callback is its caller's wish, not the function's. */
  readonly egress: EgressPolicy;
  /** What all signing keys are derived of. */
  readonly secret: Buffer;
  readonly clock: Clock;
  readonly random?: () => number;
}

export class Callbacks {
  readonly #deps: CallbacksDeps;
  readonly #send: Send;
  readonly #caller: Caller;
  /** Does the work of jobs of kind `callback`. */
  readonly handle: JobHandler;

  constructor(deps: CallbacksDeps) {
    this.#deps = deps;
    this.#send = createSend({
      connect: deps.connect ?? connectNowhere,
      secure: createSecure(deps.caFile),
      limits: OUTBOUND_LIMITS,
      budget: new ByteBudget(OUTBOUND_LIMITS.allResponsesBytes),
    });
    const program = { language: "", base: "", code: "", options: {}, alwaysReturns: true };
    this.#caller = {
      executionId: "",
      version: {
        ...{ id: "callbacks", function: undefined, program, egress: deps.egress },
        ...{ concurrency: 1, singleUse: false, env: {}, secrets: [] },
      },
    };
    this.handle = ({ job, exhausted }, signal) => this.#deliver(job, exhausted, signal);
  }

  /** @throws PlatformError INVALID_REQUEST where nothing could be sent there */
  checkUrl(text: string): void {
    const url = text.length <= MAX_URL_CHARS ? URL.parse(text) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new PlatformError(
        "INVALID_REQUEST",
        `callbackUrl: an http or https URL of at most ${MAX_URL_CHARS} characters`,
      );
    }
    const host = canonicalHost(url.hostname);
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    const denied = host === undefined ? "no host" : whyHostDenied(this.#deps.egress, host, port);
    if (denied !== undefined) throw new PlatformError("INVALID_REQUEST", `callbackUrl: ${denied} (setting EGRESS)`);
  }

  /** What callbacks of a function are signed with, as receivers take it: `whsec_…`. */
  secretOf(functionId: string): string {
    return `whsec_${createHmac("sha256", this.#deps.secret).update(`webhook:${functionId}`).digest("base64")}`;
  }

  /** The job that tells of the end of another. */
  jobFor(job: Pick<Job, "id" | "functionId" | "attemptsMade" | "history">, end: JobEnd, url: string): NewJob {
    const result = parseKeepingDigits(end.result ?? "{}") as JobResult;
    const body = JSON.stringify({
      type: `job.${end.status}`,
      timestamp: new Date(this.#deps.clock.now()).toISOString(),
      data: {
        ...{ jobId: job.id, functionId: job.functionId, status: end.status, attempts: job.attemptsMade },
        ...{ result: result.value, response: result.response, resultDropped: result.isDropped, error: end.error },
      },
    });
    return {
      id: `callback.${job.id.replaceAll(":", ".")}.${job.history.length}`,
      ...{ kind: "callback", functionId: job.functionId, limitedBy: undefined, priority: 0, attempts: RETRY.attempts },
      payload: JSON.stringify({ url, body } satisfies CallbackPayload),
      runAtMs: this.#deps.clock.now(),
    };
  }

  async #deliver(job: Job, exhausted: boolean, signal: AbortSignal): Promise<Verdict> {
    const { clock, random = Math.random } = this.#deps;
    const failed = (error: string, waitMs?: number): Verdict => {
      if (signal.reason === "cancelled") return { kind: "end", end: { status: "cancelled" } };
      if (exhausted || job.attemptsMade >= job.attempts) return { kind: "end", end: { status: "dead", error } };
      return { kind: "retry", error, atMs: clock.now() + (waitMs ?? backoffMs(job.attemptsMade, RETRY, random())) };
    };
    if (exhausted) return failed(job.error ?? "lost");
    const { url, body } = JSON.parse(job.payload) as CallbackPayload;
    try {
      const headers = requestHeaders({ "content-type": "application/json", ...(await this.#signature(job, body)) });
      const request = { method: "POST", url: new URL(url), headers, body: Buffer.from(body) };
      const options = { timeoutMs: TIMEOUT_MS, redirects: 0, responseBytes: ANSWER_BYTES };
      const { status, headers: answered } = await this.#send(this.#caller, request, options);
      if (status >= 200 && status < 300) return { kind: "end", end: { status: "completed" } };
      const error = `the receiver answered ${status}`;
      if (status === GONE) return { kind: "end", end: { status: "dead", error } };
      return failed(error, retryAfterMs(answered.get("retry-after"), clock.now()));
    } catch (error) {
      const isRefused = (error as { readonly code?: unknown }).code === "EGRESS_REFUSED";
      if (isRefused) return { kind: "end", end: { status: "dead", error: messageOf(error) } };
      return failed(messageOf(error));
    }
  }

  /** The time is that of the attempt: receivers refuse old ones. */
  async #signature({ id, functionId = "" }: Job, body: string): Promise<Record<string, string>> {
    const { Webhook } = await import("standardwebhooks"); // a server without callbacks does without it
    const now = new Date(this.#deps.clock.now());
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": new Webhook(this.secretOf(functionId)).sign(id, now, body),
    };
  }
}
