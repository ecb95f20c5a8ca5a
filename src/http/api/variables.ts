import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, idParams, nothing } from "./schemas.ts";

const text = z.string({ error: "text is required" });
const variablesOut = z
  .object({ env: z.record(z.string(), z.string()), secrets: z.array(z.string()).describe("names only") })
  .meta({ id: "Variables" });
const secretParams = idParams.extend({ key: z.string().min(1).max(200) });

/** Variables can be read; of secrets nobody ever sees more than the names. What runs with the old ones ends with what it is doing. */
export function variableRoutes(api: Api, { inventory, variables, catalog }: ManagementParts): void {
  api.get("/api/functions/:id/env", {
    config: { scope: "read" },
    schema: {
      operationId: "readEnv",
      summary: "A function's variables, and the names of its secrets",
      tags: ["env"],
      params: idParams,
      response: { 200: variablesOut, ...FAULTS },
    },
    handler: async ({ params }) => await variables.list(inventory.function(params.id).id),
  });

  api.put("/api/functions/:id/env", {
    config: { scope: "deploy" },
    schema: {
      operationId: "putEnv",
      summary: "Makes these its variables; others go, secrets stay",
      tags: ["env"],
      params: idParams,
      body: z.strictObject({ env: z.record(z.string(), text, { error: "a map of names to texts is required" }) }),
      response: { 200: variablesOut, ...FAULTS },
    },
    handler: async ({ params, body }) => {
      const { id } = inventory.function(params.id);
      await variables.replace(id, body.env);
      catalog.rebind(id);
      return await variables.list(id);
    },
  });

  api.put("/api/functions/:id/secrets/:key", {
    config: { scope: "deploy" },
    schema: {
      operationId: "putSecret",
      summary: "Sets a secret; it cannot be read again",
      tags: ["env"],
      params: secretParams,
      body: z.strictObject({ value: text.min(1, { error: "must not be empty" }) }),
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params, body }, reply) => {
      const { id } = inventory.function(params.id);
      await variables.putSecret(id, params.key, body.value);
      catalog.rebind(id);
      return await reply.code(204).send();
    },
  });

  api.delete("/api/functions/:id/secrets/:key", {
    config: { scope: "deploy" },
    schema: {
      operationId: "deleteSecret",
      summary: "Removes a secret",
      tags: ["env"],
      params: secretParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params, body: _body }, reply) => {
      const { id } = inventory.function(params.id);
      if (!(await variables.remove(id, params.key, true))) {
        throw new PlatformError("NOT_FOUND", `there is no secret ${JSON.stringify(params.key)}`);
      }
      catalog.rebind(id);
      return await reply.code(204).send();
    },
  });
}
