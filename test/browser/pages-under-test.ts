// The dashboard as `scripts/setup.mjs` has built it, on a real server, in a real browser.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { closeBoth, collectComplaints, openBrowserFor, PATIENCE_MS } from "./browser-under-test.ts";

export class PagesUnderTest {
  readonly server: ServerUnderTest;
  readonly #browser: Browser;
  /** What pages logged as errors, and requests to other hosts. */
  readonly complaints: string[] = [];

  static async start(settings: Record<string, string> = {}): Promise<PagesUnderTest> {
    const [browser, server] = await openBrowserFor(startServer(settings));
    return new PagesUnderTest(server, browser);
  }

  private constructor(server: ServerUnderTest, browser: Browser) {
    this.server = server;
    this.#browser = browser;
  }

  /** A browser's profile of its own, closed with the test: a page asks for news as long as it is there. `path` is below /ui. */
  async open(t: TestContext, path: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context: BrowserContext = await this.#browser.newContext({ locale: "en-US", ...options });
    t.after(() => context.close());
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    collectComplaints(page, this.complaints);
    await page.goto(`${this.server.url}/ui${path}`);
    return page;
  }

  /** @returns what the server answered */
  async api(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.server.url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  async dispose(): Promise<void> {
    await closeBoth(this.#browser, this.server);
  }
}
