import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { freePorts } from "../free-ports.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import {
  assertAccessible,
  assertNoHorizontalScroll,
  closeBoth,
  createFunction,
  noBrowser,
  openBrowserFor,
  openPage,
  PATIENCE_MS,
  settled,
} from "./browser-under-test.ts";

const DIST = join(import.meta.dirname, "../../dashboard/dist");
const FIRST_LOAD_BYTES = 200 * 1024; // gzip, without the editor
const PAGES = ["/", "/functions", "/new", "/new?from=files", "/system", "/system/keys", "/nothing/here"];

describe("the dashboard around its pages", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ MAX_CONTAINERS: "6" }));
    await createFunction(server, "palette/findable", { description: "Something to be found" });
  });
  after(() => closeBoth(browser, server));

  test("the palette leads to pages, functions and actions, by keyboard alone", async (t) => {
    const page = await openPage(t, browser, server);
    await page.goto("/ui/");
    await page.getByRole("heading", { level: 1 }).waitFor();
    const field = page.getByRole("textbox", { name: "Search pages, functions and actions" });

    await page.keyboard.press("Control+k");
    await field.waitFor();
    await assertAccessible(page);
    await page.keyboard.type("findable");
    await page.getByRole("button", { name: /palette\/findable/ }).waitFor();
    await page.getByRole("dialog").locator("[data-selected]").waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/ui/functions/palette%2Ffindable");

    await field.waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await field.waitFor();
    await page.keyboard.type("system");
    await page.getByRole("dialog").locator("[data-selected]").waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/ui/system");

    await field.waitFor({ state: "detached" });
    await page.getByRole("button", { name: /^Search/ }).click();
    await field.waitFor();
    await page.keyboard.type("theme: dark");
    await page.getByRole("dialog").locator("[data-selected]").waitFor();
    await page.keyboard.press("Enter");
    await page.waitForFunction("document.documentElement.dataset.mantineColorScheme === 'dark'");
  });

  test("keys lead from page to page, and a question mark says which", async (t) => {
    const page = await openPage(t, browser, server);
    await page.goto("/ui/");
    await page.getByRole("heading", { level: 1 }).waitFor();
    for (const [letter, path] of [
      ["f", "/ui/functions"],
      ["s", "/ui/system"],
      ["n", "/ui/new"],
      ["h", "/ui/"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(letter);
      await page.waitForURL((url) => url.pathname === path);
    }
    await page.keyboard.press("Shift+?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await help.getByText("Go to Functions").waitFor();
    await assertAccessible(page);
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await page.goBack();
    await page.waitForURL("**/ui/new");
  });

  test("on a phone a menu leads everywhere", async (t) => {
    const page = await openPage(t, browser, server, { viewport: { width: 375, height: 740 }, hasTouch: true });
    await page.goto("/ui/");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("link", { name: "Functions" }).click();
    await page.waitForURL("**/ui/functions");
    await page.getByText("palette/findable").waitFor();
    await assertNoHorizontalScroll(page);
  });

  test("it speaks the browser's language, or the one that was chosen, on every page", async (t) => {
    const page = await openPage(t, browser, server, { locale: "zh-CN" });
    await page.goto("/ui/functions");
    await page.getByRole("heading", { name: "函数", level: 1 }).waitFor();
    assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
    await assertAccessible(page);
    for (const path of PAGES) {
      await page.goto(`/ui${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /\p{Script=Han}/u, path);
    }

    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("heading", { name: "There is no such page", level: 1 }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "There is no such page", level: 1 }).waitFor();
    assert.equal(await page.getAttribute("html", "lang"), "en");
  });

  test("the theme goes from light to dark to that of the system, and stays", async (t) => {
    const page = await openPage(t, browser, server, { colorScheme: "light" });
    await page.goto("/ui/");
    await page.getByRole("button", { name: "Theme: As the system" }).click();
    await page.getByRole("button", { name: "Theme: Light" }).click();
    await page.getByRole("button", { name: "Theme: Dark" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Theme: Dark" }).waitFor();
    assert.equal(await page.getAttribute("html", "data-mantine-color-scheme"), "dark");
  });

  test("the first load is small, and the page is there at once", async (t) => {
    const page = await openPage(t, browser, server);
    const files = new Set<string>();
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (pathname.startsWith("/ui/")) files.add(pathname === "/ui/" ? "index.html" : pathname.slice("/ui/".length));
    });
    const startedAtMs = performance.now();
    await page.goto("/ui/");
    await page.getByRole("region", { name: "Sandboxes" }).waitFor();
    const tookMs = performance.now() - startedAtMs;

    const sizes = [...files].map((name) => [name, gzipSync(readFileSync(join(DIST, name))).length] as const);
    const bytes = sizes.reduce((sum, [, size]) => sum + size, 0);
    t.diagnostic(`${files.size} files, ${Math.round(bytes / 1024)} KiB of gzip, usable in ${Math.round(tookMs)} ms`);
    assert.ok(bytes <= FIRST_LOAD_BYTES, JSON.stringify(sizes, undefined, 1));
    assert.ok(tookMs < 10_000, "even on a machine that tests other things"); // 1 s on one that does not
  });

  test("a server that goes away is said, and the page comes back to life with it", async (t) => {
    const [port] = await freePorts(1); // one that nobody is given while nobody listens there
    const settings = { MAX_CONTAINERS: "4", HTTP_PORT: String(port) };
    const other = await startServer(settings);
    let again: ServerUnderTest | undefined;
    t.after(() => (again ?? other).dispose());
    const page = await openPage(t, browser, other, { expected: /Failed to load resource/ });
    await page.goto("/ui/");
    await page.getByRole("region", { name: "Sandboxes" }).waitFor();
    await settled(page, PATIENCE_MS); // a part of the page that is being loaded now would never come
    await other.stop();

    await page.getByText("The server does not answer").waitFor();
    const { ServerUnderTest: Server } = await import("../server-under-test.ts");
    again = new Server(other.dataDir, settings);
    await again.started;
    await page.getByText("The server does not answer").waitFor({ state: "detached" });
  });
});
