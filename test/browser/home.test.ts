import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import {
  assertAccessible,
  closeBoth,
  createFunction,
  noBrowser,
  openBrowserFor,
  openPage,
} from "./browser-under-test.ts";

describe("the home page", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ MAX_CONTAINERS: "6" }));
  });
  after(() => closeBoth(browser, server));

  test("a server without functions offers some, and one click makes one and calls it", async (t) => {
    const page = await openPage(t, browser, server);
    await page.goto("/");

    await page.getByText("There is no function yet.").waitFor();
    await assertAccessible(page);
    const card = page.locator(".card", { has: page.getByRole("heading", { name: "Counter" }) });
    await card.getByRole("button", { name: "Make and call it" }).click();

    await card.getByText('{"count": 1}').or(card.getByText('{"count":1}')).waitFor();
    assert.equal((await fetch(`${server.url}/api/functions/counter`)).status, 200);
    await card.getByRole("link", { name: "Open it" }).click();
    await page.waitForURL("**/ui/functions/counter");
    await page.goBack();
    await page.getByText("1 function. Everything here is live.").waitFor();
  });

  test("each sandbox is a bell with its state, language, age and memory, and follows what happens", async (t) => {
    await createFunction(server, "seen");
    const page = await openPage(t, browser, server);
    await page.goto("/ui/");
    const bells = page.getByRole("region", { name: "Sandboxes" }).getByRole("listitem");
    await bells.first().waitFor();

    await fetch(`${server.url}/fn/seen`);

    const bell = bells.filter({ hasText: "seen" });
    await bell.waitFor();
    await bell.getByText("Warm").waitFor();
    assert.match(await bell.innerText(), /Node\.js[\s\S]*MiB[\s\S]*\d (?:ms|s|min)[\s\S]*1 run/);
    // One bell for each sandbox that there is, once both were looked at in the same moment.
    const giveUpAtMs = Date.now() + 20_000;
    let [shown, live] = [-1, 0];
    while (shown !== live && Date.now() < giveUpAtMs) {
      [shown, live] = await Promise.all([bells.count(), server.system().then(({ pool }) => pool.workers.length)]);
    }
    assert.equal(shown, live);
  });

  test("calls, errors and the reason of a failure are there within seconds", async (t) => {
    await createFunction(server, "breaks", { code: "export default () => { throw new Error('no milk'); };" });
    const page = await openPage(t, browser, server);
    await page.goto("/ui/");
    await page.getByRole("heading", { level: 1 }).waitFor();

    for (let call = 0; call < 6; call++) await fetch(`${server.url}/fn/breaks`);

    const failure = page.getByRole("region", { name: "Recent failures" }).getByRole("link").first();
    await failure.filter({ hasText: "breaks" }).waitFor();
    assert.match(await failure.innerText(), /no milk/);
    await page.getByText("6 calls failed").waitFor();
    await assertAccessible(page);
    await failure.click();
    await page.waitForURL(/\/ui\/executions\/[0-9a-f-]{36}$/);
  });
});
