// What a page with a session has in place of `/fn/` and `/run-now`, where its cookie does not go.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ManagementUnderTest } from "../management-under-test.ts";
import { parseEvents, type ServerUnderTest, startServer } from "../server-under-test.ts";

const ADMIN_KEY = "clo_this-key-is-only-for-these-tests";
const SOON_MS = 30_000;
/** Tells what it was asked. */
const MIRROR = `export default async (request) => {
  const { pathname, search } = new URL(request.url);
  if (pathname.endsWith("/broken")) throw new TypeError("not today");
  if (pathname.endsWith("/bytes")) return new Response(new Uint8Array([255, 0]));
  const headers = Object.fromEntries(request.headers);
  return Response.json({ method: request.method, pathname, search, headers, body: await request.text() }, { status: 203 });
};`;

interface Mirrored {
  readonly method: string;
  readonly pathname: string;
  readonly search: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

suite("a request that is described to the management API", () => {
  let server: ServerUnderTest;
  let api: ManagementUnderTest;
  before(async () => {
    server = await startServer();
    api = await ManagementUnderTest.open(server.url);
    for (const [name, language, code] of [
      ["mirror", "javascript", MIRROR],
      ["valued", "python", "def handler(event, context):\n    return {'n': 1}\n"],
    ]) {
      await api.call("createFunction", 201, { body: { name, language, code, saveResponses: true } });
    }
  });
  after(() => server.dispose());

  const send = async (id: string, request: object, status = 200) =>
    (await api.call("invoke", status, { params: { id }, body: { request } })).json;

  test("reaches the function as if it had been sent, and its response comes back whole", async () => {
    const answer = await send("mirror", {
      ...{ method: "POST", path: "/a%20b/c", query: "x=1&x=2" },
      headers: [
        ["X-Trace", "7"],
        ["Content-Length", "999"],
      ],
      body: "grüße",
    });

    const mirrored = JSON.parse(answer.response.body) as Mirrored;
    assert.equal(answer.status, "success");
    assert.equal(answer.response.statusCode, 203);
    assert.deepEqual(
      [mirrored.method, mirrored.pathname, mirrored.search, mirrored.body],
      ["POST", "/fn/mirror/a%20b/c", "?x=1&x=2", "grüße"],
    );
    assert.equal(mirrored.headers["x-trace"], "7");
    assert.equal(mirrored.headers["content-length"], String(Buffer.byteLength("grüße")));
    assert.equal(mirrored.headers["host"], new URL(server.url).host);
  });

  test("is recorded like a call over HTTP, secrets masked, and can be replayed", async () => {
    const headers = [["authorization", "Bearer very-secret"]];
    const { executionId } = await send("mirror", { path: "/kept", headers });

    const kept = (await api.call("readExecution", 200, { params: { id: executionId } })).json;
    assert.equal(kept.trigger, "http");
    assert.equal(kept.httpStatus, 203);
    assert.equal(kept.event.relativePath, "/kept");
    assert.equal(kept.response.statusCode, 203);
    assert.doesNotMatch(JSON.stringify(kept.event), /very-secret/);
    const again = (await api.call("replayExecution", 200, { params: { id: executionId } })).json;
    assert.equal((JSON.parse(again.response.body) as Mirrored).pathname, "/fn/mirror/kept");
  });

  test("answers with bytes as Base64, with a value as JSON, and with the error of code that throws", async () => {
    const bytes = await send("mirror", { path: "/bytes" });
    const value = await send("valued", {});
    const broken = await send("mirror", { path: "/broken" });

    assert.deepEqual([bytes.response.body, bytes.response.isBase64Encoded], ["/wA=", true]);
    assert.deepEqual(JSON.parse(value.response.body), { n: 1 });
    assert.deepEqual([broken.status, broken.response, broken.error.message], ["error", undefined, "not today"]);
  });

  test("is kept as a job where the caller prefers that", async () => {
    const body = { request: { method: "PUT", path: "/later", body: "x", headers: [["prefer", "respond-async"]] } };
    const headers = { Prefer: "respond-async" };
    const { jobId } = (await api.call("invoke", 202, { params: { id: "mirror" }, body, headers })).json;

    const giveUpAtMs = Date.now() + SOON_MS;
    for (;;) {
      const job = (await api.call("readJob", 200, { params: { id: jobId } })).json;
      if (job.status === "completed") {
        const mirrored = JSON.parse(job.response.body) as Mirrored;
        assert.deepEqual([mirrored.method, mirrored.pathname, mirrored.body], ["PUT", "/fn/mirror/later", "x"]);
        assert.equal(mirrored.headers["prefer"], undefined);
        break;
      }
      assert.ok(Date.now() < giveUpAtMs, `the job is ${job.status} after ${SOON_MS} ms`);
      await delay(20);
    }
  });

  test("is refused where it could not have been sent", async () => {
    for (const request of [
      { path: "no-slash" },
      { path: "/a b" },
      { path: "/a?x=1" },
      { query: "a#b" },
      { method: "CONNECT" },
      { method: "GET", body: "x" },
      { headers: [["a b", "c"]] },
      { headers: [["a", "b\r\nc: d"]] },
      { headers: [["only a name"]] },
      { host: "example.com" },
    ]) {
      const { error } = await send("mirror", request, 400);
      assert.equal(error.code, "INVALID_REQUEST", JSON.stringify(request));
    }
    const both = { params: { id: "mirror" }, body: { input: 1, request: {} } };
    assert.equal((await api.call("invoke", 400, both)).json.error.code, "INVALID_REQUEST");
  });
});

suite("running code now with a session", () => {
  let server: ServerUnderTest;
  let base = "";
  before(async () => {
    server = await startServer({ HOST: "0.0.0.0", ADMIN_KEY });
    base = `http://127.0.0.1:${new URL(server.url).port}`;
  });
  after(() => server.dispose());

  async function runNow(headers: Record<string, string>, body: object = {}): Promise<Response> {
    const code = { language: "javascript", code: "console.log('a'); return 1;", ...body };
    return await fetch(`${base}/api/run-now`, { method: "POST", headers, body: JSON.stringify(code) });
  }

  async function sessionOf(key: string): Promise<string> {
    const response = await fetch(`${base}/api/session`, { method: "POST", body: JSON.stringify({ key }) });
    assert.equal(response.status, 201);
    return /^(cloche_session=[\w-]+);/.exec(response.headers.get("set-cookie") ?? "")?.[1] ?? "";
  }

  test("does what /run-now does, streaming included", async () => {
    const headers = { cookie: await sessionOf(ADMIN_KEY), origin: base };

    assert.deepEqual(await (await runNow(headers)).json(), { data: 1, type: "number" });
    const events = parseEvents(await (await runNow(headers, { stream: true })).text());
    assert.deepEqual(
      events.map(({ event, data }) => [event, data]),
      [
        ["log", "a"],
        ["result", 1],
      ],
    );
    assert.equal((await runNow({ authorization: `Bearer ${ADMIN_KEY}` })).status, 200);
  });

  test("is refused without a key, to pages of others, to a session from nowhere, and to who may only read", async () => {
    const made = await fetch(`${base}/api/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ name: "reader", scope: "read" }),
    });
    const { key } = (await made.json()) as { key: string };
    const cookie = await sessionOf(ADMIN_KEY);
    const refusals: [Record<string, string>, number, string][] = [
      [{}, 401, "KEY_REQUIRED"],
      [{ cookie }, 403, "HOST_NOT_ALLOWED"],
      [{ cookie, origin: "http://example.com" }, 403, "HOST_NOT_ALLOWED"],
      [{ cookie: await sessionOf(key), origin: base }, 403, "SCOPE_MISSING"],
      [{ authorization: `Bearer ${key}` }, 403, "SCOPE_MISSING"],
    ];
    for (const [headers, status, code] of refusals) {
      const response = await runNow(headers);
      const { error } = (await response.json()) as { error: { code: string } };
      assert.deepEqual([response.status, error.code], [status, code]);
    }
  });

  test("tells what is wrong in the shape of the management API", async () => {
    const response = await runNow({ authorization: `Bearer ${ADMIN_KEY}` }, { language: "cobol" });

    assert.equal(response.status, 400);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "UNSUPPORTED_LANGUAGE");
    assert.match(error.message, /cobol/);
  });
});
