import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ServerUnderTest } from "../server-under-test.ts";
import { closeBoth, noBrowser, openBrowserFor, openPage } from "./browser-under-test.ts";
import { fillStore, functionName, NEEDLE } from "./full-store.fixture.ts";

const FUNCTIONS = 1000;
const EXECUTIONS = 100_000;
const FAILURES = EXECUTIONS / 50;
const LOG_LINES = 100_000;
/** Of a whole page with whatever is around the list; a list that draws all its rows has tens of thousands. */
const MOST_ELEMENTS = 3000;
const MOST_TURNS = 2000;
const ROWS = "[role=row]:has(a)";

describe("the dashboard on a server that has seen much", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  let longRun: string;
  before(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
    longRun = await fillStore(dataDir, { functions: FUNCTIONS, executions: EXECUTIONS, logLines: LOG_LINES });
    server = new ServerUnderTest(dataDir, { MAX_CONTAINERS: "4", KEEP_EXECUTIONS: String(2 * EXECUTIONS) });
    [browser] = await openBrowserFor(server.started.then(() => server));
  });
  after(() => closeBoth(browser, server));

  test(`${FUNCTIONS} functions are scrolled to the last one, searched and sorted`, async (t) => {
    const page = await openPage(t, browser, server);
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes("/api/metrics/functions/")) asked++;
    });
    await page.goto("/ui/functions");
    await page.getByText(functionName(0)).waitFor();
    await assertFewElements(page);

    await page.mouse.move(700, 500);
    for (let turn = 0; turn < 40; turn++) {
      await page.mouse.wheel(0, 1500);
      await page.evaluate("new Promise(requestAnimationFrame)");
    }
    await assertFewElements(page);
    await page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)");
    await page.getByText(functionName(FUNCTIONS - 1)).waitFor();
    await assertFewElements(page);
    assert.ok(asked < FUNCTIONS / 2, `rows that only passed by asked the server ${asked} times`);

    await page.keyboard.press("/");
    await page.keyboard.type("service-07");
    await page.getByText("100 of 1000 functions").waitFor();
    await page.goto("/ui/functions?sort=calls");
    await page.getByRole("listitem").first().waitFor();
    await assertFewElements(page);
  });

  test(`${EXECUTIONS} executions are filtered, found, and scrolled to the first one`, async (t) => {
    const page = await openPage(t, browser, server);
    await page.goto("/ui/executions");
    await page.locator(ROWS).first().waitFor();
    const list = page.getByRole("rowgroup", { name: "Executions" });
    await list.focus();
    for (let turn = 0; turn < 40; turn++) await page.keyboard.press("PageDown");
    await assertFewElements(page);

    await page.getByLabel("Status", { exact: true }).selectOption("error");
    await page.waitForURL(/status=error/);
    const table = page.getByRole("table", { name: "Executions" });
    await page.locator(ROWS).filter({ hasText: "TypeError: it broke" }).first().waitFor();
    const errors = FAILURES - EXECUTIONS / 5000; // the others took too long
    const first = page.locator(`[aria-rowindex="${errors + 1}"]`);
    // Each time that its end comes into sight, a page follows; the number of rows is known with the last one.
    for (let turn = 0; turn < MOST_TURNS && (await first.count()) === 0; turn++) {
      await list.press("End");
      await page.evaluate("new Promise(requestAnimationFrame)");
    }
    await first.waitFor();
    assert.equal(await table.getAttribute("aria-rowcount"), String(errors + 1));
    await assertFewElements(page);

    await page.goto(`/ui/executions?text=${NEEDLE}`);
    await page
      .locator(ROWS)
      .nth(EXECUTIONS / 10_000 - 1)
      .waitFor();
    assert.equal(await page.locator(ROWS).count(), EXECUTIONS / 10_000);
  });

  test(`a stream of ${LOG_LINES} lines that were printed before is not cut off`, async () => {
    const response = await fetch(`${server.url}/api/executions/${longRun}/logs?follow=1`);
    const events = (await response.text()).trimEnd().split("\n\n");
    assert.equal(events.length, LOG_LINES + 1);
    assert.match(events.at(-1) ?? "", /^event: end\n/);
  });

  test(`a log of ${LOG_LINES} lines begins with the first one, is searched, and ends with the last one`, async (t) => {
    const page = await openPage(t, browser, server);
    await page.goto(`/ui/executions/${longRun}`);
    const log = page.getByRole("log");
    await log.getByText("line 1 of").waitFor();
    await page.getByText("100,000 lines").waitFor();
    await assertFewElements(page);
    assert.ok(await log.getByText("line 1 of").isVisible(), "what is over is read from its beginning");

    const last = log.getByText(`line ${LOG_LINES} of`);
    // On a busy machine the first one may come before all lines have their place.
    for (let turn = 0; turn < MOST_TURNS && (await last.count()) === 0; turn++) {
      await log.press("End");
      await page.evaluate("new Promise(requestAnimationFrame)");
    }
    await last.waitFor();
    await assertFewElements(page);
    await page.getByPlaceholder("Search in the logs").fill("line 99999 ");
    await page.getByText("1 of 100,000 lines").waitFor();
    await page.getByPlaceholder("Search in the logs").fill("");
    await page.getByLabel("Lowest level").selectOption("warn");
    await page.getByText("100 of 100,000 lines").waitFor();
  });
});

async function assertFewElements(page: Page): Promise<void> {
  const count = await page.evaluate<number>("document.getElementsByTagName('*').length");
  assert.ok(count < MOST_ELEMENTS, `${page.url()} has ${count} elements`);
}
