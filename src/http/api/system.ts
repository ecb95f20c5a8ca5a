import { z } from "zod";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, time } from "./schemas.ts";

const systemOut = z
  .looseObject({
    version: z.string(),
    startedAt: time,
    memoryBytes: z.number(),
    runtimes: z.array(z.looseObject({ base: z.string(), languages: z.array(z.string()), found: z.boolean() })),
    builders: z.array(
      z.looseObject({
        language: z.string(),
        found: z.boolean(),
        title: z.string().optional(),
        reason: z.string().optional().describe("why it cannot be had"),
      }),
    ),
    store: z.looseObject({ kind: z.enum(["sqlite", "redis"]) }),
    nodes: z
      .array(z.looseObject({ id: z.string() }))
      .optional()
      .meta({ description: "All servers that share a Redis" }),
    pool: z.looseObject({ maxWorkers: z.number(), waiting: z.number(), maxQueue: z.number() }),
  })
  .meta({ id: "System" });

/** The state of the server, for operators and machines. */
export function systemRoutes(api: Api, { describeSystem }: ManagementParts): void {
  api.get("/api/system", {
    config: { scope: "read" },
    schema: {
      operationId: "readSystem",
      summary: "The whole server at a glance: what it found, what is in force, every sandbox",
      tags: ["system"],
      response: { 200: systemOut, ...FAULTS },
    },
    handler: async () => (await describeSystem()) as z.infer<typeof systemOut>,
  });
}
