import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { createJsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { NeededScope } from "../access.ts";
import { ZIP } from "./bodies.ts";
import type { ManagementParts } from "./parts.ts";
import { SESSION_COOKIE } from "../session-cookie.ts";

const TAGS = {
  functions: "Names with settings and versions",
  versions: "Immutable code",
  aliases: "Names for versions",
  env: "Variables and secrets",
  kv: "Keys and values",
  invocations: "Running functions",
  jobs: "Runs that are kept for later",
  schedules: "Functions that are run by themselves",
  executions: "What ran, and how it went",
  metrics: "Numbers over time",
  keys: "API keys",
  session: "Logging in",
  system: "The server itself",
} as const;

const transform = createJsonSchemaTransform({});

/** Makes /api/openapi.json of the routes' schemas. */
export function openapiSettings({ version }: Pick<ManagementParts, "version">): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Cloche",
        version,
        description:
          "The management API of a Cloche server. Names may stand for ids, URL-encoded (`math%2Fadd`). Times are ISO 8601 " +
          "in UTC, durations milliseconds. Fields that are not set are absent. Unknown fields are refused.",
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/" }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: "an API key" },
          session: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
        },
      },
    },
    transform(document) {
      const transformed = transform(document);
      const { scope } = document.route.config ?? {};
      return { ...transformed, schema: { ...transformed.schema, ...(scope === undefined ? {} : accessOf(scope)) } };
    },
    transformObject(document) {
      const whole = jsonSchemaTransformObject(document) as OpenapiDocument;
      for (const methods of Object.values(whole.paths ?? {})) {
        for (const operation of Object.values(methods)) tidy(operation);
      }
      dropUnused(whole);
      return whole;
    },
  };
}

function accessOf(scope: NeededScope): object {
  const security = scope === "none" ? [] : [{ key: [] }, { session: [] }];
  return { security, "x-scope": scope };
}

interface OpenapiOperation {
  requestBody?: { content?: Record<string, { schema?: object }> };
  responses?: Record<string, { description?: string; content?: object }>;
}
interface OpenapiDocument {
  components?: { schemas?: Record<string, object> };
  paths?: Record<string, Record<string, OpenapiOperation>>;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  "200": "Done",
  "201": "Made",
  "202": "Taken; it will be done",
  "204": "Done; no body",
  "302": "Elsewhere",
  "4XX": "The request is refused",
  "5XX": "The platform could not do it",
};

/** What the generator cannot know: archives are bytes, a 204 has no body, and what a status stands for. */
function tidy({ requestBody, responses = {} }: OpenapiOperation): void {
  const content = requestBody?.content;
  if (content?.[ZIP] !== undefined) content[ZIP] = { schema: { type: "string", contentMediaType: ZIP } };
  for (const [status, response] of Object.entries(responses)) {
    response.description = DESCRIPTIONS[status] ?? status;
    if (status === "204" || status === "302") delete response.content;
  }
}

/** The generator makes two of each shape, one for requests; most shapes are only answered. */
function dropUnused({ paths, components }: OpenapiDocument): void {
  const schemas = components?.schemas ?? {};
  const isUsed = (name: string): boolean => JSON.stringify([paths, schemas]).includes(`"#/components/schemas/${name}"`);
  for (;;) {
    const unused = Object.keys(schemas).filter((name) => !isUsed(name));
    if (unused.length === 0) return;
    for (const name of unused) delete schemas[name]; // others may have been used by these alone
  }
}
