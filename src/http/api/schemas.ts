// The shapes that more than one route speaks of.
import { z } from "zod";
import { SCOPES } from "../../core/access.ts";
import { STATUSES, TRIGGERS } from "../../core/execution.ts";
import { DEFAULT_SETTINGS, MISSED_POLICIES, OVERLAPS, STYLES } from "../../core/function.ts";

const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
const DESCRIPTION_BYTES = 500;
const MAX_ORIGINS = 100;
const MAX_HOSTS = 100;
const ORIGIN = /^(?:\*|https?:\/\/[^\s/?#]+)$/;

/** Undefined fields are left out of an answer; nothing is ever null. */
export const time = z.iso.datetime().describe("ISO 8601, UTC");

const errorBody = z
  .object({
    error: z.object({
      code: z.string().describe("one of docs/errors.md"),
      message: z.string(),
      details: z.unknown().optional(),
      executionId: z.string().optional(),
    }),
  })
  .meta({ id: "Error" });

/** What every route may answer beside its own. */
export const FAULTS = { "4xx": errorBody, "5xx": errorBody } as const;

export const nothing = z.undefined().describe("done; no body");

export const idParams = z.strictObject({
  id: z.string().min(1).describe("id of the function, or its URL-encoded name"),
});

export const versionNumber = z.coerce.number({ error: "a version's number is required" }).int().positive();

const cursor = z.string().min(1).max(1000);

export const pageQuery = {
  limit: z.coerce
    .number({ error: `a whole number from 1 to ${MAX_PAGE}` })
    .int()
    .min(1, { error: "1 at least" })
    .max(MAX_PAGE, { error: `${MAX_PAGE} at most` })
    .default(DEFAULT_PAGE),
  cursor: cursor.optional().describe("nextCursor of the page before"),
} as const;

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().optional().describe("leads to the next page; absent on the last one"),
  });
}

export const scope = z.enum(SCOPES, { error: `one of ${SCOPES.join(", ")} is required` });

export const language = z.string({ error: "text is required" }).min(1).max(50);

const egressWord = z.enum(["none", "public", "all"]);
const hosts = z.array(z.string().min(1).max(300)).min(1).max(MAX_HOSTS);
export const egressIn = z
  .union([egressWord, hosts], { error: 'one of "none", "public", "all", or a list of hosts ("api.example.com")' })
  .describe("where the code may connect to");
const egressOut = z.union([egressWord, z.array(z.string())]);

const style = z.enum(STYLES);
const artifactMode = z.enum(["native", "wasm"]);
export const status = z.enum(STATUSES, { error: `one of ${STATUSES.join(", ")}` });
export const trigger = z.enum(TRIGGERS, { error: `one of ${TRIGGERS.join(", ")}` });

const description = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= DESCRIPTION_BYTES, { error: `${DESCRIPTION_BYTES} bytes at most` });
export const wholeFrom = (least: number, most: number) =>
  z
    .number({ error: `a whole number from ${least} to ${most}` })
    .int()
    .min(least, { error: `${least} at least` })
    .max(most, { error: `${most} at most` });

const MAX_ATTEMPTS = 100;
const MAX_BACKOFF_MS = 86_400_000;
export const attempts = wholeFrom(1, MAX_ATTEMPTS);
const { retry: RETRY } = DEFAULT_SETTINGS;
const retry = z.object({ attempts: z.number().int(), backoffMs: z.number(), maxBackoffMs: z.number() });
const retryIn = z
  .strictObject({
    attempts: attempts.default(RETRY.attempts).describe("the first one included"),
    backoffMs: wholeFrom(0, MAX_BACKOFF_MS)
      .default(RETRY.backoffMs)
      .describe("at most, before the second; then doubling"),
    maxBackoffMs: wholeFrom(0, MAX_BACKOFF_MS).default(RETRY.maxBackoffMs),
  })
  .describe("of its jobs");

const overlap = z
  .enum(OVERLAPS, { error: `one of ${OVERLAPS.join(", ")}` })
  .describe(
    "what becomes of a fire while the run of the one before goes on: both run, it is left out, or it ends the other",
  );
const missed = z
  .enum(MISSED_POLICIES, { error: `one of ${MISSED_POLICIES.join(", ")}` })
  .describe("what becomes of the fires that nobody was there for: none is run, one for all of them, or each");
export const scheduleIn = z.strictObject({
  cron: z.string({ error: "text is required" }).describe("five fields, a nickname (@daily), or @every 90s"),
  timeZone: z.string().default("UTC").describe("IANA name"),
  overlap: overlap.default("forbid"),
  missed: missed.default("skip"),
  paused: z.boolean().default(false),
  input: z.unknown().optional().describe("what each run gets; where absent, {scheduledAt}"),
});
export const scheduleOut = z
  .object({
    ...{ cron: z.string(), timeZone: z.string(), overlap, missed, paused: z.boolean() },
    input: z.unknown().optional(),
  })
  .meta({ id: "Schedule" });

/** Of a request. Null takes back what was set. */
export const settingsIn = {
  description,
  disabled: z.boolean(),
  timeoutMs: wholeFrom(1, 86_400_000).nullable().describe("null: the server's limit, which it cannot exceed"),
  concurrency: wholeFrom(1, 64).describe("calls that one worker may serve at once"),
  isolation: z.enum(["warm", "fresh"]),
  egress: egressIn.nullable(),
  access: z.enum(["key", "public"]),
  corsOrigins: z
    .array(z.string().max(300).regex(ORIGIN, { error: 'an origin ("https://example.com"), or "*"' }))
    .max(MAX_ORIGINS),
  callsPerMinute: wholeFrom(1, 1_000_000).nullable(),
  saveResponses: z.boolean(),
  retentionDays: wholeFrom(1, 3650).nullable(),
  retentionCount: wholeFrom(1, 10_000_000).nullable(),
  retry: retryIn,
  jobConcurrency: wholeFrom(1, 10_000).nullable().describe("jobs of it that may run at once, on all nodes"),
  schedule: scheduleIn.nullable(),
} as const;

const aliasTarget = z.object({ version: z.number().int(), weight: z.number().int().describe("percent") });
export const aliasOut = z
  .object({ name: z.string(), targets: z.array(aliasTarget).describe("one, or two that share the calls") })
  .meta({ id: "Alias" });

export const versionOut = z
  .object({
    version: z.number().int(),
    language: z.string(),
    style: style.optional(),
    entry: z.string().optional(),
    mode: artifactMode.optional().describe("which of its artifacts runs; absent where there are none"),
    artifacts: z
      .array(z.object({ mode: artifactMode, sizeBytes: z.number(), sha256: z.string() }))
      .optional()
      .describe("programs that were built or uploaded"),
    upload: z
      .object({ id: z.uuid(), label: z.string(), description: z.string() })
      .optional()
      .describe("how the native API (/functions, /invoke) knows it; absent where it did not come that way"),
    egress: egressOut.optional(),
    createdBy: z.string().optional().describe("name of the key that it came with"),
    createdAt: time,
    contentHash: z.string(),
    sizeBytes: z.number(),
    active: z.boolean(),
  })
  .meta({ id: "Version" });

export const versionWithCode = versionOut
  .extend({
    code: z.string().describe("of the main file"),
    files: z.record(z.string(), z.string()).optional().describe("all files by path, where there are more than one"),
  })
  .meta({ id: "VersionWithCode" });

export const functionOut = z
  .object({
    id: z.uuid(),
    name: z.string(),
    description: z.string(),
    disabled: z.boolean(),
    timeoutMs: z.number().optional(),
    concurrency: z.number(),
    isolation: z.enum(["warm", "fresh"]),
    egress: egressOut.optional(),
    access: z.enum(["key", "public"]),
    corsOrigins: z.array(z.string()),
    callsPerMinute: z.number().optional(),
    saveResponses: z.boolean(),
    retentionDays: z.number().optional(),
    retentionCount: z.number().optional(),
    retry,
    jobConcurrency: z.number().optional(),
    schedule: scheduleOut.optional(),
    language: z.string().optional().describe("of the active version"),
    activeVersion: z.number().int().optional(),
    url: z.string().describe("where it is called"),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: "Function" });

export const functionWithAll = functionOut
  .extend({
    version: versionWithCode.optional().describe("the active one"),
    aliases: z.array(aliasOut),
    env: z.record(z.string(), z.string()),
    secrets: z.array(z.string()).describe("names only"),
  })
  .meta({ id: "FunctionWithAll" });

export const logLine = z
  .object({
    level: z.enum(["debug", "info", "warn", "error"]),
    stream: z.enum(["stdout", "stderr"]),
    at: time,
    text: z.string(),
  })
  .meta({ id: "LogLine" });

export const executionOut = z
  .object({
    id: z.uuid(),
    trigger,
    functionId: z.string().optional().describe("absent for code that was run without being deployed"),
    functionName: z.string().optional(),
    version: z.number().int().optional(),
    language: z.string(),
    status,
    error: z.string().optional(),
    queuedAt: time,
    waitMs: z.number(),
    runMs: z.number(),
    cpuMs: z.number().optional().describe("CPU time, as the worker says; absent where it did not live to tell"),
    peakMemoryBytes: z.number().optional().describe("the most that its worker had held by then"),
    coldStart: z.boolean(),
    httpStatus: z.number().int().optional(),
    logsTruncated: z.boolean(),
  })
  .meta({ id: "Execution" });

/** What a function answered to a request whose sender did not wait. */
export const keptResponse = z.object({
  statusCode: z.number().int(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string(),
  isBase64Encoded: z.boolean(),
});

/** What was taken, and will be done. */
export const accepted = z
  .object({ jobId: z.string(), status: z.literal("queued"), url: z.string().describe("where to ask for it") })
  .meta({ id: "Accepted" });

/** How a run ended, for whoever asked for it. */
export const resultOut = z
  .object({
    executionId: z.uuid(),
    status,
    result: z.unknown().optional().describe("what the code returned"),
    response: keptResponse.optional().describe("what the code answered, where it was run as an HTTP request"),
    error: z
      .object({
        message: z.string(),
        name: z.string().optional(),
        stack: z.string().optional(),
        line: z.number().int().optional(),
        tip: z.string().optional(),
      })
      .optional(),
    version: z.number().int(),
    coldStart: z.boolean(),
    waitMs: z.number(),
    runMs: z.number(),
    logs: z.array(logLine).describe("the first lines that were printed"),
    logsTruncated: z.boolean(),
  })
  .meta({ id: "Result" });
