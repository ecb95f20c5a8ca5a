import { z } from "zod";
import { documentationPage, PAGE_POLICY } from "./documentation-page.ts";
import { llmsText } from "./llms-text.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, nothing } from "./schemas.ts";

/** The API described: for machines, for people, and for language models. */
export function documentRoutes(api: Api, { baseUrl, languages, limits }: ManagementParts): void {
  api.get("/api/openapi.json", {
    config: { scope: "read" },
    schema: {
      operationId: "readOpenapi",
      summary: "This API as OpenAPI 3.1",
      tags: ["system"],
      response: { 200: z.looseObject({ openapi: z.string() }), ...FAULTS },
    },
    handler: async () => api.swagger() as unknown as { openapi: string },
  });

  api.get("/api/docs", {
    config: { scope: "read" },
    schema: {
      operationId: "readDocs",
      summary: "This API as a page",
      tags: ["system"],
      produces: ["text/html"],
      response: { 200: z.string(), ...FAULTS },
    },
    serializerCompiler: () => String,
    handler: async (_request, reply) => {
      void reply.headers({ "Content-Security-Policy": PAGE_POLICY, "X-Content-Type-Options": "nosniff" });
      return await reply.type("text/html; charset=utf-8").send(documentationPage(api.swagger()));
    },
  });

  // A session's cookie is only sent below /api, so the page is there.
  api.get("/docs", {
    config: { scope: "none" },
    schema: {
      operationId: "findDocs",
      summary: "Leads to /api/docs",
      tags: ["system"],
      response: { 302: nothing, ...FAULTS },
    },
    handler: async (_request, reply) => await reply.redirect("/api/docs"),
  });

  api.get("/llms.txt", {
    config: { scope: "none" },
    schema: {
      operationId: "readLlmsText",
      summary: "How to write and deploy functions, for language models",
      tags: ["system"],
      produces: ["text/plain"],
      response: { 200: z.string(), ...FAULTS },
    },
    serializerCompiler: () => String,
    handler: async (_request, reply) =>
      await reply
        .type("text/plain; charset=utf-8")
        .send(llmsText({ baseUrl: baseUrl(), languages, timeoutMs: limits.timeoutMs })),
  });
}
