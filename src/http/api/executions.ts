import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import type { Execution } from "../../core/execution.ts";
import { parseKeepingDigits } from "../../core/json-text.ts";
import { codeFrame } from "../../services/code-frame.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { isRecordedRequest, recordedRequest } from "./replayed-request.ts";
import { runFor } from "./run.ts";
import { executionOut, FAULTS, nothing, pageOf, pageQuery, resultOut, status, trigger } from "./schemas.ts";
import { executionShape, pageShape } from "./shapes.ts";

const executionParams = z.strictObject({ id: z.uuid({ error: "an execution's id is a UUID" }) });
const moment = z.iso
  .datetime({ offset: true, error: 'a time such as "2026-01-31T12:00:00Z"' })
  .transform((text) => Date.parse(text));
const detail = executionOut
  .extend({
    errorLine: z.number().int().optional().describe("of the source, counted from 1"),
    errorTip: z.string().optional().describe("what usually helps"),
    codeFrame: z.string().optional().describe("the line that went wrong, marked, with those around it"),
    event: z.unknown().optional().describe("what it was called with, secrets masked; absent where it was not kept"),
    response: z.unknown().optional().describe("what it answered, where the function saves responses"),
    logCount: z.number().int(),
  })
  .meta({ id: "ExecutionWithAll" });

/** Executions: what ran, how it went, again, and enough of it. */
export function executionRoutes(api: Api, parts: ManagementParts): void {
  const { executions, inventory, catalog, invoke } = parts;

  /** By id or name; a function that is gone is still known by the name it had. */
  function filterOf(wanted: string | undefined): { functionId?: string; functionName?: string } {
    if (wanted === undefined) return {};
    const stored = catalog.function(wanted);
    return stored === undefined ? { functionName: wanted } : { functionId: stored.id };
  }

  async function frameOf({ functionId, version, errorLine }: Execution): Promise<string | undefined> {
    if (functionId === undefined || version === undefined || errorLine === undefined) return undefined;
    try {
      const { source } = await inventory.version(functionId, version);
      return codeFrame(source, errorLine);
    } catch (error) {
      if (error instanceof PlatformError && error.status === 404) return undefined; // it has been deleted since
      throw error;
    }
  }

  api.get("/api/executions", {
    config: { scope: "read" },
    schema: {
      operationId: "listExecutions",
      summary: "Executions, the last first",
      description: "What runs for less than a quarter of a second is not listed before it is over.",
      tags: ["executions"],
      querystring: z.strictObject({
        function: z.string().max(200).optional().describe("id or name"),
        version: z.coerce.number({ error: "a version's number" }).int().positive().optional(),
        status: status.optional(),
        trigger: trigger.optional(),
        from: moment.optional().describe("ISO 8601; included"),
        to: moment.optional().describe("ISO 8601; not included"),
        text: z.string().max(500).optional().describe("words that its log lines or its error hold, each of them"),
        ...pageQuery,
      }),
      response: { 200: pageOf(executionOut), ...FAULTS },
    },
    handler: async ({ query: { function: wanted, from: fromMs, to: toMs, ...query } }) =>
      pageShape(await executions.list({ ...query, ...filterOf(wanted), fromMs, toMs }), executionShape),
  });

  api.get("/api/executions/:id", {
    config: { scope: "read" },
    schema: {
      operationId: "readExecution",
      summary: "An execution with its event, response and error",
      tags: ["executions"],
      params: executionParams,
      response: { 200: detail, ...FAULTS },
    },
    handler: async ({ params }) => {
      const execution = await executions.find(params.id);
      const { event, response, logs, ...rest } = execution;
      return {
        ...executionShape(rest),
        errorLine: rest.errorLine,
        errorTip: rest.errorTip,
        codeFrame: await frameOf(execution),
        event: event === undefined ? undefined : parseKeepingDigits(event),
        response: response === undefined ? undefined : parseKeepingDigits(response),
        logCount: logs.length,
      };
    },
  });

  api.post("/api/executions/:id/replay", {
    config: { scope: "deploy" },
    schema: {
      operationId: "replayExecution",
      summary: "Runs it again with the event that was kept, masked secrets included",
      tags: ["executions"],
      params: executionParams,
      querystring: z.strictObject({
        version: z.string().min(1).max(64).optional().describe("a version or alias; the active one where absent"),
      }),
      response: { 200: resultOut, ...FAULTS },
    },
    handler: async ({ params, query }, reply) => {
      const { functionId, trigger, event } = await executions.find(params.id);
      if (functionId === undefined) {
        throw new PlatformError("INVALID_REQUEST", "it was code that belongs to no function, so the code was not kept");
      }
      if (event === undefined) {
        throw new PlatformError("INVALID_REQUEST", "its event was not kept: it was empty or too long");
      }
      const stored = inventory.function(functionId);
      const version = await catalog.pinned(stored, query.version);
      const shared = { version, timeoutMs: stored.settings.timeoutMs, event: () => event };
      if (trigger !== "http" && !(trigger === "async" && isRecordedRequest(event))) {
        const input = { kind: "value", json: event } as const;
        return await runFor(reply.raw, invoke, { ...shared, trigger: "invoke", input });
      }
      const exchange = recordedRequest(event);
      const input = { kind: "request", exchange } as const;
      const httpStatus = (): number | undefined => exchange.status;
      return exchange.answered(await runFor(reply.raw, invoke, { ...shared, trigger: "http", input, httpStatus }));
    },
  });

  api.delete("/api/executions/:id", {
    config: { scope: "deploy" },
    schema: {
      operationId: "cancelExecution",
      summary: "Ends an execution that runs or waits",
      tags: ["executions"],
      params: executionParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params }, reply) => {
      await executions.cancel(params.id);
      return await reply.code(204).send();
    },
  });
}
