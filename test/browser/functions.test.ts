import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import {
  assertAccessible,
  closeBoth,
  createFunction,
  noBrowser,
  openBrowserFor,
  openPage,
} from "./browser-under-test.ts";

describe("the functions page", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ MAX_CONTAINERS: "6" }));
  });
  after(() => closeBoth(browser, server));

  test("a function is made from a template in a language of choice, and called", async (t) => {
    const page = await openPage(t, browser, server);
    await page.goto("/ui/functions");
    await page.getByRole("link", { name: "New function" }).first().click();
    await page.getByRole("radio", { name: /^JSON API/ }).click();
    await page.getByRole("radiogroup", { name: "Language" }).getByText("Python").click();
    await page.getByRole("textbox", { name: "Name" }).fill("math/sum");
    await assertAccessible(page);

    await page.getByRole("button", { name: "Create and call" }).click();

    await page.getByText(/^It answered 200 in /).waitFor();
    await page.getByText(/\{"sum": ?42\}/).waitFor();
    await page.getByText("math/sum is deployed").waitFor();
    const made = (await (await fetch(`${server.url}/api/functions/math%2Fsum`)).json()) as { language: string };
    assert.equal(made.language, "python");
    await page.getByRole("link", { name: "Open math/sum" }).click();
    await page.waitForURL("**/ui/functions/math%2Fsum");
  });

  test("a name that the server refuses is said at the field, and nothing is made", async (t) => {
    const page = await openPage(t, browser, server, { expected: /400 \(Bad Request\)/ });
    await page.goto("/ui/new");
    const field = page.getByRole("textbox", { name: "Name" });
    await field.fill("not a name!");
    await page.getByRole("button", { name: "Create", exact: true }).click();

    await page.getByText(/^name: /).waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
  });

  test("files, a folder, an archive and an executable become functions", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "cloche-browser-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "greet.py");
    writeFileSync(file, 'def handler(event, context):\n    return "from a file"\n');
    const program = join(folder, "of-a-folder");
    mkdirSync(join(program, "lib"), { recursive: true });
    writeFileSync(
      join(program, "index.js"),
      'import { text } from "./lib/text.js";\nexport default () => new Response(text);\n',
    );
    writeFileSync(join(program, "lib/text.js"), 'export const text = "from a folder";\n');
    const archive = join(folder, "packed.zip");
    writeFileSync(archive, zipOf("index.js", 'export default () => new Response("from a zip");\n'));
    const executable = join(folder, "kernel.bin");
    copyFileSync("/bin/uname", executable);
    const page = await openPage(t, browser, server);

    assert.equal(await deployFiles(page, "Choose files", file), "greet");
    assert.equal(await deployFiles(page, "Choose a folder", program), "of-a-folder");
    assert.equal(await deployFiles(page, "Choose files", archive, "JavaScript"), "packed");
    assert.equal(await deployFiles(page, "Choose files", executable), "kernel");

    const answers = await Promise.all(
      ["greet", "of-a-folder", "packed", "kernel"].map(async (name) =>
        (await fetch(`${server.url}/fn/${name}`)).text(),
      ),
    );
    assert.deepEqual(answers, ["from a file", "from a folder", "from a zip", "Linux\n"]);
  });

  test("search, filters and order are in the address, and the back button leads to what was before", async (t) => {
    for (const [name, description] of [
      ["list/apples", "red fruit"],
      ["list/bananas", "yellow fruit"],
      ["list/carrots", "a vegetable"],
    ] as const) {
      await createFunction(server, name, { description });
    }
    const page = await openPage(t, browser, server);
    await page.goto("/ui/functions");
    await page.getByRole("listitem").first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("fruit list");

    await page.waitForFunction("document.querySelectorAll('[role=listitem]').length === 2");
    assert.match(page.url(), /search=fruit\+list/);
    await page.getByRole("combobox", { name: "Order" }).click();
    await page.getByRole("option", { name: "Newest first" }).click();
    await page.waitForURL(/sort=created/);
    await page.waitForFunction("document.querySelector('[role=listitem] a')?.textContent === 'list/bananas'");
    await assertAccessible(page);
    await page.getByRole("link", { name: "list/apples" }).click();
    await page.waitForURL("**/ui/functions/list%2Fapples");
    await page.goBack();

    await page.waitForFunction("document.querySelector('[role=listitem] a')?.textContent === 'list/bananas'");
    assert.equal(await page.getByLabel("Search by name or description").inputValue(), "fruit list");
  });

  test("what is disabled or deleted by mistake comes back", async (t) => {
    await createFunction(server, "kept");
    const page = await openPage(t, browser, server);
    await page.goto("/ui/functions?search=kept");
    const row = page.getByRole("listitem");
    await choose(page, "kept", "Disable");
    await row.getByText("Disabled").waitFor();
    assert.equal((await fetch(`${server.url}/fn/kept`)).status, 403);
    await page.getByRole("button", { name: "Undo" }).click();
    await row.getByText("Active").waitFor();
    assert.equal((await fetch(`${server.url}/fn/kept`)).status, 200);

    await choose(page, "kept", "Delete");
    await page.getByText("Nothing matches").waitFor();
    await page.getByText("kept is deleted").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();

    await row.getByText("Active").waitFor();
    assert.equal((await fetch(`${server.url}/fn/kept`)).status, 200);
  });

  test("what is deleted is gone from the server when the time to undo is over, or the page is left", async (t) => {
    await createFunction(server, "going");
    const page = await openPage(t, browser, server);
    await page.goto("/ui/functions?search=going");
    await choose(page, "going", "Delete");
    await page.getByText("going is deleted").waitFor();
    await page.goto("about:blank");

    const giveUpAtMs = Date.now() + 10_000;
    let status = 0;
    while (status !== 404 && Date.now() < giveUpAtMs) {
      ({ status } = await fetch(`${server.url}/api/functions/going`));
    }
    assert.equal(status, 404);
  });
});

async function choose(page: Page, name: string, action: string): Promise<void> {
  await page.getByRole("button", { name: `Actions of ${name}` }).click();
  await page.getByRole("menuitem", { name: action }).click();
}

/** Returns the name that the page proposes, under which it is then deployed. */
async function deployFiles(page: Page, field: string, path: string, language?: string): Promise<string> {
  await page.goto("/ui/new?from=files");
  await page.locator(`input[type=file][aria-label="${field}"]`).setInputFiles(path);
  const name = await page.getByRole("textbox", { name: "Name" }).inputValue();
  if (language !== undefined) {
    await page.getByRole("combobox", { name: "Language" }).click();
    await page.getByRole("option", { name: language }).click();
  }
  await page.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(`**/ui/functions/${name}`);
  return name;
}

/** An archive of one file, stored as it is. */
function zipOf(name: string, text: string): Buffer {
  const [path, bytes] = [Buffer.from(name), Buffer.from(text)];
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(crc32(bytes), 0);
  sizes.writeUInt32LE(bytes.length, 4);
  sizes.writeUInt32LE(bytes.length, 8);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(20, 4);
  sizes.copy(local, 14);
  local.writeUInt16LE(path.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(20, 4);
  central.writeUInt16LE(20, 6);
  sizes.copy(central, 16);
  central.writeUInt16LE(path.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + path.length, 12);
  end.writeUInt32LE(local.length + path.length + bytes.length, 16);
  return Buffer.concat([local, path, bytes, central, path, end]);
}
