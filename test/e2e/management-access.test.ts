// Who may call which route of the management API: keys by scope, sessions of the dashboard, and no page of somebody else.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { grants, type Scope, SCOPES } from "../../src/core/access.ts";
import { ManagementUnderTest } from "../management-under-test.ts";
import { ServerUnderTest } from "../server-under-test.ts";

const PUBLIC_HOST = "cloche.example.com";
const NEEDS_NO_KEY = ["findDocs", "login", "logout", "readLlmsText"];

async function startPublic(settings: Record<string, string> = {}): Promise<ServerUnderTest> {
  const server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), { HOST: "0.0.0.0", ...settings });
  await server.started;
  server.url = `http://127.0.0.1:${new URL(server.url).port}`;
  return server;
}

function firstKey({ stdout }: ServerUnderTest): string {
  return /^ {2}(clo_\S+)$/m.exec(stdout)?.[1] ?? "";
}

suite("the management API on another address than loopback", () => {
  let server: ServerUnderTest;
  let api: ManagementUnderTest;
  let admin = "";
  const keys = new Map<Scope, string>();
  before(async () => {
    server = await startPublic({ BASE_URL: `https://${PUBLIC_HOST}` });
    admin = firstKey(server);
    api = await ManagementUnderTest.open(server.url, { authorization: `Bearer ${admin}` });
    for (const scope of SCOPES) {
      keys.set(scope, (await api.call("createKey", 201, { body: { name: `for ${scope}`, scope } })).json.key);
    }
  });
  after(() => server.dispose());

  async function call(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
  ): Promise<Response> {
    return await fetch(server.url + path, {
      ...{ method, headers, redirect: "manual" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async function logIn(key: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await call("POST", "/api/session", headers, { key });
    assert.equal(response.status, 201, await response.clone().text());
    return /^(cloche_session=[\w-]+);/.exec(response.headers.get("set-cookie") ?? "")?.[1] ?? "";
  }

  test("asks for a key at every route but the few that are for all, and for a scope that is large enough", async () => {
    const open: string[] = [];
    for (const route of api.routes) {
      const needed = route.operation["x-scope"];
      if (needed === "none") {
        open.push(route.id);
        continue;
      }
      const none = await api.send(route, { headers: { authorization: "" } });
      assert.deepEqual([none.status, none.json.error.code], [401, "KEY_REQUIRED"], route.id);
      assert.equal(none.headers.get("www-authenticate"), "Bearer");
      for (const [scope, key] of keys) {
        const { status, json } = await api.send(route, { headers: { authorization: `Bearer ${key}` } });
        const isRefused = status === 401 || status === 403;
        assert.equal(
          isRefused,
          needed !== "any" && !grants(scope, needed as Scope),
          `${route.id} with ${scope}: ${status}`,
        );
        if (isRefused) assert.equal(json.error.code, "SCOPE_MISSING", route.id);
      }
    }
    assert.deepEqual(open.toSorted(), NEEDS_NO_KEY);
    assert.ok(api.routes.length >= 40);
  });

  test("asks for a key even where nothing is", async () => {
    for (const [method, path] of [
      ["GET", "/api/nothing"],
      ["PUT", "/api/keys"],
      ["GET", "/api/functions/%zz"],
      ["GET", "/api/functions/nobody"],
      ["POST", "/api/functions"],
    ] as const) {
      assert.equal((await call(method, path, {})).status, 401, path);
      assert.equal((await call(method, path, { authorization: "Bearer clo_wrong" })).status, 401, path);
      assert.notEqual((await call(method, path, { authorization: `Bearer ${admin}` })).status, 401, path);
    }
  });

  test("refuses pages of other origins, whatever they bring, and takes its own by each of its names", async () => {
    const { host } = new URL(server.url);
    const authorization = `Bearer ${admin}`;
    for (const origin of [
      "https://evil.example",
      "null",
      `https://${PUBLIC_HOST}.evil.example`,
      `http://${PUBLIC_HOST}`,
    ]) {
      for (const [method, path] of [
        ["GET", "/api/system"],
        ["POST", "/api/session"],
        ["DELETE", "/api/session"],
      ] as const) {
        const response = await call(method, path, { authorization, origin });
        assert.equal(response.status, 403, `${origin} ${path}`);
        assert.match(await response.text(), /HOST_NOT_ALLOWED/);
      }
    }
    for (const origin of [`http://${host}`, `https://${host}`, `https://${PUBLIC_HOST}`]) {
      assert.equal((await call("GET", "/api/system", { authorization, origin })).status, 200, origin);
    }
  });

  test("opens a session with a key, good for what the key is good for", async () => {
    const origin = server.url;
    const cookie = await logIn(keys.get("read") ?? "");

    const session = (await (await call("GET", "/api/session", { cookie })).json()) as { expiresAt: string };
    assert.deepEqual({ ...session, expiresAt: "" }, { scope: "read", via: "session", expiresAt: "" });
    assert.ok(Math.abs(Date.parse(session.expiresAt) - Date.now() - 12 * 3600_000) < 60_000);
    assert.equal((await call("GET", "/api/functions", { cookie })).status, 200);
    assert.equal((await call("GET", "/api/keys", { cookie, origin })).status, 403);
    assert.equal((await call("POST", "/api/functions", { cookie, origin }, {})).status, 403);
    assert.equal((await call("GET", "/api/system", { cookie, authorization: "Bearer clo_wrong" })).status, 401);
    assert.equal((await call("GET", "/api/system", { cookie: `${cookie}x` })).status, 401);
  });

  test("takes a change made with a session only from a page that says it is ours", async () => {
    const cookie = await logIn(admin);
    const body = { name: "by session", scope: "read" };
    const statuses = [];
    for (const headers of [
      {},
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "same-origin" },
      { origin: server.url },
    ]) {
      statuses.push((await call("POST", "/api/keys", { cookie, ...headers }, body)).status);
    }

    assert.deepEqual(statuses, [403, 403, 403, 403, 201, 201]);
  });

  test("takes a session nowhere but below /api", async () => {
    const cookie = await logIn(admin);
    const headers = { cookie, origin: server.url };
    await api.call("createFunction", 201, { body: { name: "f", language: "lua", code: "return event.headers" } });

    for (const [method, path, body] of [
      ["GET", "/fn/f", undefined],
      ["POST", "/run/f", {}],
      ["POST", "/run-now", { language: "lua", code: "return 1" }],
      ["POST", "/upload", { path: "x", language: "lua", code: "return 1" }],
    ] as const) {
      assert.equal((await call(method, path, headers, body)).status, 401, path);
    }
    const seen = await call("GET", "/fn/f", { ...headers, authorization: `Bearer ${admin}` });
    assert.equal((await seen.text()).includes(cookie.slice(-20)), false);
  });

  test("ends a session when its owner logs out, and when its key is removed", async () => {
    const { json: made } = await api.call("createKey", 201, { body: { name: "short", scope: "read" } });
    const [one, other] = [await logIn(made.key), await logIn(made.key)];

    const out = await call("DELETE", "/api/session", { cookie: one, origin: server.url });
    assert.equal(out.status, 204);
    assert.match(
      out.headers.get("set-cookie") ?? "",
      /^cloche_session=; Path=\/api; Max-Age=0; HttpOnly; SameSite=Strict$/,
    );
    assert.equal((await call("GET", "/api/session", { cookie: one })).status, 401);
    assert.equal((await call("GET", "/api/session", { cookie: other })).status, 200);
    await api.call("deleteKey", 204, { params: { id: made.id } });
    assert.equal((await call("GET", "/api/session", { cookie: other })).status, 401);
  });

  test("has the cookie sent over https only, where the browser came that way", async () => {
    const setCookie = async (headers: Record<string, string>): Promise<string> =>
      (await call("POST", "/api/session", headers, { key: admin })).headers.get("set-cookie") ?? "";

    assert.match(await setCookie({ origin: `https://${PUBLIC_HOST}` }), /; Secure$/);
    assert.doesNotMatch(await setCookie({ origin: server.url }), /Secure/);
    assert.doesNotMatch(await setCookie({}), /Secure/);
  });

  test("writes down which key a version came with", async () => {
    const name = "signed";
    const made = await call(
      "POST",
      "/api/functions",
      { authorization: `Bearer ${keys.get("deploy")}` },
      { name, language: "lua", code: "return 1" },
    );
    const { version } = (await made.json()) as { version: { createdBy: string } };
    assert.equal(version.createdBy, "for deploy");
    const headers = { cookie: await logIn(admin), origin: server.url };
    const next = await call("POST", "/api/functions/signed/versions", headers, { code: "return 2" });
    assert.equal(((await next.json()) as { createdBy: string }).createdBy, "first");
  });
});

test("a server on another address asks for patience after twenty wrong keys, be they sent as a key or to log in", async () => {
  const server = await startPublic();
  const admin = firstKey(server);
  const ask = async (key: string): Promise<Response> =>
    await fetch(`${server.url}/api/system`, { headers: { authorization: `Bearer ${key}` } });
  const logIn = async (key: string): Promise<Response> => await server.post("/api/session", { key });
  try {
    for (let guess = 0; guess < 10; guess++) {
      assert.equal((await logIn(`clo_${guess}`)).status, 401);
      assert.equal((await ask(`clo_${guess}`)).status, 401);
    }
    const blocked = await logIn(admin);
    assert.deepEqual([blocked.status, blocked.headers.get("retry-after")], [429, "60"]);
    assert.equal((await ask(admin)).status, 429);
  } finally {
    await server.dispose();
  }
});

suite("the management API on loopback", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")));
    await server.started;
  });
  after(() => server.dispose());

  test("refuses foreign origins at every route and where there is none", async () => {
    const api = await ManagementUnderTest.open(server.url);
    for (const route of api.routes) {
      const { status, json } = await api.send(route, { headers: { origin: "http://evil.example" } });
      assert.deepEqual([status, json.error.code], [403, "HOST_NOT_ALLOWED"], route.id);
    }
    const nothing = await fetch(`${server.url}/api/nothing`, { headers: { origin: "http://evil.example" } });
    assert.equal(nothing.status, 403);
  });
});
