// Every page there is, with something on it: for people who do not see it, in both themes, on a phone, in both languages.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import {
  assertAccessible,
  assertNoHorizontalScroll,
  closeBoth,
  createFunction,
  noBrowser,
  openBrowserFor,
  openPage,
  settled,
} from "./browser-under-test.ts";

const ROUTES = join(import.meta.dirname, "../../dashboard/src/pages/pages.tsx");
const TABS = ["code", "test", "versions", "executions", "metrics", "data", "settings"];
/** HTML that somebody else has written, wherever a name or a text may be. */
const FOREIGN = "<b data-foreign>bold</b>";
const SHOWS_FOREIGN = ["/functions", "/functions/greet/data", "/executions/:id", "/jobs/:id", "/system/keys"];
const CODE = `export default (request) => {
  console.log("a line that says ${FOREIGN}");
  if (new URL(request.url).searchParams.has("bad")) throw new TypeError("not today ${FOREIGN}");
  return Response.json({ hello: "world" });
};
`;
const SETTLED_MS = 2_000;
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 375, height: 740 };
const TEXT_IN_TWO_LANGUAGES = 0.1; // of the letters, Chinese ones; names and code stay as they are

/** A route, and where to look at it. */
interface Visit {
  readonly route: string;
  readonly path: string;
}

describe("every page", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: ServerUnderTest;
  let visits: readonly Visit[];
  before(async () => {
    [browser, server] = await openBrowserFor(startServer({ MAX_CONTAINERS: "4" }));
    await createFunction(server, "greet", { code: CODE, description: `Says hello ${FOREIGN}`, saveResponses: true });
    await createFunction(server, "a-name-that/goes-on-and-on/and-is-longer-than/a-phone-is-wide/by-far");
    await server.post("/api/functions/greet/versions", { code: `${CODE}// the second one\n` });
    await fetch(`${server.url}/fn/greet`);
    await fetch(`${server.url}/fn/greet?bad=1`);
    const kvPath = `/api/functions/greet/kv/${encodeURIComponent(FOREIGN)}`;
    await fetch(`${server.url}${kvPath}`, { method: "PUT", body: JSON.stringify({ value: FOREIGN }) });
    await server.post("/api/keys", { name: FOREIGN, scope: "invoke" });
    const headers = { Prefer: "respond-async" };
    const job = await server.post("/api/functions/greet/invocations", { input: FOREIGN }, { headers });
    const { jobId } = (await job.json()) as { jobId: string };
    const found = (await (await fetch(`${server.url}/api/executions?status=error`)).json()) as {
      items: { id: string }[];
    };
    visits = [
      { route: "/", path: "/" },
      { route: "/functions", path: "/functions" },
      { route: "/new", path: "/new" },
      { route: "/new", path: "/new?from=files" },
      ...TABS.map((tab) => ({ route: "/functions/:name/:tab?", path: `/functions/greet/${tab}` })),
      { route: "/playground", path: "/playground" },
      { route: "/executions", path: "/executions" },
      { route: "/executions", path: "/executions?text=nothing-has-this" },
      { route: "/executions/:id", path: `/executions/${found.items[0]?.id}` },
      { route: "/jobs", path: "/jobs" },
      { route: "/jobs/:id", path: `/jobs/${jobId}` },
      { route: "/system/:section?", path: "/system" },
      { route: "/system/:section?", path: "/system/keys" },
      { route: "/login", path: "/login" },
      { route: "*", path: "/nothing/here" },
    ];
  });
  after(() => closeBoth(browser, server));

  test("is visited by these tests", () => {
    const routes = [...readFileSync(ROUTES, "utf8").matchAll(/<Route path="([^"]+)"/g)].map(([, path = ""]) => path);
    const visited = new Set(visits.map(({ route }) => route));
    assert.deepEqual(
      routes.filter((route) => !visited.has(route) && route !== "/index.html"), // which leads to the first page
      [],
    );
  });

  test("can be used by everyone in the light theme, and fits a phone", async (t) => {
    const page = await openPage(t, browser, server, { colorScheme: "light", hasTouch: true });
    for (const { path } of visits) {
      await page.setViewportSize(DESK);
      await visit(page, path);
      await assertAccessible(page);
      await page.setViewportSize(PHONE); // on the same visit: most of its time is the page's own
      await settled(page, SETTLED_MS);
      await assertNoHorizontalScroll(page);
    }
  });

  test("can be used by everyone in the dark theme; speaks Chinese, and shows no message's name in its place, nor others' HTML as HTML", async (t) => {
    const page = await openPage(t, browser, server, { colorScheme: "dark", locale: "zh-CN" });
    const asText: string[] = [];
    await page.goto("/ui/");
    for (const { path } of visits) {
      await page.evaluate(`history.pushState(null, "", ${JSON.stringify(`/ui${path}`)})`); // as a link of the page's own does
      await shown(page);
      assert.equal(await page.getAttribute("html", "data-mantine-color-scheme"), "dark");
      await assertAccessible(page);
      const text = await page.locator("body").innerText();
      const chinese = text.match(/\p{Script=Han}/gu)?.length ?? 0;
      const letters = text.match(/\p{Letter}/gu)?.length ?? 1;
      assert.ok(chinese / letters > TEXT_IN_TWO_LANGUAGES, `${path}: ${chinese} of ${letters} letters are Chinese`);
      assert.doesNotMatch(text, /\bundefined\b|\[object Object\]|\bNaN\b/, path);
      assert.equal(await page.locator("[data-foreign]").count(), 0, path);
      if (text.includes(FOREIGN)) asText.push(path.replace(/[0-9a-f-]{36}/, ":id"));
    }
    for (const path of SHOWS_FOREIGN) assert.ok(asText.includes(path), `${path} does not show it as text`);
  });
});

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(`/ui${path}`);
  await shown(page);
}

async function shown(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("main [role=status] .mantine-Loader-root").waitFor({ state: "detached" });
  await settled(page, SETTLED_MS);
}
