import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fireTimes, nextFires } from "./fire-times.ts";

async function fires(cron: string, timeZone: string, after: string, count: number): Promise<string[]> {
  const next = await fireTimes({ cron, timeZone });
  return nextFires(next, Date.parse(after), count).map((at) => new Date(at).toISOString().replace(":00.000Z", "Z"));
}

test("five fields are read in the zone of the schedule", async () => {
  assert.deepEqual(await fires("30 9 * * MON-FRI", "America/New_York", "2026-11-20T12:00:00Z", 3), [
    "2026-11-20T14:30Z",
    "2026-11-23T14:30Z",
    "2026-11-24T14:30Z",
  ]);
  assert.deepEqual(await fires("*/15 * * * *", "UTC", "2026-11-20T23:50:00Z", 2), [
    "2026-11-21T00:00Z",
    "2026-11-21T00:15Z",
  ]);
  assert.deepEqual(await fires("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2), [
    "2028-02-29T00:00Z",
    "2032-02-29T00:00Z",
  ]);
  assert.deepEqual(await fires("@daily", "Asia/Kathmandu", "2026-01-01T00:00:00Z", 2), [
    "2026-01-01T18:15Z",
    "2026-01-02T18:15Z",
  ]);
});

test("a time that the spring leaves out fires once, at the end of the gap", async () => {
  assert.deepEqual(await fires("30 2 * * *", "Europe/Berlin", "2027-03-26T12:00:00Z", 3), [
    "2027-03-27T01:30Z",
    "2027-03-28T01:00Z", // 03:00 there
    "2027-03-29T00:30Z",
  ]);
});

test("a time that comes twice in autumn fires once", async () => {
  assert.deepEqual(await fires("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00:00Z", 2), [
    "2027-10-31T00:30Z",
    "2027-11-01T01:30Z",
  ]);
  assert.deepEqual(await fires("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2), [
    "2026-11-01T05:30Z",
    "2026-11-02T06:30Z",
  ]);
});

test("every hour is every hour, across both changes", async () => {
  assert.deepEqual(await fires("0 * * * *", "Europe/Berlin", "2027-03-28T00:30:00Z", 3), [
    "2027-03-28T01:00Z",
    "2027-03-28T02:00Z",
    "2027-03-28T03:00Z",
  ]);
  assert.deepEqual(await fires("*/30 2 * * *", "Europe/Berlin", "2027-10-30T23:00:00Z", 5), [
    "2027-10-31T00:00Z",
    "2027-10-31T00:30Z",
    "2027-10-31T01:00Z",
    "2027-10-31T01:30Z",
    "2027-11-01T01:00Z",
  ]);
});

test("@every fires at multiples of its period, whoever asks and when", async () => {
  assert.deepEqual(await fires("@every 90m", "UTC", "1970-01-01T02:00:00Z", 2), [
    "1970-01-01T03:00Z",
    "1970-01-01T04:30Z",
  ]);
  const next = await fireTimes({ cron: "@every 1h30m", timeZone: "UTC" });
  assert.equal(next(0), 5_400_000);
  assert.equal(next(5_400_000), 10_800_000);
  const other = await fireTimes({ cron: "@every 90s", timeZone: "Europe/Berlin" });
  assert.equal(other(Date.parse("2026-11-21T12:00:01Z")), Date.parse("2026-11-21T12:01:30Z"));
});

test("each fire is after the one before, whatever the pattern", async () => {
  const patterns = ["* * * * *", "30 2 * * *", "0 */3 * * SUN", "@every 7s", "@hourly", "15,45 1-3 * * *"];
  const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
  const start = Date.parse("2026-01-01T00:00:00Z");
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...patterns),
      fc.constantFrom(...zones),
      fc.integer({ min: 0, max: 2 * 366 * 86_400 }),
      async (cron, timeZone, seconds) => {
        const afterMs = start + seconds * 1_000 + 137;
        const all = nextFires(await fireTimes({ cron, timeZone }), afterMs, 5);
        assert.equal(all.length, 5);
        for (const [index, at] of all.entries())
          assert.ok(at > (all[index - 1] ?? afterMs), `${cron} ${timeZone} ${afterMs}`);
      },
    ),
    { numRuns: 200 },
  );
});

test("what is no schedule is refused by the field that is wrong", async () => {
  const cases: [string, string, RegExp][] = [
    ["", "UTC", /^schedule\.cron: /],
    ["61 * * * *", "UTC", /^schedule\.cron: /],
    ["* * * * * *", "UTC", /^schedule\.cron: /],
    ["nonsense", "UTC", /^schedule\.cron: /],
    ["x".repeat(201), "UTC", /^schedule\.cron: 1 to 200/],
    ["@every", "UTC", /^schedule\.cron: @every needs/],
    ["@every 10", "UTC", /^schedule\.cron: @every needs/],
    ["@every 500ms", "UTC", /^schedule\.cron: @every needs/],
    ["@every 400d", "UTC", /^schedule\.cron: @every needs/],
    ["* * * * *", "Mars/Olympus", /^schedule\.timeZone: "Mars\/Olympus" is no IANA/],
    ["* * * * *", "+01:00", /^schedule\.timeZone: /],
    ["* * * * *", "", /^schedule\.timeZone: /],
  ];
  for (const [cron, timeZone, message] of cases) {
    await assert.rejects(fireTimes({ cron, timeZone }), { code: "INVALID_REQUEST", message }, cron);
  }
});

test("a pattern that never fires has no fires", async () => {
  const next = await fireTimes({ cron: "0 0 30 2 *", timeZone: "UTC" });

  assert.deepEqual(nextFires(next, Date.parse("2026-01-01T00:00:00Z"), 5), []);
});
