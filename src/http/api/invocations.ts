import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import { LEAST_PRIORITY, MOST_PRIORITY } from "../../services/jobs.ts";
import { eventRecord, keptHead, responseRecord } from "../doors/functions/record.ts";
import { keepRequest } from "../doors/functions/kept-exchange.ts";
import { acceptedJob, idempotencyKeyOf, prefersAsync, RESPOND_ASYNC } from "../prefer.ts";
import { askedRequest, requestIn } from "./asked-request.ts";
import type { RequestHead } from "../../core/exchange.ts";
import type { Invocation } from "../../services/invoke.ts";
import type { JobInput } from "../../services/job-payload.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { ReplayedRequest } from "./replayed-request.ts";
import { type Result, runFor } from "./run.ts";
import { accepted, attempts, FAULTS, idParams, resultOut, wholeFrom } from "./schemas.ts";

const KEPT_EVENT_CHARS = 16 * 1024; // as the doors keep it
const MAX_DELAY_MS = 366 * 86_400_000;

const versionPin = z.string().min(1).max(64);
/** Only of what is kept for later. */
const jobFields = {
  delayMs: wholeFrom(0, MAX_DELAY_MS).optional().describe("not before that"),
  attempts: attempts.optional().describe("how often it may be begun; as the function has it where absent"),
  priority: wholeFrom(LEAST_PRIORITY, MOST_PRIORITY).optional().describe("higher ones first; 0 where absent"),
  callbackUrl: z.string().max(2_000).optional().describe("told of its end, signed as Standard Webhooks has it"),
} as const;

/** Calls a function with a value, and waits for what it returns, or keeps the call for later. */
export function invocationRoutes(api: Api, { catalog, inventory, invoke, jobs }: ManagementParts): void {
  api.post("/api/functions/:id/invocations", {
    config: { scope: "invoke" },
    schema: {
      operationId: "invoke",
      summary: "Runs a function and waits for its result, or with `Prefer: respond-async` keeps the call for later",
      description:
        "Answers 200 whenever the code was run; `status` says how that went. With `Prefer: respond-async` it answers 202 when the job " +
        "is durable, and `Location` names it; `Idempotency-Key` then makes the same request within a day the same job.",
      tags: ["invocations"],
      params: idParams,
      body: z.strictObject({
        input: z.unknown().optional().describe("any JSON; {} where absent"),
        request: requestIn.optional(),
        version: z
          .union([versionPin, z.number().int().positive().transform(String)])
          .optional()
          .describe("number of a version, or an alias; the active one where absent"),
        timeoutMs: wholeFrom(1, 86_400_000).optional().describe("no more than the function's and the server's"),
        ...jobFields,
      }),
      response: { 200: resultOut, 202: accepted, ...FAULTS },
    },
    handler: async ({ params, body, raw }, reply) => {
      const stored = inventory.function(params.id);
      const { input, request: asked, version: pin, ...options } = body;
      if (input !== undefined && asked !== undefined) {
        throw new PlatformError("INVALID_REQUEST", "request: there is an input already; a call has one of them");
      }
      const json = JSON.stringify(input ?? {});
      const caller = { host: raw.headers.host ?? "", remoteAddress: raw.socket.remoteAddress };
      const request = asked && askedRequest(asked, stored.name, caller);
      const idempotencyKey = idempotencyKeyOf(raw);
      if (prefersAsync(raw)) {
        const kept: JobInput =
          request === undefined
            ? { kind: "value", json }
            : { kind: "request", request: keepRequest(request.head, request.body) };
        const job = acceptedJob((await jobs.submit({ stored, input: kept, pin, ...options, idempotencyKey })).jobId);
        reply.header("location", job.url).header("preference-applied", RESPOND_ASYNC);
        return await reply.code(202).send(job);
      }
      refuseJobFields({ ...options, "Idempotency-Key": idempotencyKey });
      const version = await catalog.pinned(stored, pin);
      const { saveResponses } = stored.settings;
      const timeoutMs = Math.min(options.timeoutMs ?? Infinity, stored.settings.timeoutMs ?? Infinity);
      if (request !== undefined) {
        return await runRequest({
          ...request,
          saveResponses,
          run: (call) => runFor(reply.raw, invoke, { version, timeoutMs, ...call }),
        });
      }
      let answer: string | undefined;
      const result = await runFor(reply.raw, invoke, {
        ...{ version, trigger: "invoke", timeoutMs },
        input: { kind: "value", json },
        event: () => (json.length > KEPT_EVENT_CHARS ? undefined : json),
        ...(saveResponses ? { response: () => answer } : {}),
      });
      const text = result.result === undefined ? undefined : JSON.stringify(result.result);
      if (text !== undefined && text.length <= KEPT_EVENT_CHARS) answer = text;
      return result;
    },
  });
}

/** The run of a request that was described, with the response that its sender would have got. */
async function runRequest(given: {
  readonly head: RequestHead;
  readonly body: Buffer;
  readonly saveResponses: boolean;
  readonly run: (call: Omit<Invocation, "version" | "timeoutMs">) => Promise<Result>;
}): Promise<Result> {
  const { head, body, saveResponses, run } = given;
  const exchange = new ReplayedRequest(head, body);
  let answer: string | undefined;
  const answered = exchange.answered(
    await run({
      trigger: "http",
      input: { kind: "request", exchange },
      event: () => eventRecord(keptHead(head), body, true),
      httpStatus: () => exchange.status,
      ...(saveResponses ? { response: () => answer } : {}),
    }),
  );
  const { response } = answered;
  if (response !== undefined) {
    const bytes = Buffer.from(response.body, response.isBase64Encoded ? "base64" : "utf8");
    answer = responseRecord(response.statusCode, response.headers, bytes, true);
  }
  return answered;
}

/** Whoever waits for the result would wait for what cannot be done. */
function refuseJobFields(given: Readonly<Record<string, unknown>>): void {
  for (const name of [...Object.keys(jobFields), "Idempotency-Key"]) {
    if (given[name] === undefined) continue;
    throw new PlatformError("INVALID_REQUEST", `${name}: only with Prefer: ${RESPOND_ASYNC}`);
  }
}
