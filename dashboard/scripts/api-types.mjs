// Writes src/api/schema.ts: the shapes and operations of the management API, from the document that its routes make.
//   node dashboard/scripts/api-types.mjs           writes it
//   node dashboard/scripts/api-types.mjs --check   fails where the file is not what would be written
// TypeScript 7 has no programming interface, which the usual generators need; the part of JSON Schema that zod emits is small.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openManagementApi } from "../../src/http/api/management-api.ts";

const FILE = join(import.meta.dirname, "../src/api/schema.ts");
const ROOT = join(import.meta.dirname, "../..");
const JSON_TYPE = "application/json";

// The document comes from the schemas alone: none of the handlers is called, so they need nothing to work with.
const api = await openManagementApi({ version: "0.0.0", limits: { bodyBytes: 1024 } });
const text = formatted(apiTypes(api.swagger()));
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write(
      "dashboard/src/api/schema.ts is not what the API says: node dashboard/scripts/api-types.mjs\n",
    );
    process.exitCode = 1;
  }
} else writeFileSync(FILE, text);

/** As `npm run format` would leave it. */
function formatted(code) {
  const folder = mkdtempSync(join(tmpdir(), "cloche-api-types-"));
  const file = join(folder, "schema.ts");
  try {
    writeFileSync(file, code);
    execFileSync(join(ROOT, "node_modules/.bin/oxfmt"), ["-c", join(ROOT, ".oxfmtrc.json"), file]);
    return readFileSync(file, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function apiTypes({ components, paths }) {
  const shapes = Object.entries(components.schemas).map(
    ([name, schema]) => `export type ${nameOf(name)} = ${typeOf(schema)};\n`,
  );
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith("/api/"))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => operationOf(path, method, one)));
  return (
    "// Written by dashboard/scripts/api-types.mjs from the OpenAPI document of the server. Do not edit.\n\n" +
    `${shapes.join("\n")}\n` +
    "/** What each operation takes and answers, by its `operationId`. */\n" +
    `export interface Operations {\n${operations.map(({ type }) => type).join("\n")}\n}\n\n` +
    "export const ROUTES = {\n" +
    `${operations.map(({ route }) => route).join("\n")}\n` +
    "} as const satisfies { readonly [Id in keyof Operations]: readonly [method: string, path: string] };\n"
  );
}

function operationOf(path, method, { operationId, parameters = [], requestBody, responses }) {
  const inPlace = (place) => {
    const own = parameters.filter((parameter) => parameter.in === place);
    return own.length === 0 ? "undefined" : `{ ${own.map(memberOf).join(" ")} }`;
  };
  const answers = Object.entries(responses).filter(([status]) => /^2\d\d$/.test(status));
  const types = new Set(
    answers.map(([, { content }]) => (content?.[JSON_TYPE] ? typeOf(content[JSON_TYPE].schema) : "undefined")),
  );
  const body = requestBody?.content?.[JSON_TYPE]?.schema;
  return {
    type:
      `  ${operationId}: { params: ${inPlace("path")}; query: ${inPlace("query")}; ` +
      `body: ${body === undefined ? "undefined" : typeOf(body)}; response: ${[...types].join(" | ")} };`,
    route: `  ${operationId}: ["${method.toUpperCase()}", "${path}"],`,
  };
}

function memberOf({ name, required, schema }) {
  const type = typeOf(schema);
  const isOptional = required !== true || schema.default !== undefined;
  return `${JSON.stringify(name)}${isOptional ? "?" : ""}: ${type}${isOptional && type !== "unknown" ? " | undefined" : ""};`;
}

function typeOf(schema) {
  if (schema.$ref !== undefined) return nameOf(schema.$ref.split("/").at(-1));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const any = schema.anyOf ?? schema.oneOf;
  if (any !== undefined) return any.map((one) => typeOf(one)).join(" | ");
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "number":
    case "integer":
      return "number";
    case "array":
      if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map((one) => typeOf(one)).join(", ")}]`;
      return `(${typeOf(schema.items)})[]`;
    case "object":
      return objectOf(schema);
    default:
      return "unknown";
  }
}

function objectOf({ properties, required = [], additionalProperties }) {
  if (properties === undefined) return `{ [name: string]: ${typeOf(additionalProperties || {})} }`;
  const members = Object.entries(properties).map(([name, schema]) =>
    memberOf({ name, required: required.includes(name), schema: { ...schema, default: undefined } }),
  );
  // Open shapes have fields that are not said here; whoever reads those names their types.
  return `{ ${members.join(" ")} }`;
}

/** Names that the browser has already. */
function nameOf(name) {
  return { Error: "ErrorBody", Function: "FunctionSummary", System: "SystemSummary" }[name] ?? name;
}
