// Holds the OpenAPI document that the routes make against the specification's own schema; part of `npm run check`.
import { Validator } from "@seriousme/openapi-schema-validator";
import { openManagementApi } from "../src/http/api/management-api.ts";

const OPERATIONS_AT_LEAST = 40; // a document without routes is valid, too

// The document comes from the schemas alone: none of the handlers is called, so they need nothing to work with.
const api = await openManagementApi({ version: "0.0.0", limits: { bodyBytes: 1024 } });
const document = api.swagger();
const operations = Object.values(document.paths ?? {}).flatMap((methods) => Object.values(methods));
const ids = operations.map(({ operationId }) => operationId);
const { valid, errors } = await new Validator().validate(structuredClone(document));
const complaints = [
  ...(valid ? [] : [`it is not valid: ${JSON.stringify(errors, undefined, 2)}`]),
  ...(document.openapi === "3.1.0" ? [] : [`it is version ${document.openapi}`]),
  ...(operations.length >= OPERATIONS_AT_LEAST ? [] : [`it has only ${operations.length} operations`]),
  ...operations
    .filter(({ operationId, summary, tags }) => !operationId || !summary || tags?.length !== 1)
    .map((one) => `no id, summary or tag: ${JSON.stringify(one).slice(0, 200)}`),
  ...ids.filter((id, place) => ids.indexOf(id) !== place).map((id) => `two operations are called ${id}`),
];
for (const complaint of complaints) process.stderr.write(`openapi: ${complaint}\n`);
if (complaints.length > 0) process.exitCode = 1;
