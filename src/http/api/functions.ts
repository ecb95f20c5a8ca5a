import { z } from "zod";
import { checkName } from "../../services/functions.ts";
import type { StoredFunction } from "../../services/inventory.ts";
import { deployBody, deployOf, MAX_CODE_BODY_BYTES, takeQuery, deployQuery } from "./deploy.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, functionOut, functionWithAll, idParams, nothing, pageOf, pageQuery, settingsIn } from "./schemas.ts";
import { settingsOf } from "./settings.ts";
import { codeShape, functionShape, pageShape } from "./shapes.ts";
import { BYTES, ZIP } from "./bodies.ts";

const name = z.string({ error: "text is required" });
const settings = z.strictObject(settingsIn).partial().shape;

/** Functions: what there is, making, changing and removing them. */
export function functionRoutes(api: Api, parts: ManagementParts): void {
  const { inventory, functions, variables, limits } = parts;

  async function everything(stored: StoredFunction): Promise<z.infer<typeof functionWithAll>> {
    const [version, aliases, listed] = await Promise.all([
      inventory.activeVersion(stored),
      inventory.aliases(stored.id),
      variables.list(stored.id),
    ]);
    return {
      ...functionShape(stored, parts.baseUrl()),
      version: version === undefined ? undefined : codeShape(version, stored.activeVersion),
      aliases: aliases.map(({ name, targets }) => ({ name, targets: [...targets] })),
      ...listed,
    };
  }

  api.get("/api/functions", {
    config: { scope: "read" },
    schema: {
      operationId: "listFunctions",
      summary: "The functions",
      tags: ["functions"],
      querystring: z.strictObject({
        search: z.string().max(200).optional().describe("part of the name or description, in any case"),
        language: z.string().max(50).optional(),
        sort: z.enum(["name", "created", "updated"], { error: "one of name, created, updated" }).default("name"),
        ...pageQuery,
      }),
      response: { 200: pageOf(functionOut), ...FAULTS },
    },
    handler: async ({ query }) =>
      pageShape(await inventory.functions(query), (stored) => functionShape(stored, parts.baseUrl())),
  });

  api.post("/api/functions", {
    config: { scope: "deploy" },
    bodyLimit: MAX_CODE_BODY_BYTES,
    schema: {
      operationId: "createFunction",
      summary: "Makes a function with its first version",
      tags: ["functions"],
      body: z.strictObject({ name, ...deployBody.shape, ...settings }),
      response: { 201: functionWithAll, ...FAULTS },
    },
    handler: async ({ body, raw }, reply) => {
      const { name, language, code, files, entry, egress, activate, ...given } = body;
      checkName(name);
      // The function's own policy is that of its code: later versions that say nothing get the same.
      const changes = settingsOf({ ...given, egress }, limits.timeoutMs);
      const deploy = await deployOf(parts, raw, { language, code, files, entry, activate }, undefined);
      const { id } = await functions.create(name, changes, deploy);
      return await reply.code(201).send(await everything(inventory.function(id)));
    },
  });

  api.get("/api/functions/:id", {
    config: { scope: "read" },
    schema: {
      operationId: "readFunction",
      summary: "A function with its active version, aliases, variables and names of secrets",
      tags: ["functions"],
      params: idParams,
      response: { 200: functionWithAll, ...FAULTS },
    },
    handler: async ({ params }) => await everything(inventory.function(params.id)),
  });

  api.put("/api/functions/:id", {
    config: { scope: "deploy" },
    bodyLimit: MAX_CODE_BODY_BYTES,
    preValidation: takeQuery,
    schema: {
      operationId: "putFunction",
      summary: "Deploys code under a name, whether there is such a function already or not",
      tags: ["functions"],
      consumes: ["application/json", ZIP, BYTES],
      params: idParams,
      querystring: deployQuery,
      body: deployBody,
      response: { 200: functionWithAll, 201: functionWithAll, ...FAULTS },
    },
    handler: async ({ params, body, raw }, reply) => {
      const known = parts.catalog.function(params.id);
      if (known === undefined) checkName(params.id);
      const deploy = await deployOf(parts, raw, body, known);
      const { isNew, version } = await deploy(known?.name ?? params.id);
      return await reply.code(isNew ? 201 : 200).send(await everything(inventory.function(version.functionId)));
    },
  });

  api.patch("/api/functions/:id", {
    config: { scope: "deploy" },
    schema: {
      operationId: "changeFunction",
      summary: "Changes a function's name or settings",
      tags: ["functions"],
      params: idParams,
      body: z.strictObject({ name: name.optional(), ...settings }),
      response: { 200: functionOut, ...FAULTS },
    },
    handler: async ({ params, body: { name, ...given } }) => {
      const changes = settingsOf(given, limits.timeoutMs);
      return functionShape(await functions.update(params.id, { name, settings: changes }), parts.baseUrl());
    },
  });

  api.delete("/api/functions/:id", {
    config: { scope: "deploy" },
    schema: {
      operationId: "deleteFunction",
      summary: "Deletes a function with all that belongs to it",
      tags: ["functions"],
      params: idParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params }, reply) => {
      await functions.remove(params.id);
      return await reply.code(204).send();
    },
  });
}
