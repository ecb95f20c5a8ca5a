import type { ServerResponse } from "node:http";
import { z } from "zod";
import type { LogLevel, LogLine } from "../../core/log-line.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, logLine, pageOf, pageQuery } from "./schemas.ts";
import { logShape } from "./shapes.ts";

const HEARTBEAT_MS = 15_000; // proxies close what is silent for a minute
const MAX_UNSENT_BYTES = 4 * 1024 * 1024; // of a client that does not read; it may come back with Last-Event-ID
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

const numberedLine = logLine.extend({ n: z.number().int().describe("counted from 1") }).meta({ id: "NumberedLogLine" });
type Numbered = z.infer<typeof numberedLine>;
type Filter = (line: LogLine) => boolean;

/** What an execution printed: page by page, or as it is printed. */
export function logRoutes(api: Api, { executions, clock }: ManagementParts): void {
  api.get("/api/executions/:id/logs", {
    config: { scope: "read" },
    schema: {
      operationId: "readLogs",
      summary: "What an execution printed",
      description:
        "With `follow=1` as server-sent events: a line each, then `event: end` with the execution's final status. " +
        "A client that comes back says with Last-Event-ID which line it had last.",
      tags: ["executions"],
      params: z.strictObject({ id: z.uuid({ error: "an execution's id is a UUID" }) }),
      querystring: z.strictObject({
        level: z
          .enum(LEVELS, { error: `one of ${LEVELS.join(", ")}` })
          .optional()
          .describe("this one and what is worse"),
        search: z.string().max(500).optional().describe("part of the line, in any case"),
        follow: z.enum(["0", "1"], { error: "0 or 1" }).optional(),
        ...pageQuery,
      }),
      response: { 200: pageOf(numberedLine), ...FAULTS },
    },
    handler: async ({ params, query, headers }, reply) => {
      const { level, search, follow, limit, cursor } = query;
      const filter = filterOf(level, search);
      if (follow === "1") {
        const after = Number(headers["last-event-id"] ?? 0);
        await executions.find(params.id); // what is not there is 404, not a stream
        reply.hijack();
        await stream(params.id, reply.raw, filter, Number.isSafeInteger(after) ? after : 0);
        return reply;
      }
      const { logs } = await executions.find(params.id);
      const after = /^\d{1,9}$/.test(cursor ?? "0") ? Number(cursor ?? 0) : logs.length;
      const found = logs
        .map((line, index) => ({ line, n: index + 1 }))
        .filter(({ line, n }) => n > after && filter(line));
      const items = found.slice(0, limit).map(({ line, n }) => numbered(line, n));
      const last = items.at(-1);
      return { items, nextCursor: found.length > limit && last !== undefined ? String(last.n) : undefined };
    },
  });

  async function stream(id: string, response: ServerResponse, filter: Filter, after: number): Promise<void> {
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no", // nginx would keep the lines until it has many
    });
    response.flushHeaders();
    const stopBeating = clock.every(HEARTBEAT_MS, () => response.write(": still here\n\n"));
    let stop = (): void => {};
    // What was printed before goes out in one piece: it is as long as what is kept, not longer.
    let before: string[] | undefined = [];
    const sendBefore = (): void => {
      if (before !== undefined && before.length > 0) response.write(before.join(""));
      before = undefined;
    };
    response.on("error", () => {});
    response.once("close", () => {
      stopBeating();
      stop();
    });
    stop = await executions.follow(id, {
      onLine(line, n) {
        if (n <= after || !filter(line) || response.destroyed) return;
        const event = `id: ${n}\ndata: ${JSON.stringify(numbered(line, n))}\n\n`;
        if (before !== undefined) return void before.push(event);
        response.write(event);
        if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
      },
      onEnd(final) {
        sendBefore();
        const { status = "error", error } = final ?? {};
        response.end(`event: end\ndata: ${JSON.stringify({ status, error })}\n\n`);
      },
    });
    sendBefore();
    if (response.destroyed) stop();
  }
}

function numbered(line: LogLine, n: number): Numbered {
  return { n, ...logShape(line) };
}

function filterOf(level: LogLevel | undefined, search: string | undefined): Filter {
  const least = level === undefined ? 0 : LEVELS.indexOf(level);
  const wanted = search?.toLowerCase();
  return (line) =>
    LEVELS.indexOf(line.level) >= least && (wanted === undefined || line.text.toLowerCase().includes(wanted));
}
