// What a request says is read once while callers say the same; each run must still get its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestServer } from "./server-under-test.ts";
import { boundShim } from "./worker-under-test.ts";

const ASK = {
  method: "POST",
  query: "a=1",
  headers: [
    ["host", "h"],
    ["x-a", "1"],
    ["x-a", "2"],
  ],
  requestId: "",
} as const;

/** Each shows what it is told but for the time, then changes all of it that can be changed. */
const PROGRAMS: Readonly<Record<string, string>> = {
  lambda: `export const handler = (event, context) => {
    event.requestContext.time = event.requestContext.timeEpoch = 0;
    const shown = JSON.stringify([event, context.executionId, context.requestId]);
    event.headers["x-a"] = event.queryStringParameters.a = event.requestContext.http.method = context.executionId = "changed";
    return shown;
  }`,
  main: `export const main = (params, context) => {
    const shown = JSON.stringify([params, context.executionId]);
    params.__ow_headers["x-a"] = params.__ow_method = params.a = "changed";
    return shown;
  }`,
  web: `export default async (request, env, ctx) => {
    const shown = [request.method, request.url, ...request.headers, await request.text(), ctx.executionId];
    request.headers.set("x-a", "changed");
    return new Response(JSON.stringify(shown));
  }`,
  script: `
    const shown = JSON.stringify([event, ctx.executionId]);
    event.headers["x-a"] = event.query.a = event.method = "changed";
    return shown;`,
};

for (const [style, code] of Object.entries(PROGRAMS)) {
  test(`no run of the style ${style} sees what another one did to the same request`, async (t) => {
    const server = new TestServer(await boundShim(t, code));
    const shown: string[] = [];
    for (const [index, body] of ["body-1", "body-2", "body-1"].entries()) {
      const told = (await server.ask({ ...ASK, body })).body;
      assert.ok(told.includes(body), told);
      assert.ok(told.includes(`exec-${index + 1}`), told);
      shown.push(told.replaceAll(body, "").replaceAll(`exec-${index + 1}`, ""));
    }
    assert.equal(shown[1], shown[0]);
    assert.equal(shown[2], shown[0]);
    assert.doesNotMatch(shown[0] ?? "", /changed/);
    assert.match(shown[0] ?? "", /1, ?2/);
  });

  test(`each run of the style ${style} gets its own request where only a little is another one`, async (t) => {
    const server = new TestServer(await boundShim(t, code));
    for (const value of ["1", "2", "1"]) {
      for (const change of [{ headers: [["x-a", `header${value}`]] }, { query: `a=query${value}` }] as const) {
        const { body } = await server.ask({ ...ASK, ...change });
        assert.match(body, new RegExp(`(header|query)${value}`));
        assert.doesNotMatch(body, new RegExp(`(header|query)${value === "1" ? "2" : "1"}`));
      }
    }
  });
}
