// HTML that a function answers is somebody else's program. Wherever it is shown, it must not act as the person at the dashboard.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { baseOf, closeBoth, noBrowser, openBrowserFor, openPage } from "./browser-under-test.ts";

const ADMIN_KEY = "clo_this-key-is-only-for-the-tests-of-foreign-html";
/** It tries what a page of the dashboard's origin could do, and writes down what came of it. */
const PAGE = `<!doctype html><title>a page</title><h1>foreign</h1><p id="said">nothing yet</p>
<script>
const tries = [
  () => fetch("/api/functions", { credentials: "include" }).then((answer) => answer.text()),
  () => fetch("/api/keys", { method: "POST", body: '{"name":"mine","scope":"admin"}' }).then((answer) => answer.text()),
  () => localStorage.setItem("cloche-taken", "1"),
  () => document.cookie,
  () => (parent === window ? Promise.reject(new Error("on top")) : parent.document.title),
  () => (opener === null ? Promise.reject(new Error("no opener")) : opener.document.title),
];
Promise.allSettled(tries.map(async (one) => one())).then((all) => {
  document.getElementById("said").textContent = all.map(({ status }) => status).join(" ");
});
</script>`;
const CODE = `export default () => new Response(${JSON.stringify(PAGE)}, { headers: { "content-type": "text/html" } });`;
/** What the browser says of each thing that it kept the page from. */
const REFUSALS = /Blocked script execution|blocked by CORS policy|Failed to load resource|status of 40[13]|sandboxed/;

describe("a function's HTML", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ HOST: "0.0.0.0", ADMIN_KEY, MAX_CONTAINERS: "4" }));
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const settings = { access: "public", saveResponses: true };
    const body = { name: "foreign", language: "javascript", code: CODE, ...settings };
    const made = await server.post("/api/functions", body, { headers });
    assert.equal(made.status, 201, await made.text());
    assert.equal((await fetch(`${baseOf(server)}/fn/foreign`)).status, 200);
  });
  after(() => closeBoth(browser, server));

  test("runs at its own address without the rights of who is logged in", async (t) => {
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await logIn(page);
    await page.goto("/fn/foreign");
    await page.waitForFunction("/rejected|fulfilled/.test(document.getElementById('said').textContent)");
    assert.equal(await page.locator("#said").innerText(), Array(6).fill("rejected").join(" "));
    await assertUntouched(page);
  });

  test("does not run at all in the preview of an execution", async (t) => {
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await logIn(page);
    await page.goto("/ui/executions?function=foreign");
    await page.locator("[role=row]:has(a)").last().getByRole("link").click();
    await assertInert(page);
  });

  test("does not run at all in the preview of a test call", async (t) => {
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await logIn(page);
    await page.goto("/ui/functions/foreign/test");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("Preview", { exact: true }).click();
    await assertInert(page);
  });

  async function assertInert(page: Page): Promise<void> {
    const frame = page.frameLocator("iframe");
    await frame.getByRole("heading", { name: "foreign" }).waitFor();
    assert.equal(await frame.locator("#said").innerText(), "nothing yet");
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "");
    await assertUntouched(page);
  }

  /** The dashboard's memory is as it was, and there is no key but the operator's. */
  async function assertUntouched(page: Page): Promise<void> {
    await page.goto("/ui/system/keys");
    await page.getByText("There is no key yet.").waitFor();
    assert.equal(await page.evaluate("localStorage.getItem('cloche-taken')"), null);
  }
});

async function logIn(page: Page): Promise<void> {
  await page.goto("/ui/login");
  await page.getByRole("textbox", { name: "Key" }).fill(ADMIN_KEY);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname === "/ui/");
}
