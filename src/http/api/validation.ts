import type { FastifySchemaCompiler } from "fastify";
import { type $ZodIssue, type $ZodType, safeParse } from "zod/v4/core";
import { PlatformError } from "../../core/errors.ts";

interface Complaint {
  /** `settings.limit`, `""` for the whole. */
  readonly field: string;
  readonly message: string;
}

/** Holds what came against a route's schema; a refusal names the first field and why, and all of them in its details. */
export const validatorCompiler: FastifySchemaCompiler<$ZodType> =
  ({ schema, httpPart }) =>
  (data) => {
    // No body at all lacks what is required, and is fine where nothing is.
    const result = safeParse(schema, httpPart === "body" ? (data ?? {}) : data);
    if (result.success) return { value: result.data };
    const complaints = result.error.issues.flatMap(complaintsOf);
    const [first = { field: httpPart ?? "", message: "is not valid" }] = complaints;
    const text = first.field === "" ? first.message : `${first.field}: ${first.message}`;
    return { error: new PlatformError("INVALID_REQUEST", text, { details: complaints }) };
  };

function complaintsOf(issue: $ZodIssue): Complaint[] {
  const field = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const before = field === "" ? "" : `${field}.`;
    return issue.keys.map((key) => ({ field: `${before}${key}`, message: "there is no such field" }));
  }
  return [{ field, message: issue.message }];
}
