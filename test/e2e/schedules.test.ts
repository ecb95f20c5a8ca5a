// Schedules over HTTP, in a real server with real sandboxes.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ManagementUnderTest } from "../management-under-test.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const SOON_MS = 30_000;
const CODE = "def handler(event, context):\n    return event\n";

interface JobBody {
  readonly id: string;
  readonly status: string;
  readonly result?: unknown;
  readonly scheduledAt?: string;
  readonly history: readonly { readonly startedAt: string; readonly executionId: string }[];
}

suite("schedules", () => {
  let server: ServerUnderTest;
  let api: ManagementUnderTest;
  before(async () => {
    server = await startServer();
    api = await ManagementUnderTest.open(server.url);
  });
  after(() => server.dispose());

  const add = async (name: string, more: object = {}): Promise<{ id: string }> => {
    const body = { name, language: "python", code: CODE, ...more };
    return (await api.call("createFunction", 201, { body })).json as { id: string };
  };
  const jobsOf = async (name: string): Promise<JobBody[]> => {
    const { json } = await api.call("listJobs", 200, { query: { function: name, status: "completed", limit: 200 } });
    const ids = (json.items as { id: string }[]).map(({ id }) => id);
    return await Promise.all(
      ids.map(async (id) => (await api.call("readJob", 200, { params: { id } })).json as JobBody),
    );
  };
  async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const giveUpAtMs = Date.now() + SOON_MS;
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      assert.ok(Date.now() < giveUpAtMs, `${what} within ${SOON_MS} ms`);
      await delay(50);
    }
  }

  test("a function with a schedule is run by itself, within a second of its time", async () => {
    await add("ticks", { schedule: { cron: "@every 1s", overlap: "allow" } });

    const jobs = await until("three runs", async () => {
      const found = await jobsOf("ticks");
      return found.length >= 3 ? found : undefined;
    });
    const lateMs = jobs.map(
      ({ scheduledAt = "", history }) => Date.parse(history[0]?.startedAt ?? "") - Date.parse(scheduledAt),
    );
    assert.ok(lateMs.toSorted((a, b) => a - b)[1]! < 1_000, `late by ${lateMs.join(", ")} ms`);
    for (const { id, result, scheduledAt } of jobs) {
      assert.match(id, /^cron:[\da-f-]{36}:\d{13}$/);
      assert.deepEqual(result, { scheduledAt });
    }
    const { json } = await api.call("listExecutions", 200, { query: { function: "ticks", trigger: "cron" } });
    assert.ok(json.items.length >= 3);

    const paused = { cron: "@every 1s", paused: true };
    await api.call("putSchedule", 200, { params: { id: "ticks" }, body: paused });
    await delay(1_500); // what was on its way
    const count = (await jobsOf("ticks")).length;
    await delay(2_500);
    assert.equal((await jobsOf("ticks")).length, count, "a paused schedule does not fire");
    const { json: started } = await api.call("runSchedule", 202, { params: { id: "ticks" } });
    await until("the run that was asked for", async () => {
      const { json: job } = await api.call("readJob", 200, { params: { id: started.jobId } });
      return job.status === "completed" ? true : undefined;
    });
  });

  test("a schedule is read, changed and removed, with its next fires in its own zone", async () => {
    const params = { id: "planned" };
    await add("planned");
    await api.call("readSchedule", 404, { params });
    await api.call("nextFires", 404, { params });
    await api.call("runSchedule", 404, { params });
    await api.call("deleteSchedule", 404, { params });

    const body = { cron: "30 2 * * *", timeZone: "Europe/Berlin", missed: "once", input: { n: 1 } };
    const { json } = await api.call("putSchedule", 200, { params, body });
    assert.deepEqual(json, { ...body, overlap: "forbid", paused: false });
    assert.deepEqual((await api.call("readSchedule", 200, { params })).json, json);
    assert.deepEqual((await api.call("readFunction", 200, { params })).json.schedule, json);
    const { json: next } = await api.call("nextFires", 200, { params });
    assert.deepEqual([next.timeZone, next.paused, next.fires.length], ["Europe/Berlin", false, 5]);
    for (const { at, local } of next.fires as { at: string; local: string }[]) {
      assert.match(local, /T0[23]:[03]0:00\+0[12]:00$/);
      assert.equal(Date.parse(local), Date.parse(at));
    }
    const { json: changed } = await api.call("changeFunction", 200, { params, body: { schedule: { cron: "@daily" } } });
    assert.deepEqual([changed.schedule.cron, changed.schedule.timeZone], ["@daily", "UTC"]);
    await api.call("deleteSchedule", 204, { params });
    await api.call("readSchedule", 404, { params });
    const { json: none } = await api.call("changeFunction", 200, { params, body: { schedule: null } });
    assert.equal(none.schedule, undefined);
  });

  test("what is no schedule is refused by the field that is wrong, and changes nothing", async () => {
    const params = { id: "strict" };
    await add("strict");
    const cases: [object, RegExp][] = [
      [{ cron: "99 * * * *" }, /^schedule\.cron: /],
      [{ cron: "@every soon" }, /^schedule\.cron: @every needs a duration/],
      [{ cron: "@daily", timeZone: "Nowhere" }, /^schedule\.timeZone: "Nowhere" is no IANA time zone/],
      [{ cron: "@daily", overlap: "maybe" }, /^overlap: one of allow, forbid, replace/],
      [{ cron: "@daily", input: "x".repeat(70_000) }, /^schedule\.input: 65536 bytes at most/],
      [{ timeZone: "UTC" }, /^cron: /],
    ];
    for (const [body, message] of cases) {
      const { json } = await api.call("putSchedule", 400, { params, body });
      assert.match(json.error.message, message);
    }
    await api.call("readSchedule", 404, { params });
  });
});
