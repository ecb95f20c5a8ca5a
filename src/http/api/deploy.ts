// Code on its way into a function: as one text, as files, or as a zip archive, all the same from here on.
import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import type { FunctionSettings } from "../../core/function.ts";
import type { Source } from "../../core/program.ts";
import type { Deployed } from "../../services/deploy.ts";
import type { StoredFunction } from "../../services/inventory.ts";
import { type GivenCode, SOURCE_LIMITS, sourceOf } from "../../services/source-files.ts";
import { finishedProgram } from "../../services/uploaded-program.ts";
import type { ManagementParts } from "./parts.ts";
import { BYTES, isPlainCode, programIn } from "./bodies.ts";
import { egressIn, language } from "./schemas.ts";
import { egressOf } from "./settings.ts";

/** Files as JSON are longer than the files. */
export const MAX_CODE_BODY_BYTES = SOURCE_LIMITS.totalBytes * 1.25;

export const deployBody = z.strictObject({
  language: language.optional().describe("required for the first version"),
  code: z.string().optional().describe("one text; else files"),
  files: z
    .record(z.string(), z.string({ error: "text is required" }))
    .optional()
    .describe("text by relative path"),
  entry: z.string().optional().describe("path of the main file; index.*, main.* or app.* where absent"),
  egress: egressIn.optional().describe("what this version needs; absent: what the function has"),
  activate: z.boolean().optional().describe("true where absent: calls get this version from now on"),
});

/** With a zip archive, or with code as it is, what else a body would say. */
export const deployQuery = z.strictObject({
  language: language.optional(),
  entry: z.string().optional(),
  activate: z.enum(["true", "false"]).optional(),
});

/** Makes of an archive, or of code as it is, the same body that comes as JSON. */
export async function takeQuery(request: FastifyRequest): Promise<void> {
  const isZip = request.headers["content-type"]?.includes("zip") === true;
  const query = request.query as { readonly [name: string]: string | undefined };
  if (!isZip && !isPlainCode(request)) {
    const [name] = Object.keys(query);
    if (name === undefined) return;
    throw new PlatformError("INVALID_REQUEST", `${name}: belongs into the body, where that is JSON`);
  }
  const { language, entry, activate } = query;
  request.body = {
    ...(request.body as object),
    ...(language === undefined ? {} : { language }),
    ...(entry === undefined ? {} : { entry }),
    ...(activate === undefined ? {} : { activate: activate !== "false" }),
  };
}

/**
 * Checks what can be checked before a function is made.
 *
 * @returns deploys it to the function of that name, which it makes where `newFunction` says with what settings
 */
export async function deployOf(
  parts: ManagementParts,
  message: IncomingMessage,
  body: z.infer<typeof deployBody>,
  known: StoredFunction | undefined,
): Promise<(functionName: string, newFunction?: FunctionSettings) => Promise<Deployed>> {
  const { code, files, entry, egress, activate = true, language = known?.language } = body;
  if (language === undefined) throw new PlatformError("INVALID_REQUEST", "language: text is required");
  const upload = {
    ...{ language, activate, checked: true },
    source: givenSource(parts, programIn(message), { language, code, files, entry }),
    egress: egress === undefined ? undefined : egressOf(egress),
    createdBy: parts.access.keyName(message),
  };
  return async (functionName, newFunction) => await parts.deploy({ functionName, newFunction, ...upload });
}

/** @throws PlatformError INVALID_REQUEST, CODE_TOO_LARGE, UNSUPPORTED_FILE */
function givenSource(
  { limits }: ManagementParts,
  program: Buffer | undefined,
  { language, ...given }: GivenCode & { readonly language: string },
): Source {
  if (language !== "native" && language !== "wasm") return sourceOf(language, given, limits.codeBytes);
  if (program !== undefined) return finishedProgram(program, language, limits.memoryBytes).source;
  throw new PlatformError(
    "INVALID_REQUEST",
    `a program of language "${language}" is the whole body, as ${BYTES}: curl -T FILE '…?language=${language}'`,
  );
}
