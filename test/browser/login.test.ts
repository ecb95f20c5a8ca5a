import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { assertAccessible, baseOf, closeBoth, noBrowser, openBrowserFor, openPage } from "./browser-under-test.ts";

const ADMIN_KEY = "clo_this-key-is-only-for-the-tests-of-the-dashboard";
/** The browser itself tells of every answer that is not 2xx. */
const REFUSALS = /status of 40[13]/;

describe("a server that wants a key", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ HOST: "0.0.0.0", ADMIN_KEY, MAX_CONTAINERS: "6" }));
  });
  after(() => closeBoth(browser, server));

  test("asks for it, goes on to the page that was wanted, and forgets it when somebody logs out", async (t) => {
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await page.goto("/ui/functions?sort=created");
    await page.waitForURL("**/ui/login?next=*");
    await assertAccessible(page);

    await logIn(page, "clo_wrong");
    await page.getByText("This key is unknown, or has been removed.").waitFor();
    await logIn(page, ADMIN_KEY);
    await page.waitForURL("**/ui/functions?sort=created");
    await page.getByRole("heading", { name: "No function yet" }).waitFor();
    const cookies = await page.context().cookies(`${baseOf(server)}/api/`);
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite })),
      [{ name: "cloche_session", httpOnly: true, sameSite: "Strict" }],
    );
    assert.equal(await page.evaluate<string>("JSON.stringify({ ...localStorage, ...sessionStorage })"), "{}");

    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForURL("**/ui/login");
    await page.goto("/ui/system");
    await page.waitForURL("**/ui/login?next=*");
  });

  test("an address in the login page's own address leads nowhere else", async (t) => {
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await page.goto("/ui/login?next=//example.com/");
    await logIn(page, ADMIN_KEY);
    await page.getByRole("heading", { name: "All is quiet under the glass" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/ui/");
  });

  test("a function is made and called with a session alone", async (t) => {
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await page.goto("/ui/new");
    await logIn(page, ADMIN_KEY);
    await page.getByRole("button", { name: "Create and call" }).click();

    await page.getByText(/"hello": ?"Ada"/).waitFor();
  });

  test("a key is made with a scope, shown once, works, says when it was used, and is revoked", async (t) => {
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await page.goto("/ui/system/keys");
    await logIn(page, ADMIN_KEY);
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("a reader");
    await page.getByRole("radio", { name: "read: look" }).check();
    await assertAccessible(page);
    await page.getByRole("button", { name: "Create the key" }).click();
    await page.getByText("This is the only time that it is shown").waitFor();
    await page.getByRole("button", { name: "Copy the key" }).click();
    const key = await page.evaluate<string>("navigator.clipboard.readText()");
    assert.match(key, /^clo_/);
    await page.getByRole("button", { name: "Done" }).click();

    assert.equal((await page.content()).includes(key), false);
    const row = page.getByRole("row", { name: /a reader/ });
    await row.getByText("not since the server started").waitFor();
    assert.equal(await statusWith(server, key, "GET", "/api/functions"), 200);
    assert.equal(await statusWith(server, key, "POST", "/api/keys"), 403);
    await page.reload(); // it would look again by itself after a while
    await row
      .getByText(/now|sec\. ago/)
      .nth(1)
      .waitFor();
    await assertAccessible(page);

    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("a reader is revoked").waitFor();
    await row.waitFor({ state: "detached" });
    assert.equal(await statusWith(server, key, "GET", "/api/functions"), 401);
  });

  test("who may only read is offered no change", async (t) => {
    const made = await fetch(`${baseOf(server)}/api/keys`, {
      method: "POST",
      headers: { Authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ name: "looks", scope: "read" }),
    });
    const { key } = (await made.json()) as { key: string };
    const page = await openPage(t, browser, server, { expected: REFUSALS });
    await page.goto("/ui/system/keys");
    await logIn(page, key);

    await page.getByText("Only a key of scope admin may see and make keys.").waitFor();
    await page.getByRole("link", { name: "Functions" }).click();
    await page.getByRole("heading", { name: "Functions", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Log out" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "New function" }).count(), 0);
  });
});

async function logIn(page: Page, key: string): Promise<void> {
  await page.getByRole("textbox", { name: "Key" }).fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function statusWith(server: ServerUnderTest, key: string, method: string, path: string): Promise<number> {
  const response = await fetch(baseOf(server) + path, { method, headers: { Authorization: `Bearer ${key}` } });
  return response.status;
}
