import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { en } from "../../dashboard/src/messages/schedule.en.ts";
import { cronWords } from "../../dashboard/src/pages/function/schedule/cron-words.ts";
import { assertAccessible, assertNoHorizontalScroll, noBrowser } from "./browser-under-test.ts";
import { PagesUnderTest } from "./pages-under-test.ts";

const TICK = `export default async (request) => Response.json({ asked: await request.json() });`;

interface Fires {
  readonly fires: readonly { readonly at: string; readonly local: string }[];
}

describe("a schedule in plain words", () => {
  for (const [cron, words] of [
    ["* * * * *", "Every minute"],
    ["*/5 * * * *", "Every 5 minutes"],
    ["0 * * * *", "Every hour, on the hour"],
    ["15,45 * * * *", "Every hour at minute 15 and 45"],
    ["0 */6 * * *", "Every 6 hours, at minute 0"],
    ["30 2 * * *", "At 02:30, every day"],
    ["0 9 * * MON-FRI", "At 09:00, on Monday to Friday"],
    ["0 9,17 * * 1,3", "At 09:00 and 17:00, on Monday and Wednesday"],
    ["*/10 9-17 * * 7", "Every 10 minutes, from 09:00 to 17:50, on Sunday"],
    ["0 0 L * *", "At 00:00, on the last day of the month"],
    ["0 0 13 * FRI", "At 00:00, on day 13 of the month or on Friday"],
    ["0 0 1,15 jan,JUL *", "At 00:00, on day 1 and 15 of the month, in January and July"],
    ["@weekly", "At 00:00, on Sunday"],
    ["@every 90s", "Every 90 seconds"],
    ["@every 1d", "Every day"],
    ["@every 1h30m", "Every hour and 30 minutes"],
  ] as const) {
    it(`reads ${cron} as "${words}"`, () => assert.equal(cronWords(cron, en, "en"), words));
  }

  it("is left to the pattern where it is wrong, or where words would not be shorter", () => {
    for (const cron of ["", "x", "60 * * * *", "* * * *", "5-1 * * * *", "0 0 * * MON#1", "@every", "1-9/2 * * * *"]) {
      assert.equal(cronWords(cron, en, "en"), undefined, cron);
    }
  });
});

describe("a function's schedule", { skip: noBrowser }, () => {
  let pages: PagesUnderTest;
  before(async () => {
    pages = await PagesUnderTest.start();
    for (const name of ["tick", "tock", "tack", "phone"]) {
      await pages.api("POST", "/api/functions", { name, language: "javascript", code: TICK });
    }
  });
  after(() => pages.dispose());

  it("is made of a preset, said in plain words, refused where it is wrong, and shown with its next runs", async (t) => {
    const page = await pages.open(t, "/functions/tick/settings", { timezoneId: "Europe/Berlin" });
    const schedule = page.getByRole("region", { name: "Schedule" });
    await schedule.getByRole("button", { name: "Run it on a schedule" }).click();
    assert.equal(await schedule.getByLabel("Time zone").inputValue(), "Europe/Berlin");
    await schedule.getByLabel("How often").selectOption("Every 90 seconds");
    await schedule.getByText("Every 90 seconds", { exact: true }).last().waitFor();
    assert.equal(await schedule.getByLabel("Schedule (cron").inputValue(), "@every 90s");

    await schedule.getByLabel("Schedule (cron").fill("99 * * * *");
    await schedule.getByRole("button", { name: "Save the schedule" }).click();
    await schedule
      .getByText(/minute/i)
      .last()
      .waitFor();
    await schedule.getByLabel("Schedule (cron").fill("0 9 * * MON-FRI");
    await schedule.getByRole("status").getByText("At 09:00, on Monday to Friday").waitFor();
    await schedule.getByLabel("Time zone").fill("Mars/Olympus");
    await schedule.getByRole("button", { name: "Save the schedule" }).click();
    await schedule.getByText(/is no IANA time zone/).waitFor();
    await schedule.getByLabel("Time zone").fill("America/New_York");
    await page.getByRole("option", { name: "America/New_York" }).click();
    await schedule.getByRole("button", { name: "Save the schedule" }).click();
    await schedule.getByText("Next runs, time in America/New_York").waitFor();

    const { fires } = (await pages.api("GET", "/api/functions/tick/schedule/next")) as Fires;
    const shown = schedule.getByRole("list", { name: "Next runs" }).getByRole("listitem");
    await shown.nth(4).waitFor();
    assert.deepEqual(
      await Promise.all((await shown.locator("time").all()).map((item) => item.getAttribute("datetime"))),
      fires.map(({ at }) => at),
    );
    for (const [index, { local }] of fires.entries()) {
      assert.match(local, /T09:00:00-0[45]:00$/);
      assert.match(await shown.nth(index).innerText(), /09:00:00/);
    }
    await assertAccessible(page, "main");
    await page.context().close();
    forgive(/status of 400/);
  });

  it("is run now, paused, taken back and removed; numbers of its input keep their digits", async (t) => {
    const input = '{"n":12345678901234567890}';
    await fetch(`${pages.server.url}/api/functions/tock/schedule`, {
      method: "PUT",
      body: `{"cron":"0 0 1 1 *","input":${input}}`,
    });
    const stored = async (): Promise<string> =>
      await (await fetch(`${pages.server.url}/api/functions/tock/schedule`)).text();
    const page = await pages.open(t, "/functions/tock/settings");
    const schedule = page.getByRole("region", { name: "Schedule" });

    await schedule.getByRole("button", { name: "Pause" }).click();
    await schedule.getByText("It is paused, so none is planned.").waitFor();
    assert.match(await stored(), /"paused":true/);
    assert.ok((await stored()).includes(input), await stored());
    await page.getByRole("button", { name: "Undo" }).click();
    await schedule.getByText("Next runs, time in UTC").waitFor();
    assert.match(await stored(), /"paused":false/);

    await schedule.getByRole("button", { name: "Remove the schedule" }).click();
    await schedule.getByText("It runs only when somebody calls it.").waitFor();
    await page.getByRole("button", { name: "Undo" }).last().click();
    await schedule.getByText("Next runs, time in UTC").waitFor();
    assert.ok((await stored()).includes(input), await stored());

    await schedule.getByRole("button", { name: "Run now" }).click();
    await schedule.getByRole("link", { name: "See this run" }).click();
    await page.getByText("Completed", { exact: true }).waitFor();
    await page.getByText("12345678901234567890").first().waitFor();
  });

  it("leaves what is typed in other sections alone when it is saved", async (t) => {
    await pages.api("PUT", "/api/functions/tack/schedule", { cron: "0 0 1 1 *" });
    const page = await pages.open(t, "/functions/tack/settings");
    await page.getByLabel("Calls per minute").fill("77");
    const schedule = page.getByRole("region", { name: "Schedule" });
    await schedule.getByLabel("If the run before still goes on").selectOption("Run both");
    await schedule.getByRole("button", { name: "Save the schedule" }).click();
    await page.getByText("The schedule is saved").waitFor();
    assert.equal(await page.getByLabel("Calls per minute").inputValue(), "77");
    await page.getByRole("button", { name: "Save", exact: true }).first().click();
    await page.getByText("The settings are saved").waitFor();
    const saved = (await pages.api("GET", "/api/functions/tack")) as {
      callsPerMinute: number;
      retry: { attempts: number };
      schedule: { overlap: string };
    };
    assert.deepEqual([saved.callsPerMinute, saved.retry.attempts, saved.schedule.overlap], [77, 3, "allow"]);
  });

  it("can be set on a phone, in Chinese", async (t) => {
    const page = await pages.open(t, "/functions/phone/settings", {
      viewport: { width: 375, height: 780 },
      locale: "zh-CN",
    });
    await page.getByRole("button", { name: "设置定时运行" }).click();
    await page.getByLabel("频率").selectOption("* * * * *");
    await page.getByRole("status").getByText("每分钟").waitFor();
    await page.getByRole("button", { name: "保存定时" }).click();
    await page.getByText("定时已保存").waitFor();
    await assertNoHorizontalScroll(page);
    await page.context().close();
    assert.deepEqual(pages.complaints, []);
  });

  /** Takes out what a test has brought about on purpose. */
  function forgive(expected: RegExp): void {
    const others = pages.complaints.filter((complaint) => !expected.test(complaint));
    pages.complaints.splice(0, Infinity, ...others);
  }
});
