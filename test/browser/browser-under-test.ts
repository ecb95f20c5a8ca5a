// A real browser in front of a real server. Whatever a page complains of, and every request that would leave this machine, fails its test.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from "playwright-core";
import type { ServerUnderTest } from "../server-under-test.ts";

// The first one is Chromium without all that is around its pages, and needs a quarter less of a machine that has two cores.
const PROGRAMS = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const ARGS = [
  "--headless",
  "--no-sandbox", // the tests may be root, who has no sandbox of Chromium's
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** For one thing to appear; generous, as many tests share few cores. */
export const PATIENCE_MS = 30_000;
const LAUNCH_LIMIT_MS = 90_000;

const program = PROGRAMS.find((path) => existsSync(path));
/** For `test`: why there can be no test, or false. */
export const noBrowser = program === undefined ? "there is no Chromium on this machine" : false;

/**
 * One for each file of tests; each page has cookies and storage of its own. Its profile is a temporary folder.
 *
 * @param more of Chromium's own switches
 */
export async function openBrowser(more: readonly string[] = []): Promise<Browser> {
  const args = [...ARGS, ...more];
  return await chromium.launch({
    ...(program === undefined ? {} : { executablePath: program }),
    ...{ args, timeout: LAUNCH_LIMIT_MS },
  });
}

/**
 * A browser, started while the server starts. Where one of them fails, the other one is stopped: it would keep the file from ending.
 *
 * @param more of Chromium's own switches
 */
export async function openBrowserFor(
  server: Promise<ServerUnderTest>,
  more: readonly string[] = [],
): Promise<[Browser, ServerUnderTest]> {
  const [opened, started] = await Promise.allSettled([openBrowser(more), server]);
  if (opened.status === "fulfilled" && started.status === "fulfilled") return [opened.value, started.value];
  await closeBoth(
    opened.status === "fulfilled" ? opened.value : undefined,
    started.status === "fulfilled" ? started.value : undefined,
  );
  throw opened.status === "rejected" ? opened.reason : (started as PromiseRejectedResult).reason;
}

/** Stops each, however it goes with the other one; undefined: it has not been started. */
export async function closeBoth(browser: Browser | undefined, server: ServerUnderTest | undefined): Promise<void> {
  try {
    await browser?.close();
  } finally {
    await server?.dispose();
  }
}

export interface PageOptions extends BrowserContextOptions {
  /** Complaints that the test provokes. */
  readonly expected?: RegExp;
}

/** A fresh page of the dashboard, closed with the test. */
export async function openPage(
  t: TestContext,
  browser: Browser,
  server: Pick<ServerUnderTest, "url">,
  { expected, ...options }: PageOptions = {},
): Promise<Page> {
  const built = await fetch(`${baseOf(server)}/ui/`);
  assert.equal(built.status, 200, "the dashboard is not built: node scripts/setup.mjs --dev");
  const context = await browser.newContext({
    baseURL: baseOf(server),
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
    permissions: ["clipboard-read", "clipboard-write"],
    reducedMotion: "reduce", // what moves cannot be clicked
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  collectComplaints(page, complaints);
  countRequests(page);
  t.after(async () => {
    await context.close();
    assert.deepEqual(
      complaints.filter((complaint) => expected?.test(complaint) !== true),
      [],
    );
  });
  return page;
}

/** Adds what the page logs as an error or a warning, what it does not catch, and each request to another machine. */
export function collectComplaints(page: Page, complaints: string[]): void {
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (/^(?:https?|wss?):$/.test(protocol) && hostname !== "127.0.0.1") complaints.push(`left: ${request.url()}`);
  });
}

/** Of each page: what it has asked for and not been told yet, but for streams of events, which have no end. */
const unanswered = new WeakMap<Page, Set<Request>>();

function countRequests(page: Page): void {
  const requests = new Set<Request>();
  unanswered.set(page, requests);
  page.on("request", (request) => {
    if (request.resourceType() !== "eventsource") requests.add(request);
  });
  for (const end of ["requestfinished", "requestfailed"] as const)
    page.on(end as "requestfinished", (request) => requests.delete(request));
  page.on("framenavigated", (frame) => {
    if (frame === page.mainFrame()) requests.clear();
  });
}

const QUIET = `new Promise((resolve) => {
  let timer;
  const observer = new MutationObserver(() => again());
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => { observer.disconnect(); resolve(); }, 200);
  };
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  again();
})`;

/** Resolves when the page has asked for nothing and shown nothing new for a moment, or after `limitMs`: some look all the time. */
export async function settled(page: Page, limitMs: number): Promise<void> {
  const giveUpAtMs = performance.now() + limitMs;
  do {
    const left = delay(Math.max(0, giveUpAtMs - performance.now()), undefined, { ref: false });
    await Promise.race([page.evaluate(QUIET), left]);
  } while ((unanswered.get(page)?.size ?? 0) > 0 && performance.now() < giveUpAtMs);
}

/** Where a browser on this machine reaches it, also when it listens on all addresses. */
export function baseOf({ url }: Pick<ServerUnderTest, "url">): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:");
}

/**
 * Fails on what keeps people from using the page, or the part of it that is `within`: WCAG 2.2 AA, serious and worse.
 * Nothing in it may be a frame without scripts: the examination would wait for it for ever.
 */
export async function assertAccessible(page: Page, within = "html"): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .include(within)
    .setLegacyMode(true) // without a second page for each: what frames show is not ours
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join("\n    ")}`),
    [],
    page.url(),
  );
}

/** Fails where the page is wider than the window. */
export async function assertNoHorizontalScroll(page: Page): Promise<void> {
  const [content = 0, window = 0] = await page.evaluate<number[]>("[document.documentElement.scrollWidth, innerWidth]");
  assert.ok(content <= window, `${page.url()} is ${content} px wide in a window of ${window} px`);
}

/** Makes a function over the API. */
export async function createFunction(
  server: ServerUnderTest,
  name: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const code = "export default () => new Response('ok');";
  const response = await server.post("/api/functions", { name, language: "javascript", code, ...more });
  assert.equal(response.status, 201, await response.text());
}
