import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertAccessible, assertNoHorizontalScroll, noBrowser } from "./browser-under-test.ts";
import { PagesUnderTest } from "./pages-under-test.ts";

const BROKEN = "def handler(event, context):\n    raise ValueError('the printer is on fire')\n";
const REPAIRED = "def handler(event, context):\n    return {'printed': event['n']}\n";

describe("jobs in the dashboard", { skip: noBrowser }, () => {
  let pages: PagesUnderTest;
  before(async () => {
    pages = await PagesUnderTest.start();
    await pages.api("POST", "/api/functions", { name: "works", language: "python", code: REPAIRED });
  });
  after(() => pages.dispose());

  /** Makes a function that fails, and three jobs of it; the first one first. */
  async function deadLetters(name: string): Promise<string[]> {
    const settings = { language: "python", code: BROKEN, retry: { attempts: 2, backoffMs: 1 } };
    await pages.api("POST", "/api/functions", { name, ...settings });
    const ids: string[] = [];
    for (const n of [1, 2, 3]) ids.push(await enqueue(name, { input: { n } }));
    return ids;
  }

  async function enqueue(name: string, body: object): Promise<string> {
    const response = await fetch(`${pages.server.url}/api/functions/${name}/invocations`, {
      method: "POST",
      headers: { prefer: "respond-async" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 202);
    return ((await response.json()) as { jobId: string }).jobId;
  }

  it("show the dead letters with each attempt, and where its logs are", async (t) => {
    const ids = await deadLetters("printer");
    const page = await pages.open(t, "/jobs?function=printer");
    await page.getByLabel("Status", { exact: true }).selectOption("Dead");
    await page.waitForURL(/status=dead/);
    const rows = page.getByRole("row").filter({ hasText: "printer" });
    await rows.nth(2).waitFor();
    assert.match(await rows.first().innerText(), /Dead[\s\S]*Call[\s\S]*2 of 2[\s\S]*the printer is on fire/);
    await assertAccessible(page, "main");
    await rows.first().getByRole("link", { name: "printer" }).click();
    await page.waitForURL(new RegExp(`/jobs/${ids[2]}`));
    await page.getByText("What went wrong").waitFor();
    await page.getByText(/"n": 3/).waitFor();
    await page.getByRole("link", { name: "Logs and details" }).nth(1).waitFor();
    await assertAccessible(page, "main");
    await page.getByRole("link", { name: "Logs and details" }).first().click();
    await page.getByText("What went wrong").waitFor();
    await page.waitForURL(/\/executions\//);
    await page.goBack();
    await page.goBack();
    await page.waitForURL(/status=dead/);
  });

  it("run again one by one, or all together, when their function is repaired", async (t) => {
    const ids = await deadLetters("copier");
    const page = await pages.open(t, `/jobs/${ids[0]}`);
    await page.getByText("Dead", { exact: true }).waitFor();
    await page.goto(`${pages.server.url}/ui/jobs?status=dead&function=copier`);
    await page.getByRole("row").filter({ hasText: "copier" }).nth(2).waitFor();
    await pages.api("POST", "/api/functions/copier/versions", { code: REPAIRED });
    await page.goto(`${pages.server.url}/ui/jobs/${ids[0]}`);
    await page.getByRole("button", { name: "Run it again" }).click();
    await page.getByText("Completed", { exact: true }).waitFor();
    await page.getByText(/"printed": 1/).waitFor();

    await page.goto(`${pages.server.url}/ui/jobs?status=dead&function=copier`);
    await page.getByRole("row").filter({ hasText: "copier" }).nth(1).waitFor();
    await page.getByRole("button", { name: "Run them all again" }).click();
    const dialog = page.getByRole("dialog", { name: "Run all dead jobs again?" });
    await dialog.getByText(/Each of those of copier/).waitFor();
    await assertAccessible(page, '[role="dialog"]');
    await dialog.getByRole("button", { name: "Run them all again" }).click();
    await page.getByText("2 jobs are queued again").waitFor();
    await page.getByText("No job matches these filters").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).last().click();
    await page.getByLabel("Status", { exact: true }).selectOption("Completed");
    await page.getByRole("row").filter({ hasText: "copier" }).nth(2).waitFor();
  });

  it("are cancelled before they begin, and that is taken back", async (t) => {
    const id = await enqueue("works", { input: { n: 9 }, delayMs: 3_600_000, priority: 5 });
    const page = await pages.open(t, `/jobs/${id}`);
    await page.getByText("Queued", { exact: true }).waitFor();
    await page.getByText("It has not begun yet.").waitFor();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.getByText("Cancelled", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Completed", { exact: true }).waitFor(); // what is run again does not wait
  });

  it("are reached by keyboard and palette, on a phone, too, without a complaint of the browser", async (t) => {
    const page = await pages.open(t, "/");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("j");
    await page.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.waitForURL(/\/ui\/$/);
    await page.keyboard.press("Control+k");
    await page.getByRole("textbox", { name: "Search pages, functions and actions" }).fill("jobs");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
    await page.context().close();

    const id = await enqueue("works", { input: { n: 1 } });
    const phone = await pages.open(t, `/jobs`, { viewport: { width: 375, height: 780 }, colorScheme: "dark" });
    await phone.getByRole("row").nth(1).waitFor();
    await assertNoHorizontalScroll(phone);
    await phone.goto(`${pages.server.url}/ui/jobs/${id}`);
    await phone.getByText(/"printed": 1/).waitFor();
    await assertNoHorizontalScroll(phone);
    await assertAccessible(phone, "main");
    await phone.context().close();
    assert.deepEqual(pages.complaints, []);
  });

  it("come page by page, and where none matches the filters that is said", async (t) => {
    await pages.api("POST", "/api/functions", { name: "many", language: "python", code: REPAIRED });
    await Promise.all(Array.from({ length: 53 }, () => enqueue("many", { delayMs: 3_600_000 })));
    const page = await pages.open(t, "/jobs?status=queued&function=many");
    const rows = page.getByRole("row").filter({ hasText: "many" });
    await rows.nth(49).waitFor();
    await page.getByRole("button", { name: "Show more" }).click();
    await rows.nth(52).waitFor();
    assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
    await page.getByLabel("Kind").selectOption("Callback");
    await page.getByText("No job matches these filters").waitFor();
  });
});
