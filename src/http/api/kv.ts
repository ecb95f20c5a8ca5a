import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import { parseKeepingDigits } from "../../core/json-text.ts";
import type { KvEntry } from "../../services/kv.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, idParams, nothing, pageOf, pageQuery, time } from "./schemas.ts";
import { isoTime, pageShape } from "./shapes.ts";

const key = z.string().describe("1 to 512 bytes, URL-encoded");
const entryOut = z
  .object({ key: z.string(), value: z.unknown().describe("any JSON"), expiresAt: time.optional() })
  .meta({ id: "KvEntry" });
const listQuery = z.strictObject({ prefix: z.string().max(512).optional(), ...pageQuery });
const putQuery = z.strictObject({
  ttl: z.coerce
    .number({ error: "a number of seconds" })
    .optional()
    .describe("seconds until it is gone; absent: it stays"),
});
const putBody = z.strictObject({ value: z.unknown().describe("any JSON, 256 KiB at most") });

interface Place {
  readonly path: string;
  readonly params: typeof idParams | typeof noParams;
  readonly named: string;
  readonly of: string;
}
const noParams = z.strictObject({});

/** Keys and values: each function's own, and those that all functions share. */
export function kvRoutes(api: Api, parts: ManagementParts): void {
  keyRoutesAt(api, parts, {
    path: "/api/functions/:id/kv",
    params: idParams,
    named: "FunctionKv",
    of: "of a function",
  });
  keyRoutesAt(api, parts, { path: "/api/kv", params: noParams, named: "GlobalKv", of: "that all functions share" });
}

function keyRoutesAt(api: Api, { kv, inventory }: ManagementParts, { path, params, named, of }: Place): void {
  const tags = ["kv"];
  const keyParams = z.strictObject({ ...params.shape, key });

  function scopeOf(given: object): { readonly functionId: string } | "global" {
    return "id" in given ? { functionId: inventory.function(String(given.id)).id } : "global";
  }

  api.get(path, {
    config: { scope: "read" },
    schema: {
      operationId: `list${named}`,
      summary: `The keys and values ${of}, in the order of the keys`,
      tags,
      params,
      querystring: listQuery,
      response: { 200: pageOf(entryOut), ...FAULTS },
    },
    handler: async (request) => pageShape(await kv.list(scopeOf(request.params), request.query), entryShape),
  });

  api.get(`${path}/:key`, {
    config: { scope: "read" },
    schema: {
      operationId: `read${named}`,
      summary: `A value ${of}`,
      tags,
      params: keyParams,
      response: { 200: entryOut, ...FAULTS },
    },
    handler: async (request) => {
      const { key } = request.params;
      const value = await kv.get(scopeOf(request.params), key);
      if (value === undefined) throw missing(key);
      return { key, value: parseKeepingDigits(value) };
    },
  });

  api.put(`${path}/:key`, {
    config: { scope: "deploy" },
    schema: {
      operationId: `put${named}`,
      summary: `Sets a value ${of}`,
      tags,
      params: keyParams,
      querystring: putQuery,
      body: putBody,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async (request, reply) => {
      const { key } = request.params;
      const { value } = request.body;
      if (value === undefined) throw new PlatformError("INVALID_REQUEST", "value: is required");
      const { ttl } = request.query;
      await kv.set(scopeOf(request.params), key, JSON.stringify(value), ttl === undefined ? undefined : ttl * 1000);
      return await reply.code(204).send();
    },
  });

  api.delete(`${path}/:key`, {
    config: { scope: "deploy" },
    schema: {
      operationId: `delete${named}`,
      summary: `Removes a value ${of}`,
      tags,
      params: keyParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async (request, reply) => {
      const { key } = request.params;
      if (!(await kv.delete(scopeOf(request.params), key))) throw missing(key);
      return await reply.code(204).send();
    },
  });
}

function entryShape({ key, value, expiresAtMs }: KvEntry): z.infer<typeof entryOut> {
  return {
    key,
    value: parseKeepingDigits(value),
    expiresAt: expiresAtMs === undefined ? undefined : isoTime(expiresAtMs),
  };
}

function missing(key: string): PlatformError {
  return new PlatformError("NOT_FOUND", `there is no key ${JSON.stringify(key)}`);
}
