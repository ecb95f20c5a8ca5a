import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { assertAccessible, assertNoHorizontalScroll } from "./browser-under-test.ts";
import { PagesUnderTest } from "./pages-under-test.ts";

const rows = "[role=row]:has(a)";

const GREET = `export default async (request) => {
  const url = new URL(request.url);
  console.log("greets", url.searchParams.get("name"));
  if (url.searchParams.has("slow")) {
    for (let i = 0; i < 40; i++) {
      console.log("tick", i);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  if (url.searchParams.has("bad")) throw new TypeError("no greeting today");
  return new Response("<h1>hello</h1><script>parent.document.title = 'taken'</script>", {
    headers: { "content-type": "text/html" },
  });
};
`;

describe("executions in the dashboard", () => {
  let pages: PagesUnderTest;
  before(async () => {
    pages = await PagesUnderTest.start();
    await pages.api("POST", "/api/functions", {
      name: "greet",
      language: "javascript",
      code: GREET,
      saveResponses: true,
    });
    await fetch(`${pages.server.url}/fn/greet?name=ada`, { headers: { authorization: "Bearer very-secret" } });
    await fetch(`${pages.server.url}/fn/greet?name=bob&bad=1`);
  });
  after(() => pages.dispose());

  it("are listed, filtered by the address and found by what they printed", async (t) => {
    const page = await pages.open(t, "/executions");
    await page.locator(rows).nth(1).waitFor();
    await assertAccessible(page, "main");
    await page.getByLabel("Status", { exact: true }).selectOption("error");
    await page.waitForURL(/status=error/);
    await onlyRow(page);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByLabel("Search in logs and errors").fill("ada");
    await page.waitForURL(/text=ada/);
    await onlyRow(page);
    assert.match(await page.locator(rows).innerText(), /Success/);
    await page.reload();
    await onlyRow(page);
    assert.equal(await page.getByLabel("Search in logs and errors").inputValue(), "ada");
    await page.getByLabel("Search in logs and errors").fill("nobody printed this");
    await page.getByText("Nothing matches these filters").waitFor();
  });

  it("appear by themselves, and their logs while they run", async (t) => {
    const page = await pages.open(t, "/executions?function=greet&trigger=http");
    await page.locator(rows).first().waitFor();
    const stopped = new AbortController();
    const call = fetch(`${pages.server.url}/fn/greet?slow=1`, { signal: stopped.signal }).catch(() => undefined);
    const running = page.locator(rows).filter({ hasText: "Running" });
    await running.getByRole("link").click();
    await page.getByText("It is running.").waitFor();
    await page.getByText("tick 3").waitFor();
    assert.ok(await page.getByText("It is running.").isVisible(), "the lines came before the end");
    await page.getByRole("button", { name: "End it" }).click();
    await page.getByText("Cancelled", { exact: true }).waitFor();
    stopped.abort();
    await call;
  });

  it("show event, response and logs, and never a secret", async (t) => {
    const page = await pages.open(t, "/executions?text=ada");
    await page.locator(rows).getByRole("link").click();
    await page.getByText("greets ada").waitFor();
    await page.getByText("Headers (").first().click();
    await page.getByText("authorization").waitFor();
    assert.doesNotMatch(await page.content(), /very-secret/);
    await page.getByText("Source", { exact: true }).click();
    await assertAccessible(page, "main");
    await page.goBack();
    await page.waitForURL(/executions\?text=ada/);
  });

  it("preview HTML that cannot reach the dashboard", async (t) => {
    const page = await pages.open(t, "/executions?text=ada");
    await page.locator(rows).getByRole("link").click();
    const frame = page.frameLocator("iframe");
    await frame.getByRole("heading", { name: "hello" }).waitFor();
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "");
    assert.match(await page.title(), /greet/);
    await page.getByText("Source", { exact: true }).click();
    await page.getByText("parent.document.title").waitFor();
  });

  it("say what went wrong, with the line of the code, and run again", async (t) => {
    const page = await pages.open(t, "/executions?status=error");
    await page.locator(rows).getByRole("link").click();
    const fault = page.getByRole("region", { name: "What went wrong" });
    await fault.getByText("no greeting today (Line 10)").waitFor();
    assert.match(await fault.innerText(), /> 10 \|/);
    const address = page.url();
    await page.getByRole("button", { name: "Run again", exact: true }).click();
    await page.waitForURL((url) => url.href !== address);
    await fault.getByText("no greeting today (Line 10)").waitFor();
    await page.goBack();
    await page.waitForURL(address);
  });

  it("fit a telephone, and speak Chinese", async (t) => {
    const page = await pages.open(t, "/executions", { viewport: { width: 375, height: 800 }, locale: "zh-CN" });
    await page.getByRole("heading", { name: "执行记录" }).waitFor();
    await page.locator(rows).first().waitFor();
    await assertNoHorizontalScroll(page);
    await page.locator(rows).first().getByRole("link").click();
    await page.getByRole("heading", { name: "时间线" }).waitFor();
    await assertNoHorizontalScroll(page);
  });

  it("show thousands of lines without as many elements", async (t) => {
    const code = "for (let i = 1; i <= 3000; i++) console.log('line', i); return 1;";
    await pages.api("POST", "/run-now", { language: "javascript", code });
    const page = await pages.open(t, "/executions?trigger=run-now");
    await page.locator(rows).first().getByRole("link").click();
    const log = page.getByRole("log");
    await page.getByText(/^3,000 lines$/).waitFor();
    assert.ok((await log.locator("[data-index]").count()) < 200);
    await page.getByPlaceholder("Search in the logs").fill("line 2999");
    await log.getByText("line 2999").waitFor();
    await page.getByText("1 of 3,000 lines").waitFor();
  });

  it("leave no error in the console and ask no other host", () => {
    const complaints = pages.complaints.filter((text) => !text.includes("Blocked script execution in 'about:srcdoc'"));
    assert.deepEqual(complaints, []);
  });
});

/** While a list is fetched it shows the one before, or none. */
async function onlyRow(page: Page): Promise<void> {
  for (let tries = 0; (await page.locator(rows).count()) !== 1; tries++) {
    assert.ok(tries < 300, `${await page.locator(rows).count()} rows`);
    await page.waitForTimeout(100);
  }
}
