import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import type { KeyRecord } from "../../services/keys.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, nothing, scope, time } from "./schemas.ts";
import { isoTime } from "./shapes.ts";

const BODY_BYTES = 4096;
const NAME_CHARS = 100;

const keyOut = z
  .object({
    id: z.uuid(),
    name: z.string(),
    scope,
    hint: z.string().describe("how it begins"),
    createdAt: time,
    lastUsedAt: time.optional().describe("since this server started"),
  })
  .meta({ id: "Key" });
const rule = `text of 1 to ${NAME_CHARS} characters is required`;

/** Makes, lists and removes API keys. */
export function keyRoutes(api: Api, { keys }: ManagementParts): void {
  api.get("/api/keys", {
    config: { scope: "admin" },
    schema: {
      operationId: "listKeys",
      summary: "The API keys, without what they open",
      tags: ["keys"],
      response: { 200: z.object({ items: z.array(keyOut) }), ...FAULTS },
    },
    handler: async () => ({ items: keys.list().map(shape) }),
  });

  api.post("/api/keys", {
    config: { scope: "admin" },
    bodyLimit: BODY_BYTES,
    schema: {
      operationId: "createKey",
      summary: "Makes an API key; this is the only time that it is shown",
      tags: ["keys"],
      body: z.strictObject({
        name: z
          .string({ error: rule })
          .max(NAME_CHARS, { error: rule })
          .refine((name) => name.trim() !== "", { error: rule }),
        scope,
      }),
      response: { 201: keyOut.extend({ key: z.string() }).meta({ id: "NewKey" }), ...FAULTS },
    },
    handler: async ({ body: { name, scope } }, reply) => {
      const { record, secret } = await keys.create(name, scope);
      return await reply.code(201).send({ ...shape(record), key: secret });
    },
  });

  api.delete("/api/keys/:id", {
    config: { scope: "admin" },
    schema: {
      operationId: "deleteKey",
      summary: "Removes an API key and ends the sessions that it has opened",
      tags: ["keys"],
      params: z.strictObject({ id: z.string().min(1) }),
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params: { id } }, reply) => {
      if (!(await keys.remove(id))) throw new PlatformError("KEY_NOT_FOUND", `no key with id ${JSON.stringify(id)}`);
      return await reply.code(204).send();
    },
  });
}

function shape({ id, name, scope, hint, createdAtMs, lastUsedAtMs }: KeyRecord): z.infer<typeof keyOut> {
  const lastUsedAt = lastUsedAtMs === undefined ? undefined : isoTime(lastUsedAtMs);
  return { id, name, scope, hint: `${hint}…`, createdAt: isoTime(createdAtMs), lastUsedAt };
}
