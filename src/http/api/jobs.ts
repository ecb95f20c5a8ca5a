import { z } from "zod";
import { parseKeepingDigits } from "../../core/json-text.ts";
import type { InvocationPayload, JobResult } from "../../services/job-payload.ts";
import { type Job, JOB_STATUSES, type JobAttempt, type JobSummary } from "../../services/jobs.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, idParams, keptResponse, nothing, pageOf, pageQuery, time } from "./schemas.ts";
import { isoTime, pageShape } from "./shapes.ts";

const JOB_KINDS = ["invocation", "cron", "callback"] as const;
const jobParams = z.strictObject({ id: z.string().min(1).max(300).describe("id of the job") });
const status = z.enum(JOB_STATUSES, { error: `one of ${JOB_STATUSES.join(", ")}` });
const kind = z.enum(JOB_KINDS, { error: `one of ${JOB_KINDS.join(", ")}` });
const functionQuery = z.string().max(200).optional().describe("id or name");

const jobOut = z
  .object({
    id: z.string(),
    kind: z.string().describe("invocation, cron (a schedule fired), callback"),
    functionId: z.string().optional(),
    functionName: z.string().optional(),
    status,
    priority: z.number().int().describe("higher ones first"),
    attempts: z.number().int().describe("how often it may be begun"),
    attemptsMade: z.number().int().describe("how often it was, since it was enqueued or replayed"),
    createdAt: time,
    nextAttemptAt: time.optional().describe("of a queued one"),
    finishedAt: time.optional(),
    error: z.string().optional().describe("of its last attempt"),
  })
  .meta({ id: "Job" });

const jobWithAll = jobOut
  .extend({
    history: z.array(
      z.object({
        number: z.number().int(),
        executionId: z.uuid(),
        startedAt: time,
        endedAt: time.optional(),
        error: z.string().optional(),
      }),
    ),
    input: z.unknown().optional(),
    request: z.object({ method: z.string(), path: z.string(), query: z.string() }).optional(),
    version: z.string().optional().describe("number or alias that it is pinned to"),
    timeoutMs: z.number().optional(),
    callbackUrl: z.string().optional(),
    scheduledAt: time.optional().describe("when its schedule was to fire"),
    result: z.unknown().optional().describe("what the code returned"),
    response: keptResponse.optional().describe("what the code answered, where it was an HTTP request"),
    resultDropped: z.boolean().optional().describe("true where that was too long to be kept"),
  })
  .meta({ id: "JobWithAll" });

/** Jobs: runs that are kept for later, what became of them, and doing them again. */
export function jobRoutes(api: Api, { jobs, catalog, callbacks }: ManagementParts): void {
  function shape(job: JobSummary): z.infer<typeof jobOut> {
    const { id, functionId, status, priority, attempts, attemptsMade, createdAtMs, runAtMs, finishedAtMs, error } = job;
    return {
      ...{ id, kind: job.kind, functionId, status, priority, attempts, attemptsMade, error },
      functionName: functionId === undefined ? undefined : catalog.function(functionId)?.name,
      createdAt: isoTime(createdAtMs),
      nextAttemptAt: status === "queued" ? isoTime(runAtMs) : undefined,
      finishedAt: finishedAtMs === undefined ? undefined : isoTime(finishedAtMs),
    };
  }

  function idOf(wanted: string | undefined): string | undefined {
    return wanted === undefined ? undefined : (catalog.function(wanted)?.id ?? wanted);
  }

  api.get("/api/jobs", {
    config: { scope: "read" },
    schema: {
      operationId: "listJobs",
      summary: "Jobs, the newest first",
      description: "A page may be short, or empty, and still have a next one.",
      tags: ["jobs"],
      querystring: z.strictObject({
        function: functionQuery,
        status: status.optional(),
        kind: kind.optional(),
        ...pageQuery,
      }),
      response: { 200: pageOf(jobOut), ...FAULTS },
    },
    handler: async ({ query: { function: wanted, ...query } }) =>
      pageShape(await jobs.list({ ...query, functionId: idOf(wanted) }), shape),
  });

  api.get("/api/jobs/:id", {
    config: { scope: "any" },
    schema: {
      operationId: "readJob",
      summary: "A job with its attempts and its result",
      tags: ["jobs"],
      params: jobParams,
      response: { 200: jobWithAll, ...FAULTS },
    },
    handler: async ({ params }) => {
      const job = await jobs.find(params.id);
      return { ...shape(job), history: job.history.map(attemptShape), ...askedShape(job), ...resultShape(job) };
    },
  });

  api.delete("/api/jobs/:id", {
    config: { scope: "deploy" },
    schema: {
      operationId: "cancelJob",
      summary: "Ends a job that waits or runs",
      tags: ["jobs"],
      params: jobParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params }, reply) => {
      await jobs.cancel(params.id);
      return await reply.code(204).send();
    },
  });

  api.post("/api/jobs/:id/replay", {
    config: { scope: "deploy" },
    schema: {
      operationId: "replayJob",
      summary: "Runs a dead or cancelled job again, with all its attempts",
      tags: ["jobs"],
      params: jobParams,
      response: { 200: jobOut, ...FAULTS },
    },
    handler: async ({ params }) => shape(await jobs.replay(params.id)),
  });

  api.post("/api/jobs/replay", {
    config: { scope: "deploy" },
    schema: {
      operationId: "replayJobs",
      summary: "Runs all dead, or all cancelled, jobs again",
      tags: ["jobs"],
      body: z.strictObject({
        functionId: functionQuery,
        status: z.enum(["dead", "cancelled"], { error: "dead or cancelled" }).default("dead"),
      }),
      response: { 200: z.object({ replayed: z.number().int() }), ...FAULTS },
    },
    handler: async ({ body: { functionId, status } }) => ({
      replayed: await jobs.replayAll({ functionId: idOf(functionId), status }),
    }),
  });

  api.get("/api/functions/:id/webhook-secret", {
    config: { scope: "deploy" },
    schema: {
      operationId: "readWebhookSecret",
      summary: "What callbacks of this function's jobs are signed with",
      tags: ["jobs"],
      params: idParams,
      response: { 200: z.object({ secret: z.string() }), ...FAULTS },
    },
    handler: async ({ params }) => ({ secret: callbacks.secretOf(catalog.require(params.id).id) }),
  });
}

function attemptShape({ number, executionId, startedAtMs, endedAtMs, error }: JobAttempt) {
  const endedAt = endedAtMs === undefined ? undefined : isoTime(endedAtMs);
  return { number, executionId, startedAt: isoTime(startedAtMs), endedAt, error };
}

/** Headers and body of a request are not shown: they may hold what opens doors elsewhere. */
function askedShape({ kind, payload }: Job) {
  if (kind === "callback") return { callbackUrl: (JSON.parse(payload) as { url: string }).url };
  const { input, pin, timeoutMs, callbackUrl, fire } = JSON.parse(payload) as InvocationPayload;
  const asked = { version: pin, timeoutMs, callbackUrl };
  if (fire !== undefined) return { ...asked, scheduledAt: isoTime(fire.atMs) };
  if (input.kind === "value") return { ...asked, input: parseKeepingDigits(input.json) };
  const { method, path, query } = input.request;
  return { ...asked, request: { method, path, query } };
}

function resultShape({ result }: Job) {
  if (result === undefined) return {};
  const { value, response, isDropped } = parseKeepingDigits(result) as JobResult;
  return {
    result: value,
    resultDropped: isDropped,
    response: response && {
      ...response,
      headers: response.headers.map(([name, text]): [string, string] => [name, text]),
    },
  };
}
