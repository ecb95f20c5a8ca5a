import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { noBrowser } from "./browser-under-test.ts";
import { PagesUnderTest } from "./pages-under-test.ts";

const MIRROR = `export default async (request) => {
  const { pathname, search } = new URL(request.url);
  return Response.json({
    method: request.method,
    address: pathname + search,
    trace: request.headers.get("x-trace"),
    type: request.headers.get("content-type"),
    body: await request.text(),
  });
};`;
const DOUBLE = "def handler(event, context):\n    return {'twice': event['n'] * 2}\n";

describe("running an execution again with changes", { skip: noBrowser }, () => {
  let pages: PagesUnderTest;
  before(async () => {
    pages = await PagesUnderTest.start();
    await pages.api("POST", "/api/functions", { name: "math/mirror", language: "javascript", code: MIRROR });
    await pages.api("POST", "/api/functions", { name: "double", language: "python", code: DOUBLE });
  });
  after(() => pages.dispose());

  /** The id of the execution that a call has made. */
  async function call(path: string, init: RequestInit): Promise<string> {
    const response = await fetch(`${pages.server.url}/fn/math/mirror${path}`, init);
    assert.equal(response.status, 200);
    return response.headers.get("x-execution-id") ?? "";
  }

  it("fills method, path, query, headers and body of the Test tab, and a reload keeps what was changed", async (t) => {
    const id = await call("/a%20b?x=1&y=2", {
      method: "PUT",
      headers: { "content-type": "application/json", "x-trace": "7", authorization: "Bearer very-secret" },
      body: '{"n":1}',
    });
    const page = await pages.open(t, `/executions/${id}`);
    await page.getByRole("link", { name: "Run again with changes" }).click();
    await page.getByText("This is the request of an earlier execution.").waitFor();
    assert.equal(await page.getByLabel("Method").inputValue(), "PUT");
    assert.equal(await page.getByLabel("Path behind the function's address").inputValue(), "/a b");
    assert.equal(await page.getByLabel("Body text").inputValue(), '{"n":1}');
    assert.doesNotMatch(await page.content(), /very-secret/);
    await page.getByText(/\*\*\* stands for what was masked/).waitFor();

    await page.getByLabel("Body text").fill('{"n":2}');
    await page.reload();
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("200 OK").waitFor();
    const answer = JSON.parse(await page.getByLabel("Body of the response").innerText()) as object;
    assert.deepEqual(answer, {
      ...{ method: "PUT", address: "/fn/math/mirror/a%20b?x=1&y=2", trace: "7" },
      ...{ type: "application/json", body: '{"n":2}' },
    });
  });

  it("fills a form field by field, and says what it could not fill", async (t) => {
    const form = await call("", { method: "POST", body: new URLSearchParams({ name: "Ada", city: "A&B" }) });
    const page = await pages.open(t, `/functions/math%2Fmirror/test?execution=${form}`);
    await page.getByText("This is the request of an earlier execution.").waitFor();
    assert.equal(await page.getByText(/Some of it was not kept/).count(), 0);
    const values = page.getByRole("group", { name: "Fields" }).getByLabel("Fields: value");
    assert.deepEqual([await values.nth(0).inputValue(), await values.nth(1).inputValue()], ["Ada", "A&B"]);

    const bytes = await call("", { method: "POST", body: new Uint8Array([255, 254, 0]) });
    await page.goto(`${pages.server.url}/ui/functions/math%2Fmirror/test?execution=${bytes}`);
    await page.getByText(/Some of it was not kept/).waitFor();
    assert.equal(await page.getByLabel("Kind of body").inputValue(), "none");
  });

  it("fills the Code tab's input where it was a value", async (t) => {
    const { executionId } = (await pages.api("POST", "/api/functions/double/invocations", {
      input: { n: 21 },
    })) as { executionId: string };
    const page = await pages.open(t, `/executions/${executionId}`);
    await page.getByRole("link", { name: "Run again with changes" }).click();
    await page.waitForURL(/functions\/double\/code$/);
    assert.match(await page.getByLabel("Input (JSON)").inputValue(), /"n": 21/);
    await page.getByLabel("Input (JSON)").fill('{"n": 4}');
    await page.getByLabel("Input (JSON)").press("Control+Enter");
    await page
      .getByLabel("Answer", { exact: true })
      .getByText(/"twice": 8/)
      .waitFor();
  });

  it("can be sent as a job instead, whose page shows the response", async (t) => {
    const page = await pages.open(t, "/functions/math%2Fmirror/test");
    await page.getByLabel("Method").selectOption("POST");
    await page.getByLabel("Kind of body").selectOption("Text");
    await page.getByLabel("Body text").fill("later");
    await page.getByRole("button", { name: "Send as a job" }).click();
    await page.getByRole("link", { name: "See the job" }).click();
    await page.getByText("Completed", { exact: true }).waitFor();
    await page.getByText(/"body": "later"/).waitFor();
    await page.context().close();
    assert.deepEqual(pages.complaints, []);
  });
});
