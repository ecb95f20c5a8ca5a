import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { assertAccessible, assertNoHorizontalScroll } from "./browser-under-test.ts";
import { PagesUnderTest } from "./pages-under-test.ts";

describe("the playground in the dashboard", () => {
  let pages: PagesUnderTest;
  before(async () => {
    pages = await PagesUnderTest.start();
  });
  after(() => pages.dispose());

  /** Replaces all code, as somebody at a keyboard does. */
  async function write(page: Page, code: string): Promise<void> {
    await page.locator(".monaco-editor .view-line").first().click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(code);
  }

  for (const [name, language] of [
    ["JavaScript", "javascript"],
    ["TypeScript", "typescript"],
    ["Python", "python"],
    ["Lua", "lua"],
  ] as const) {
    it(`runs ${name}`, async (t) => {
      const page = await pages.open(t, "/playground");
      await page.getByLabel("Language").selectOption(language);
      await page.locator(".monaco-editor .view-line").first().waitFor();
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.getByText("Result (json)").waitFor();
      assert.match(await page.getByRole("region", { name: "Result" }).innerText(), /"hello world"/);
    });
  }

  it("shows lines while the code runs, and stops it", async (t) => {
    const page = await pages.open(t, "/playground");
    await write(page, 'console.log("first"); await new Promise((resolve) => setTimeout(resolve, 20000)); return 1');
    await page.keyboard.press("Control+Enter");
    await page.getByRole("log").getByText("first").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("It was stopped.").waitFor();
  });

  it("marks the line that went wrong, and keeps the digits of long numbers", async (t) => {
    const page = await pages.open(t, "/playground");
    await page.getByLabel("Language").selectOption("python");
    await write(page, "x = 1\nraise ValueError('not so')");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").getByText("not so", { exact: true }).waitFor();
    await write(page, "return 12345678901234567890");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("region", { name: "Result" }).getByText("12345678901234567890").waitFor();
  });

  it("says what is wrong with the input before anything runs", async (t) => {
    const page = await pages.open(t, "/playground");
    await page.getByLabel("Input").fill("{nope");
    await page.getByText(/Not JSON/).waitFor();
    assert.ok(await page.getByRole("button", { name: "Run", exact: true }).isDisabled());
    await assertAccessible(page, "main");
  });

  it("keeps what is written over a reload, and shares it as a link", async (t) => {
    const page = await pages.open(t, "/playground");
    await write(page, "return 'kept ' + event.n");
    await page.getByLabel("Input").fill('{"n": 7}');
    await page.reload();
    await page.getByText("return 'kept ' + event.n").waitFor();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.waitForURL(/#code=/);
    const link = new URL(page.url());
    const other = await pages.open(t, `/playground${link.hash}`);
    await other.getByText("This is code that somebody shared").waitFor();
    assert.equal(await other.getByRole("region", { name: "Result" }).count(), 0, "it does not run by itself");
    await other.getByRole("button", { name: "Run", exact: true }).click();
    await other.getByRole("region", { name: "Result" }).getByText("kept 7").waitFor();
    const damaged = await pages.open(t, "/playground#code=AAAA");
    await damaged.getByText("The link is damaged").waitFor();
  });

  it("becomes a function with the keyboard alone", async (t) => {
    const page = await pages.open(t, "/playground");
    const save = page.getByRole("button", { name: "Save as function" });
    await save.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByLabel("Name").waitFor();
    await page.keyboard.type("bad//name");
    await page.keyboard.press("Enter");
    await page.locator("[role=dialog] [aria-invalid=true]").waitFor();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("from/playground");
    await page.keyboard.press("Enter");
    await page.waitForURL(/functions\/from%2Fplayground/);
    const made = (await pages.api("GET", "/api/functions/from%2Fplayground")) as { language: string };
    assert.equal(made.language, "javascript");
  });

  it("says which installed languages it cannot run as a text", async (t) => {
    const page = await pages.open(t, "/playground");
    const wasm = page.getByLabel("Language").locator("option", { hasText: "WebAssembly: as a function" });
    await wasm.waitFor({ state: "attached" });
    assert.equal(await wasm.isDisabled(), true);
    await page.getByText(/they can only be functions: .*WebAssembly/).waitFor();
  });

  it("fits a telephone, and speaks Chinese", async (t) => {
    const page = await pages.open(t, "/playground", { viewport: { width: 375, height: 800 }, locale: "zh-CN" });
    await page.getByRole("heading", { name: "演练场" }).waitFor();
    await page.locator(".monaco-editor .view-line").first().waitFor();
    await assertNoHorizontalScroll(page);
    await assertAccessible(page, "main");
  });

  it("leaves no error in the console and asks no other host", () => {
    const complaints = pages.complaints.filter((text) => !text.includes("400 (Bad Request)")); // the name that was refused
    assert.deepEqual(complaints, []);
  });
});
