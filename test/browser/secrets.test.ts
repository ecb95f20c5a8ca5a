// A secret goes in and never comes out: neither onto a page nor into an answer that a page gets, whatever the function does with it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { closeBoth, createFunction, noBrowser, openBrowserFor, openPage, settled } from "./browser-under-test.ts";

const SECRET = "s3cret-of-the-browser-tests";
const CODE = `export default {
  fetch(request, env) {
    console.log("the token is", env.TOKEN);
    if (new URL(request.url).searchParams.has("bad")) throw new Error("refused with " + env.TOKEN);
    return Response.json({ token: env.TOKEN });
  },
};
`;
const SETTLED_MS = 3000;
const TABS = ["code", "test", "versions", "executions", "metrics", "data", "settings"];

describe("a secret", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ MAX_CONTAINERS: "4" }));
    await createFunction(server, "keeper", { code: CODE, saveResponses: true });
  });
  after(() => closeBoth(browser, server));

  test("that was set on the page is in nothing that the server says afterwards", async (t) => {
    const page = await openPage(t, browser, server);
    const answers = collectAnswers(page);
    await page.goto("/ui/functions/keeper/settings");
    await page.getByLabel("Name of the secret").fill("TOKEN");
    await page.getByLabel("New value").fill(SECRET);
    await page.getByRole("button", { name: "Set the secret" }).click();
    await page.getByText("The secret TOKEN is set").waitFor();
    assert.equal(await page.getByLabel("New value").inputValue(), "");

    assert.equal((await fetch(`${server.url}/fn/keeper`)).status, 200);
    assert.equal((await fetch(`${server.url}/fn/keeper?bad=1`)).status, 500);
    const listed = (await (await fetch(`${server.url}/api/executions?function=keeper`)).json()) as {
      items: { id: string }[];
    };
    assert.equal(listed.items.length, 2);
    const paths = [
      ...TABS.map((tab) => `/functions/keeper/${tab}`),
      ...listed.items.map(({ id }) => `/executions/${id}`),
      ...["/", "/functions", "/executions", "/system"],
    ];
    for (const path of paths) {
      await page.goto(`/ui${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      if (path.startsWith("/executions/")) await page.getByRole("log").getByText("the token is ***").waitFor();
      await settled(page, SETTLED_MS);
      assert.doesNotMatch(await page.content(), new RegExp(SECRET), path);
    }

    const texts = await Promise.all(answers);
    assert.ok(texts.length > paths.length, "the pages asked the server");
    const leaks = texts.filter(({ text }) => text.includes(SECRET)).map(({ url }) => url);
    assert.deepEqual(leaks, []);
    assert.doesNotMatch(
      await page.evaluate<string>("JSON.stringify({ ...localStorage, ...sessionStorage })"),
      /s3cret/,
    );
  });
});

/** What the API answers from now on, whole. */
function collectAnswers(page: Page): Promise<{ url: string; text: string }>[] {
  const answers: Promise<{ url: string; text: string }>[] = [];
  page.on("response", (response) => {
    if (!response.url().includes("/api/")) return;
    // One that was given up, since its page was left, says nothing.
    const text = response.text().catch(() => "");
    answers.push(text.then((whole) => ({ url: response.url(), text: whole })));
  });
  return answers;
}
