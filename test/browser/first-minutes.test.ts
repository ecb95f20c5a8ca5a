// What somebody does who has never seen it: make a function, call it, break it, see why, repair it, look at what happened.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { NO_GO } from "../go-here.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { closeBoth, noBrowser, openBrowserFor, openPage } from "./browser-under-test.ts";

interface Language {
  readonly name: string;
  /** Fails in its line 2: when it is called, or already when it is deployed. */
  readonly broken: string;
  readonly failsWhen: "called" | "deployed";
  readonly repaired: string;
  readonly skip: string | false;
}

const LANGUAGES: readonly Language[] = [
  {
    name: "JavaScript",
    broken: 'export default () => {\n  throw new TypeError("out of order");\n};\n',
    failsWhen: "called",
    repaired: 'export default () => Response.json({ repaired: "yes" });\n',
    skip: false,
  },
  {
    name: "TypeScript",
    broken: 'export default (): Response => {\n  throw new TypeError("out of order");\n};\n',
    failsWhen: "called",
    repaired: 'export default (): Response => Response.json({ repaired: "yes" });\n',
    skip: false,
  },
  {
    name: "Python",
    broken: 'def handler(event, context):\n    raise ValueError("out of order")\n',
    failsWhen: "called",
    repaired: 'def handler(event, context):\n    return {"repaired": "yes"}\n',
    skip: false,
  },
  {
    name: "Lua",
    broken: 'function handler()\n  error("out of order")\nend\n',
    failsWhen: "called",
    repaired: 'function handler()\n  return { repaired = "yes" }\nend\n',
    skip: false,
  },
  {
    name: "Go",
    broken:
      'package function\nimport "net/http"; var broken int = outOfOrder\nfunc Handler(w http.ResponseWriter, r *http.Request) {}\n',
    failsWhen: "deployed",
    repaired:
      'package function\n\nimport "net/http"\n\nfunc Handler(w http.ResponseWriter, r *http.Request) {\n\tw.Write([]byte(`{"repaired":"yes"}`))\n}\n',
    skip: NO_GO,
  },
];
/** Clicks from the first page to the reason of the failure in the history; what is typed is not counted. */
const MOST_CLICKS = 7;

describe("the first minutes", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ MAX_CONTAINERS: "6" }));
  });
  after(() => closeBoth(browser, server));

  for (const { name, broken, failsWhen, repaired, skip } of LANGUAGES) {
    test(`in ${name}: create, call, break, see the line, repair, see the history`, { skip }, async (t) => {
      // That a deployment is refused is an answer of 4xx, which the browser tells of.
      const page = await openPage(t, browser, server, { expected: /status of 4(?:00|22)/ });
      await countClicks(page);
      await page.goto("/ui/");
      await page.getByRole("link", { name: "New function" }).click();
      await page.getByRole("radiogroup", { name: "Language" }).getByText(name, { exact: true }).click();
      await page.getByRole("button", { name: "Create and call" }).click();
      await page.getByText(/^It answered 200 in /).waitFor();
      await page.getByText(/"hello": ?"Ada"/).waitFor();

      await page.getByRole("link", { name: /^Open hello/ }).click();
      await write(page, broken);
      await page.keyboard.press("Control+Enter");
      const problems = page.getByRole("alert", { name: "Problems" });
      await problems.getByText(/line 2\b/i).waitFor();
      assert.match(await problems.innerText(), /out ?of ?order/i);

      await write(page, repaired);
      await page.keyboard.press("Control+Enter");
      await page
        .getByLabel("Answer", { exact: true })
        .getByText(/"repaired": ?"yes"/)
        .waitFor();
      await problems.waitFor({ state: "detached" });

      await page.getByRole("tab", { name: "Executions" }).click();
      const rows = page.locator("[role=row]:has(a)");
      await rows.filter({ hasText: "Success" }).first().waitFor();
      if (failsWhen === "called") {
        await rows.filter({ hasText: "Error" }).getByRole("link").click();
        const why = page.getByRole("region", { name: "What went wrong" });
        await why.getByText(/out of order.*\(Line 2\)/).waitFor();
        assert.match(await why.innerText(), /> +2 \|/);
      }
      const clicks = await page.evaluate<number>("Number(sessionStorage.getItem('clicks'))");
      assert.ok(clicks <= MOST_CLICKS, `${clicks} clicks`);
    });
  }

  test("without a mouse: create, edit, run", async (t) => {
    const page = await openPage(t, browser, server);
    await countClicks(page);
    await page.goto("/ui/");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    await page.getByRole("textbox", { name: "Name" }).waitFor();
    await tabTo(page, "document.activeElement.matches('input[required]')");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("by-keyboard");
    await page.keyboard.press("Enter");
    await page.getByText(/^It answered 200 in /).waitFor();

    await tabTo(page, "document.activeElement.textContent === 'Open by-keyboard'");
    await page.keyboard.press("Enter");
    await editorIsReady(page);
    await tabTo(page, "document.activeElement.closest('[data-editor=ready]') !== null");
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText('export default () => new Response("typed, not clicked");\n');
    await page.keyboard.press("Control+Enter");
    await page.getByLabel("Answer", { exact: true }).getByText("typed, not clicked").waitFor();

    // The editor takes Tab for itself until it is told otherwise, as the line below it says.
    await page.keyboard.press("Control+m");
    await tabTo(
      page,
      "document.activeElement.matches('textarea') && document.activeElement.closest('[data-editor]') === null",
    );
    await page.keyboard.press("Control+a");
    await page.keyboard.type('{"n": 1}');
    await page.keyboard.press("Control+Enter");
    await page.getByLabel("Answer", { exact: true }).getByText("typed, not clicked").waitFor();
    assert.equal(await page.evaluate("sessionStorage.getItem('clicks')"), null);
  });
});

/** In the page's own memory, since a page that is left takes everything else along. A key press is a click without detail. */
async function countClicks(page: Page): Promise<void> {
  await page.addInitScript(`addEventListener("click", ({ detail }) => {
    if (detail > 0) sessionStorage.setItem("clicks", String(Number(sessionStorage.getItem("clicks")) + 1));
  }, true)`);
}

async function editorIsReady(page: Page): Promise<void> {
  await page.locator("[data-editor=ready] textarea").first().waitFor({ state: "attached" });
  await page.locator("[data-editor=ready] .view-line").first().waitFor();
}

/** Replaces what is in the editor by pasting: what is typed is indented and closed by the editor. */
async function write(page: Page, code: string): Promise<void> {
  await editorIsReady(page);
  await page.locator("[data-editor=ready] textarea").first().focus();
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(code)})`);
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Control+v");
}

const MOST_TABS = 60;

async function tabTo(page: Page, isThere: string): Promise<void> {
  for (let turn = 0; turn < MOST_TABS; turn++) {
    if (await page.evaluate<boolean>(isThere)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${MOST_TABS} times Tab did not lead to: ${isThere}`);
}
