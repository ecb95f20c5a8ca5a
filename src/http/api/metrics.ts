import { z } from "zod";
import { PlatformError } from "../../core/errors.ts";
import type { MetricsBucket } from "../../services/executions.ts";
import { RECENT_STEP_MS } from "../../services/recent-runs.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, idParams, pageOf, pageQuery, time } from "./schemas.ts";
import { isoTime, pageShape, roundMs } from "./shapes.ts";

const MINUTE_S = 60;
const HOUR_MS = 3_600_000;
const MAX_STEPS = 2000;

const moment = z.iso
  .datetime({ offset: true, error: 'a time such as "2026-01-31T12:00:00Z"' })
  .transform((text) => Date.parse(text));
const numbers = {
  calls: z.number().int(),
  errors: z.number().int(),
  coldStarts: z.number().int(),
  runMsAverage: z.number().optional(),
  runMsMax: z.number().optional(),
  cpuMs: z.number().describe("of all calls together, as far as their workers told it"),
  peakMemoryBytes: z.number().optional().describe("the most that a worker had held"),
  p50Ms: z.number().optional().describe("of the run time, within 5 %"),
  p95Ms: z.number().optional(),
  p99Ms: z.number().optional(),
};
const bucketOut = z.object({ from: time, ...numbers }).meta({ id: "MetricsStep" });
const recentOut = z
  .object({
    from: time,
    calls: z.number().int(),
    errors: z.number().int(),
    coldStarts: z.number().int(),
    p50Ms: z.number().optional().describe("of the run time, within 10 %"),
    p95Ms: z.number().optional(),
    p99Ms: z.number().optional(),
  })
  .meta({ id: "RecentStep" });
const rangeQuery = {
  from: moment.optional().describe("ISO 8601; an hour before `to` where absent"),
  to: moment.optional().describe("ISO 8601; now where absent"),
};

/** Numbers of functions over time; those of the whole server are at /metrics. */
export function metricsRoutes(api: Api, parts: ManagementParts): void {
  const { executions, recentRuns, inventory, clock, scrape } = parts;

  function rangeOf(query: { from?: number | undefined; to?: number | undefined }): { fromMs: number; toMs: number } {
    const toMs = query.to ?? clock.now();
    const fromMs = query.from ?? toMs - HOUR_MS;
    if (fromMs >= toMs) throw new PlatformError("INVALID_REQUEST", "from: must be before to");
    return { fromMs, toMs };
  }

  api.get("/api/metrics/functions/:id", {
    config: { scope: "read" },
    schema: {
      operationId: "readFunctionMetrics",
      summary: "A function's calls, errors, cold starts and times, step by step",
      tags: ["metrics"],
      params: idParams,
      querystring: z.strictObject({
        ...rangeQuery,
        step: z.coerce
          .number({ error: "a number of seconds" })
          .int()
          .multipleOf(MINUTE_S, { error: `seconds, a multiple of ${MINUTE_S}` })
          .min(MINUTE_S)
          .default(MINUTE_S)
          .describe("seconds"),
      }),
      response: {
        200: z.object({ functionId: z.string(), from: time, to: time, step: z.number(), items: z.array(bucketOut) }),
        ...FAULTS,
      },
    },
    handler: async ({ params, query }) => {
      const { id: functionId } = inventory.function(params.id);
      const { fromMs, toMs } = rangeOf(query);
      const stepMs = query.step * 1000;
      if ((toMs - fromMs) / stepMs > MAX_STEPS) {
        throw new PlatformError("INVALID_REQUEST", `step: more than ${MAX_STEPS} steps; take a longer one`);
      }
      const buckets = await executions.metrics(functionId, { fromMs, toMs, stepMs });
      const items = buckets.map((bucket) => stepShape(bucket));
      return { functionId, from: isoTime(fromMs), to: isoTime(toMs), step: query.step, items };
    },
  });

  api.get("/api/metrics", {
    config: { scope: "read" },
    schema: {
      operationId: "readMetrics",
      summary: "Each function's numbers over a time, in one line",
      tags: ["metrics"],
      querystring: z.strictObject({ ...rangeQuery, ...pageQuery }),
      response: { 200: pageOf(z.object({ functionId: z.string(), name: z.string(), ...numbers })), ...FAULTS },
    },
    handler: async ({ query }) => {
      const range = rangeOf(query);
      const minutes = Math.ceil((range.toMs - range.fromMs) / (MINUTE_S * 1000));
      const stepMs = Math.max(1, minutes) * MINUTE_S * 1000;
      const page = await inventory.functions({ sort: "name", limit: query.limit, cursor: query.cursor });
      const items = await Promise.all(
        page.items.map(async ({ id, name }) => {
          const buckets = await executions.metrics(id, { ...range, stepMs });
          return { functionId: id, name, ...sumOf(buckets) };
        }),
      );
      return pageShape({ items, cursor: page.cursor }, (item) => item);
    },
  });

  api.get("/api/metrics/recent", {
    config: { scope: "read" },
    schema: {
      operationId: "readRecentMetrics",
      summary: "The whole server's last quarter of an hour, in steps of some seconds, since it started",
      description:
        "Counted in memory by the node that answers: what ended in each step, the last of which is not over.",
      tags: ["metrics"],
      response: {
        200: z.object({ step: z.number().describe("seconds"), items: z.array(recentOut) }),
        ...FAULTS,
      },
    },
    handler: async () => ({
      step: RECENT_STEP_MS / 1000,
      items: recentRuns.list().map(({ fromMs, p50Ms, p95Ms, p99Ms, ...counts }) => ({
        from: isoTime(fromMs),
        ...counts,
        p50Ms: rounded(p50Ms),
        p95Ms: rounded(p95Ms),
        p99Ms: rounded(p99Ms),
      })),
    }),
  });

  api.get("/metrics", {
    config: { scope: "read" },
    schema: {
      operationId: "scrape",
      summary: "The server's numbers in Prometheus' text format",
      tags: ["metrics"],
      produces: ["text/plain"],
      response: { 200: z.string(), ...FAULTS },
    },
    serializerCompiler: () => String,
    handler: async (_request, reply) => {
      const { contentType, text } = await scrape();
      return await reply.type(contentType).send(text);
    },
  });
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : roundMs(ms);
}

function stepShape(bucket: MetricsBucket): z.infer<typeof bucketOut> {
  return { from: isoTime(bucket.fromMs), ...sumOf([bucket]) };
}

/** Of one step, or of the two that a range may touch; percentiles cannot be added, so the higher one stands. */
function sumOf(buckets: readonly MetricsBucket[]): { [Name in keyof typeof numbers]: z.infer<(typeof numbers)[Name]> } {
  const sum = (read: (bucket: MetricsBucket) => number): number => buckets.reduce((all, one) => all + read(one), 0);
  const most = (read: (bucket: MetricsBucket) => number | undefined): number | undefined => {
    const values = buckets.map(read).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : roundMs(Math.max(...values));
  };
  const calls = sum((bucket) => bucket.calls);
  return {
    calls,
    errors: sum((bucket) => bucket.errors),
    coldStarts: sum((bucket) => bucket.coldStarts),
    runMsAverage: calls === 0 ? undefined : roundMs(sum((bucket) => bucket.runMsSum) / calls),
    runMsMax: most((bucket) => bucket.runMsMax),
    cpuMs: roundMs(sum((bucket) => bucket.cpuMsSum)),
    peakMemoryBytes: most((bucket) => bucket.peakMemoryBytes || undefined),
    p50Ms: most((bucket) => bucket.p50Ms),
    p95Ms: most((bucket) => bucket.p95Ms),
    p99Ms: most((bucket) => bucket.p99Ms),
  };
}
