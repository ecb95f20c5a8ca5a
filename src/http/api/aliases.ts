import { z } from "zod";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { aliasOut, FAULTS, idParams, nothing } from "./schemas.ts";

const aliasParams = idParams.extend({
  name: z.string().min(1).max(64).describe('"live" is what calls without a version get'),
});
const version = z.number({ error: "a version's number is required" }).int().positive();
const weight = z.number({ error: "a whole number of percent" }).int().min(1).max(99);
const aliasBody = z.strictObject({
  version: version.optional().describe("one version; else targets"),
  targets: z
    .array(z.strictObject({ version, weight }))
    .length(2, { error: "two versions; one alone is given as version" })
    .optional()
    .describe("two versions that share the calls; weights in percent, 100 together"),
});

/** Names that point to a version, or split calls between two. */
export function aliasRoutes(api: Api, { inventory, functions }: ManagementParts): void {
  api.get("/api/functions/:id/aliases", {
    config: { scope: "read" },
    schema: {
      operationId: "listAliases",
      summary: "A function's aliases",
      tags: ["aliases"],
      params: idParams,
      response: { 200: z.object({ items: z.array(aliasOut) }), ...FAULTS },
    },
    handler: async ({ params }) => ({ items: (await inventory.aliases(params.id)).map(shape) }),
  });

  api.get("/api/functions/:id/aliases/:name", {
    config: { scope: "read" },
    schema: {
      operationId: "readAlias",
      summary: "One alias",
      tags: ["aliases"],
      params: aliasParams,
      response: { 200: aliasOut, ...FAULTS },
    },
    handler: async ({ params }) => shape(await inventory.alias(params.id, params.name)),
  });

  api.put("/api/functions/:id/aliases/:name", {
    config: { scope: "deploy" },
    schema: {
      operationId: "putAlias",
      summary: "Points an alias to a version, or splits its calls between two",
      tags: ["aliases"],
      params: aliasParams,
      body: aliasBody,
      response: { 200: aliasOut, ...FAULTS },
    },
    handler: async ({ params: { id, name }, body }) => {
      const single = body.version === undefined ? [] : [{ version: body.version, weight: 100 }];
      const targets = body.targets === undefined ? single : [...single, ...body.targets];
      await functions.putAlias(id, { name, targets });
      return { name, targets };
    },
  });

  api.delete("/api/functions/:id/aliases/:name", {
    config: { scope: "deploy" },
    schema: {
      operationId: "deleteAlias",
      summary: "Removes an alias",
      tags: ["aliases"],
      params: aliasParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params }, reply) => {
      await functions.removeAlias(params.id, params.name);
      return await reply.code(204).send();
    },
  });
}

function shape({
  name,
  targets,
}: {
  readonly name: string;
  readonly targets: readonly z.infer<typeof aliasOut>["targets"][number][];
}): z.infer<typeof aliasOut> {
  return { name, targets: [...targets] };
}
