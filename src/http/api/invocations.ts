import { z } from "zod";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { runFor } from "./run.ts";
import { FAULTS, idParams, resultOut } from "./schemas.ts";

const KEPT_EVENT_CHARS = 16 * 1024; // as the doors keep it

/** Calls a function with a value, and waits for what it returns. */
export function invocationRoutes(api: Api, { catalog, inventory, invoke }: ManagementParts): void {
  api.post("/api/functions/:id/invocations", {
    config: { scope: "invoke" },
    schema: {
      operationId: "invoke",
      summary: "Runs a function and waits for its result",
      description: "Answers 200 whenever the code was run; `status` says how that went.",
      tags: ["invocations"],
      params: idParams,
      body: z.strictObject({
        input: z.unknown().optional().describe("any JSON; {} where absent"),
        version: z
          .union([versionPin, z.number().int().positive().transform(String)])
          .optional()
          .describe("number of a version, or an alias; the active one where absent"),
      }),
      response: { 200: resultOut, ...FAULTS },
    },
    handler: async ({ params, body }, reply) => {
      const stored = inventory.function(params.id);
      const version = await catalog.pinned(stored, body.version);
      const json = JSON.stringify(body.input ?? {});
      let answer: string | undefined;
      const result = await runFor(reply.raw, invoke, {
        version,
        trigger: "invoke",
        input: { kind: "value", json },
        timeoutMs: stored.settings.timeoutMs,
        event: () => (json.length > KEPT_EVENT_CHARS ? undefined : json),
        ...(stored.settings.saveResponses ? { response: () => answer } : {}),
      });
      const text = result.result === undefined ? undefined : JSON.stringify(result.result);
      if (text !== undefined && text.length <= KEPT_EVENT_CHARS) answer = text;
      return result;
    },
  });
}

const versionPin = z.string().min(1).max(64);
