// Who may do what: keys on every address but loopback.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { ServerUnderTest } from "../server-under-test.ts";

const HELLO = JSON.stringify({ language: "javascript", code: "return 'hello'" });

interface Called {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

suite("a server on another address than loopback", () => {
  let server: ServerUnderTest;
  let admin = "";
  before(async () => {
    server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), { HOST: "0.0.0.0" });
    await server.started;
    admin = /^ {2}(clo_\S+)$/m.exec(server.stdout)?.[1] ?? "";
  });
  after(() => server.dispose());

  async function call(method: string, path: string, key?: string, body?: string): Promise<Called> {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const { port } = new URL(server.url);
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  async function newKey(scope: string): Promise<{ readonly id: string; readonly key: string }> {
    const { status, text } = await call("POST", "/api/keys", admin, JSON.stringify({ name: `for ${scope}`, scope }));
    assert.equal(status, 201, text);
    return JSON.parse(text) as { id: string; key: string };
  }

  test("prints an admin key at its first start, once", async () => {
    assert.match(admin, /^clo_[\w-]{43}$/);
    assert.equal(server.stdout.split(admin).length, 2);
    assert.doesNotMatch(server.stderr, /clo_/);
  });

  test("refuses whoever has no key, or a wrong one, and runs nothing", async () => {
    for (const [method, path, body] of [
      ["POST", "/run-now", HELLO],
      ["POST", "/upload", JSON.stringify({ path: "x", language: "javascript", code: "return 1" })],
      ["POST", "/run/x", "{}"],
      ["GET", "/api/system", undefined],
      ["GET", "/api/keys", undefined],
    ] as const) {
      const none = await call(method, path, undefined, body);
      assert.equal(none.status, 401, path);
      assert.equal(none.headers.get("www-authenticate"), "Bearer");
      assert.match(none.text, /a key is required/);
      assert.equal((await call(method, path, "clo_wrong", body)).status, 401, path);
    }
    assert.match((await call("POST", "/run/x", admin, "{}")).text, /script not found/);
  });

  test("tells everyone that it lives, and what it is", async () => {
    for (const path of ["/healthz", "/readyz", "/version", "/"])
      assert.equal((await call("GET", path)).status, 200, path);
  });

  test("lets each key do what its scope grants", async () => {
    await call("POST", "/upload", admin, JSON.stringify({ path: "f", language: "javascript", code: "return 1" }));
    const statuses = async (key: string): Promise<number[]> => [
      (await call("POST", "/run-now", key, HELLO)).status,
      (await call("POST", "/run/f", key, "{}")).status,
      (await call("GET", "/api/system", key)).status,
      (await call("GET", "/api/keys", key)).status,
    ];

    assert.deepEqual(await statuses(admin), [200, 200, 200, 200]);
    assert.deepEqual(await statuses((await newKey("deploy")).key), [200, 200, 200, 403]);
    assert.deepEqual(await statuses((await newKey("invoke")).key), [403, 200, 403, 403]);
    assert.deepEqual(await statuses((await newKey("read")).key), [403, 403, 200, 403]);
  });

  test("lists keys without what they open, and lets nobody in with a removed one", async () => {
    const { id, key } = await newKey("read");
    const { text } = await call("GET", "/api/keys", admin);
    const before = await call("GET", "/api/system", key);
    const removed = await call("DELETE", `/api/keys/${id}`, admin);
    const afterwards = await call("GET", "/api/system", key);

    assert.ok(text.includes(id));
    assert.equal(text.includes(key), false);
    assert.deepEqual([before.status, removed.status, afterwards.status], [200, 204, 401]);
    assert.equal((await call("DELETE", `/api/keys/${id}`, admin)).status, 404);
  });

  test("says what a new key lacks", async () => {
    for (const [body, message] of [
      ["{", /not JSON/],
      ["null", /name: text of 1 to 100 characters/],
      [JSON.stringify({ name: "x".repeat(101), scope: "read" }), /name: text of 1 to 100/],
      [JSON.stringify({ name: "x", scope: "root" }), /scope: one of admin, deploy, invoke, read/],
    ] as const) {
      const { status, text } = await call("POST", "/api/keys", admin, body);
      assert.equal(status, 400, text);
      assert.match(text, message);
    }
  });

  test("asks for patience after twenty wrong keys from one address, whatever comes next", async () => {
    for (let guess = 0; guess < 25; guess++) await call("GET", "/api/system", `clo_${guess}`);
    const blocked = await call("GET", "/api/system", "clo_next");

    assert.equal(blocked.status, 429);
    assert.equal(blocked.headers.get("retry-after"), "60");
  });
});

suite("a server with a key of its operator", () => {
  let server: ServerUnderTest;
  const operatorKey = "operator-key-of-at-least-32-characters";
  before(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
    server = new ServerUnderTest(dataDir, { HOST: "0.0.0.0", ADMIN_KEY: operatorKey });
    await server.started;
  });
  after(() => server.dispose());

  test("takes it, and makes none of its own", async () => {
    const { port } = new URL(server.url);
    const headers = { authorization: `Bearer ${operatorKey}` };
    const answer = await fetch(`http://127.0.0.1:${port}/api/keys`, { headers });

    assert.deepEqual(await answer.json(), { items: [] });
    assert.doesNotMatch(server.stdout, /clo_/);
    assert.equal((server.stdout + server.stderr).includes(operatorKey), false);
  });
});
