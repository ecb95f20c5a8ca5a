import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { assertAccessible, assertNoHorizontalScroll } from "./browser-under-test.ts";
import { PagesUnderTest } from "./pages-under-test.ts";

const GREET = `export default async (request) => {
  const { slow } = await request.json().catch(() => ({}));
  for (let i = 0; slow && i < 40; i++) {
    console.log("tick", i);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return new Response("hello one");
};
`;
const PAGE = `export default () => new Response(
  "<h1>a page</h1><script>parent.document.title = 'taken'</script>",
  { headers: { "content-type": "text/html" } });`;
const WORKS: Readonly<Record<string, { readonly code: string; readonly broken: string }>> = {
  javascript: { code: 'export default () => new Response("works");', broken: "export default {{{" },
  typescript: { code: 'export default (): Response => new Response("works");', broken: "export default {{{" },
  python: { code: 'def handler(event, context):\n    return "works"\n', broken: "def handler(:\n" },
  lua: { code: 'function handler(ctx, event)\n  return "works"\nend\n', broken: "function handler(\n" },
};

describe("a function's page", () => {
  let pages: PagesUnderTest;
  before(async () => {
    pages = await PagesUnderTest.start();
    await pages.api("POST", "/api/functions", { name: "greet", language: "javascript", code: GREET });
    await pages.api("POST", "/api/functions", { name: "page", language: "javascript", code: PAGE });
  });
  after(() => pages.dispose());

  /** Takes out what a test has brought about on purpose. */
  function forgive(expected: RegExp): void {
    const others = pages.complaints.filter((complaint) => !expected.test(complaint));
    pages.complaints.splice(0, Infinity, ...others);
  }

  for (const [language, { code, broken }] of Object.entries(WORKS)) {
    it(`edits, breaks, repairs and runs ${language}`, async (t) => {
      await pages.api("POST", "/api/functions", { name: `in-${language}`, language, code });
      const page = await pages.open(t, `/functions/in-${language}`);
      await write(page, broken);
      await page.keyboard.press("Control+s");
      await page
        .getByRole("alert")
        .getByText(/line \d+/i)
        .waitFor();
      await page.reload(); // what is not deployed is still there
      await page.getByText("Your work of last time is back").waitFor();
      await write(page, `${code}${language === "python" ? "#" : language === "lua" ? "--" : "//"} repaired`);
      await page.keyboard.press("Control+Enter");
      await page.getByLabel("Answer", { exact: true }).getByText("works").waitFor();
      const stored = (await pages.api("GET", `/api/functions/in-${language}`)) as { version: { code: string } };
      assert.match(stored.version.code, /repaired/);
      await page.context().close();
      forgive(/status of 4(?:00|22)/); // the refused deployment is an error in the browser's console, too
    });
  }

  it("shows the lines of a run while it runs, and ends it", async (t) => {
    const page = await pages.open(t, "/functions/greet");
    await editor(page);
    await page.getByLabel("Input (JSON)").fill('{"slow": true}');
    await page.getByRole("button", { name: /^Run/ }).waitFor();
    await page.getByLabel("Input (JSON)").press("Control+Enter");
    await page.getByText("tick 2").waitFor();
    assert.equal(await page.getByText("Running…").count(), 1);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Running…").waitFor({ state: "detached" });
  });

  it("compares versions and goes back to the one before", async (t) => {
    const code = GREET.replace("hello one", "hello two");
    await pages.api("POST", "/api/functions/greet/versions", { code });
    const page = await pages.open(t, "/functions/greet/versions");
    await page.locator("[data-editor=ready] .modified-in-monaco-diff-editor").getByText(/hello/).first().waitFor();
    await page.getByRole("button", { name: "Make live" }).click();
    await page.getByText(/Version \d+ is live/).waitFor();
    assert.equal(await (await fetch(`${pages.server.url}/fn/greet`)).text(), "hello one");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Taken back").waitFor();
    assert.equal(await (await fetch(`${pages.server.url}/fn/greet`)).text(), "hello two");
  });

  it("never shows a secret again", async (t) => {
    const page = await pages.open(t, "/functions/greet/settings");
    await page.getByLabel("Name of the secret").fill("TOKEN");
    await page.getByLabel("New value").fill("s3cret-value");
    await page.getByRole("button", { name: "Set the secret" }).click();
    await page.getByText("The secret TOKEN is set").waitFor();
    await page.reload();
    await page.getByText("TOKEN", { exact: true }).waitFor();
    assert.doesNotMatch(await page.content(), /s3cret-value/);
  });

  it("keeps, finds and deletes data", async (t) => {
    const page = await pages.open(t, "/functions/greet/data");
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Key", { exact: false }).last().fill("count");
    await page.getByLabel("Value (JSON)").fill("[12345678901234567890]");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("[12345678901234567890]").waitFor();
  });

  it("calls it over HTTP; a page that it answers cannot reach the dashboard", async (t) => {
    const page = await pages.open(t, "/functions/page/test");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("200 OK").waitFor();
    await page.getByText("Preview").click();
    const frame = page.frameLocator("iframe");
    await frame.getByText("a page").waitFor();
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "");
    assert.doesNotMatch(await page.title(), /taken/);
    await page.context().close();
    forgive(/Blocked script execution in 'about:srcdoc'/); // the browser says what it kept the preview from
  });

  it("can be used by everybody, on a phone, too, without errors or requests to others", async (t) => {
    const page = await pages.open(t, "/functions/greet", { viewport: { width: 375, height: 780 } });
    for (const tab of ["code", "test", "versions", "data", "settings"]) {
      await page.goto(`${pages.server.url}/ui/functions/greet/${tab}`);
      await page.getByRole("tabpanel").waitFor();
      if (tab === "code") await editor(page);
      await assertNoHorizontalScroll(page);
      await assertAccessible(page, "main");
    }
    await page.context().close();
    assert.deepEqual(pages.complaints, []);
  });
});

async function editor(page: Page): Promise<void> {
  await page.locator("[data-editor=ready] textarea").first().waitFor({ state: "attached" });
  await page.locator("[data-editor=ready] .view-line").first().waitFor();
}

/** Replaces what is in the editor as a person would who pastes. */
async function write(page: Page, code: string): Promise<void> {
  await editor(page);
  await page.locator("[data-editor=ready] .view-lines").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(code);
}
