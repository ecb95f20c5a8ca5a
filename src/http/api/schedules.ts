import { z } from "zod";
import type { Schedule } from "../../core/function.ts";
import { noSchedule } from "../../services/schedules.ts";
import { acceptedJob } from "../prefer.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { accepted, FAULTS, idParams, nothing, scheduleIn, scheduleOut, time } from "./schemas.ts";
import { scheduleOf } from "./settings.ts";
import { isoTime, scheduleShape } from "./shapes.ts";

const fires = z.object({
  timeZone: z.string(),
  paused: z.boolean(),
  fires: z
    .array(z.object({ at: time, local: z.string().describe("the same moment in the schedule's zone, ISO 8601") }))
    .describe("the next five; none while it is paused"),
});

/** When a function is run by itself. */
export function scheduleRoutes(api: Api, { inventory, functions, schedules }: ManagementParts): void {
  function require(idOrName: string): Schedule {
    const { name, settings } = inventory.function(idOrName);
    if (settings.schedule === undefined) throw noSchedule(name);
    return settings.schedule;
  }

  api.get("/api/functions/:id/schedule", {
    config: { scope: "read" },
    schema: {
      operationId: "readSchedule",
      summary: "When a function is run by itself",
      tags: ["schedules"],
      params: idParams,
      response: { 200: scheduleOut, ...FAULTS },
    },
    handler: async ({ params }) => scheduleShape(require(params.id)),
  });

  api.put("/api/functions/:id/schedule", {
    config: { scope: "deploy" },
    schema: {
      operationId: "putSchedule",
      summary: "Runs a function by itself; also pauses and resumes that",
      tags: ["schedules"],
      params: idParams,
      body: scheduleIn,
      response: { 200: scheduleOut, ...FAULTS },
    },
    handler: async ({ params, body }) => {
      const schedule = scheduleOf(body);
      await functions.update(params.id, { settings: { schedule } });
      return scheduleShape(schedule);
    },
  });

  api.delete("/api/functions/:id/schedule", {
    config: { scope: "deploy" },
    schema: {
      operationId: "deleteSchedule",
      summary: "A function is not run by itself any more",
      tags: ["schedules"],
      params: idParams,
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ params }, reply) => {
      require(params.id);
      await functions.update(params.id, { settings: { schedule: undefined } });
      return await reply.code(204).send();
    },
  });

  api.get("/api/functions/:id/schedule/next", {
    config: { scope: "read" },
    schema: {
      operationId: "nextFires",
      summary: "When it is run next",
      tags: ["schedules"],
      params: idParams,
      response: { 200: fires, ...FAULTS },
    },
    handler: async ({ params }) => {
      const { timeZone, paused } = require(params.id);
      const next = await schedules.next(inventory.function(params.id));
      return { timeZone, paused, fires: next.map((at) => ({ at: isoTime(at), local: localTime(at, timeZone) })) };
    },
  });

  api.post("/api/functions/:id/schedule/run", {
    config: { scope: "invoke" },
    schema: {
      operationId: "runSchedule",
      summary: "Runs it now as its schedule would, paused or not",
      tags: ["schedules"],
      params: idParams,
      response: { 202: accepted, ...FAULTS },
    },
    handler: async ({ params }, reply) => {
      const job = acceptedJob(await schedules.runNow(inventory.function(params.id)));
      return await reply.code(202).header("location", job.url).send(job);
    },
  });
}

/** `2027-03-28T03:00:00+02:00` */
function localTime(atMs: number, timeZone: string): string {
  const date = new Date(atMs);
  const fields = { timeZone, dateStyle: "short", timeStyle: "medium" } as const;
  const text = new Intl.DateTimeFormat("sv-SE", fields).format(date).replace(" ", "T");
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(date);
  const offset = parts.find(({ type }) => type === "timeZoneName")?.value.slice("GMT".length) ?? "";
  return `${text}${offset === "" ? "Z" : offset}`;
}
