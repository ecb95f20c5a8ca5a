// The dashboard as people meet it who run Cloche for more than their own machine: on all addresses, with keys, over plain HTTP under
// a name that browsers do not trust.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { closeBoth, noBrowser, openBrowserFor, openPage } from "./browser-under-test.ts";

const ADMIN_KEY = "clo_this-key-is-only-for-the-tests-of-the-dashboard";
/** Leads to this machine, but the browser does not know: such a page is no secure context. */
const NAME = "cloche.test";
/** The browser itself tells of every answer that is not 2xx, and the tests of requests to that name. */
const EXPECTED = /status of 401|^left: http:\/\/cloche\.test:/;
const GREET = `export default async (request) => {
  const { searchParams } = new URL(request.url);
  const cookie = request.headers.get("cookie") ?? "none";
  return new Response(\`hello \${searchParams.get("name")}, \${request.method} \${await request.text()}, cookie \${cookie}\`);
};`;

describe("the dashboard under another name, with keys", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  let base = "";
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ HOST: "0.0.0.0", ADMIN_KEY }), [
      `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
    ]);
    base = `http://${NAME}:${new URL(server.url).port}`;
    const made = await fetch(`http://127.0.0.1:${new URL(server.url).port}/api/functions`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ name: "greet", language: "javascript", code: GREET }),
    });
    assert.equal(made.status, 201);
  });
  after(() => closeBoth(browser, server));

  /** A page behind its login. */
  async function open(t: Parameters<typeof openPage>[0], path: string, key = ADMIN_KEY): Promise<Page> {
    const page = await openPage(t, browser, server, { expected: EXPECTED, baseURL: base, permissions: [] });
    await page.goto(`/ui${path}`);
    await page.getByRole("textbox", { name: "Key" }).fill(key);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(`**/ui${path}`);
    assert.equal(await page.evaluate<boolean>("isSecureContext"), false);
    return page;
  }

  it("runs code in the playground, with its lines as they come", async (t) => {
    const page = await open(t, "/playground");
    await page.locator(".monaco-editor .view-line").first().click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText("console.log('a line'); return { six: 6 };");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page
      .getByRole("region", { name: "Output" })
      .getByText(/"six": 6/)
      .waitFor();
    await page.getByRole("log").getByText("a line").waitFor();
  });

  it("calls a function that wants a key from its Test tab, and the function sees no session", async (t) => {
    const page = await open(t, "/functions/greet/test");
    await page.getByText(/the management API sends the request for you/).waitFor();
    await page.getByLabel("Method").selectOption("POST");
    await page.getByRole("button", { name: "Add to Query" }).click();
    await page.getByLabel("Query: name").fill("name");
    await page.getByLabel("Query: value").fill("Ada");
    await page.getByLabel("Kind of body").selectOption("Text");
    await page.getByLabel("Body text").fill("grüße");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("hello Ada, POST grüße, cookie none").waitFor();
    await page.getByRole("link", { name: "This execution" }).waitFor();
    const curl = await page.getByLabel("The same call as code").last().innerText();
    assert.ok(curl.includes(`${base}/fn/greet?name=Ada`) && curl.includes("Authorization: Bearer KEY"), curl);

    await page.getByRole("button", { name: "Add to Headers" }).click();
    await page.getByLabel("Headers: name").fill("Authorization");
    await page.getByLabel("Headers: value").fill(`Bearer ${ADMIN_KEY}`);
    await page.getByText(/the management API sends/).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("200 OK").waitFor(); // the status line of the function's own address
    assert.equal(
      await page.evaluate<boolean>(`JSON.stringify(localStorage).includes(${JSON.stringify(ADMIN_KEY)})`),
      false,
    );
  });

  it("says what it has done, takes it back, and copies, where browsers keep their newer ways from a page", async (t) => {
    const page = await open(t, "/functions/greet/settings");
    await page.getByLabel("Description").fill("greets people");
    await page.getByRole("button", { name: "Save", exact: true }).first().click();
    await page.getByText("The settings are saved").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Taken back").waitFor();
    assert.equal(await page.getByLabel("Description").inputValue(), "");

    await page.getByRole("button", { name: "Copy the address" }).first().click();
    await page.getByLabel("Description").focus();
    await page.keyboard.press("Control+v");
    assert.match(await page.getByLabel("Description").inputValue(), /\/fn\/greet$/);
  });
});
