// The examples that keep something, beyond what their READMEs show.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { type ServerUnderTest, startServer } from "../../server-under-test.ts";
import { deployAsReadme } from "./readme.ts";

const NAMES = ["asgi-app", "counter-lua", "counter-typescript", "json-api", "url-shortener", "webhook-lua"];

let server: ServerUnderTest;
before(async () => {
  server = await startServer({ MAX_CONTAINERS: "12" });
  for (const name of NAMES) await deployAsReadme(name, server);
});
after(() => server.dispose());

function call(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`${server.url}/fn/${path}`, { redirect: "manual", ...init });
}

async function answer(path: string, method: string, body?: unknown): Promise<[status: number, json: unknown]> {
  const response = await call(path, body === undefined ? { method } : { method, body: JSON.stringify(body) });
  const text = await response.text();
  return [response.status, text === "" ? undefined : JSON.parse(text)];
}

suite("the counters", () => {
  test("lose no call of 32 that come at once", async () => {
    const counts = async (path: string, method: string): Promise<number[]> => {
      const answers = await Promise.all(Array.from({ length: 32 }, () => answer(path, method)));
      return answers.map(([, json]) => (json as { count: number }).count).toSorted((a, b) => a - b);
    };
    const expected = Array.from({ length: 32 }, (_, index) => index + 1);

    assert.deepEqual(await counts("counter-lua", "GET"), expected);
    assert.deepEqual(await counts("counter-typescript/clicks", "POST"), expected);
  });

  test("with names start again after DELETE, and refuse what makes no sense", async () => {
    await answer("counter-typescript/again", "POST");

    assert.deepEqual(await answer("counter-typescript/again", "DELETE"), [204, undefined]);
    assert.deepEqual(await answer("counter-typescript/again", "GET"), [200, { name: "again", count: 0 }]);
    assert.equal((await answer("counter-typescript/again?by=half", "POST"))[0], 400);
    assert.equal((await answer("counter-typescript/a/b", "POST"))[0], 404);
    const patched = await call("counter-typescript/again", { method: "PATCH" });
    assert.deepEqual([patched.status, patched.headers.get("allow")], [405, "GET, POST, DELETE"]);
  });
});

suite("the url shortener", () => {
  test("redirects, and counts who followed", async () => {
    const made = await call("url-shortener", { method: "POST", body: "https://example.com/?a=1&b=ü" });
    const { code, short } = (await made.json()) as { code: string; short: string };
    const redirects = await Promise.all([1, 2, 3].map(() => fetch(short, { redirect: "manual" })));

    assert.equal(made.status, 201);
    for (const { status, headers } of redirects) {
      assert.deepEqual([status, headers.get("location")], [302, "https://example.com/?a=1&b=%C3%BC"]);
    }
    assert.deepEqual(await answer(`url-shortener/${code}/visits`, "GET"), [
      200,
      { url: "https://example.com/?a=1&b=%C3%BC", visits: 3 },
    ]);
  });

  test("gives an address a longer code where its own is taken by another", async () => {
    const target = "https://example.com/unlucky";
    const [, made] = await shorten(target);
    const { code } = made as { code: string };
    const key = encodeURIComponent(`link:${code}`);
    await fetch(`${server.url}/api/functions/url-shortener/kv/${key}`, {
      method: "PUT",
      body: JSON.stringify({ value: "https://example.org/other" }),
    });

    const [status, second] = await shorten(target);
    assert.equal(status, 201);
    assert.equal((second as { code: string }).code.length, code.length + 1);
    assert.ok((second as { code: string }).code.startsWith(code));
  });

  test("refuses what is no web address, and knows no code but its own", async () => {
    for (const text of ["javascript:alert(1)", "no address", "", `https://example.com/${"x".repeat(2000)}`]) {
      assert.equal((await shorten(text))[0], 400, text.slice(0, 30));
    }
    assert.equal((await answer("url-shortener/nobody", "GET"))[0], 404);
    assert.equal((await answer("url-shortener", "GET"))[0], 404);
    assert.equal((await answer("url-shortener/nobody", "PUT"))[0], 405);
  });

  async function shorten(body: string): Promise<[number, unknown]> {
    const response = await call("url-shortener", { method: "POST", body });
    return [response.status, await response.json()];
  }
});

suite("the JSON API", () => {
  test("names every mistake", async () => {
    const titleReason = "title: a text of 1 to 200 characters is required";
    const cases: readonly (readonly [body: unknown, errors: readonly string[]])[] = [
      [{}, [titleReason]],
      [{ title: " ", isDone: 1 }, [titleReason, "isDone: true or false is required"]],
      [{ title: "x".repeat(201) }, [titleReason]],
      [{ title: "x", toString: 1, id: "5" }, ["toString: there is no such field", "id: there is no such field"]],
      [[], ["the body is not a JSON object"]],
      [null, ["the body is not a JSON object"]],
    ];
    for (const [body, errors] of cases) assert.deepEqual(await answer("json-api", "POST", body), [400, { errors }]);
    const broken = await call("json-api", { method: "POST", body: "{" });
    assert.deepEqual([broken.status, await broken.json()], [400, { errors: ["the body is not JSON"] }]);
  });

  test("keeps both of two changes at the same time", async () => {
    const [, made] = await answer("json-api", "POST", { title: "before" });
    const { id } = made as { id: string };
    const changes = [{ title: "after" }, { isDone: true }];
    await Promise.all(changes.map((change) => answer(`json-api/${id}`, "PATCH", change)));

    assert.deepEqual(await answer(`json-api/${id}`, "GET"), [200, { id, title: "after", isDone: true }]);
  });

  test("lists tasks in the order of their numbers, and forgets a deleted one", async () => {
    for (let n = 0; n < 11; n++) await answer("json-api", "POST", { title: `task ${n}` });
    const [, listed] = await answer("json-api", "GET");
    const ids = (listed as { tasks: { id: string }[] }).tasks.map(({ id }) => Number(id));

    assert.ok(ids.length >= 11);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    assert.deepEqual(await answer(`json-api/${ids[0]}`, "DELETE"), [204, undefined]);
    for (const method of ["GET", "DELETE"]) assert.equal((await answer(`json-api/${ids[0]}`, method))[0], 404);
    assert.equal((await answer(`json-api/${ids[0]}`, "PATCH", { title: "x" }))[0], 404);
    const put = await call("json-api", { method: "PUT" });
    assert.deepEqual([put.status, put.headers.get("allow")], [405, "GET, POST"]);
  });
});

suite("the guest book", () => {
  test("gives each of 8 entries that come at once a number of its own", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => answer("asgi-app/entries", "POST", { name: `guest ${n}`, text: "hello" })),
    );
    const numbers = answers.map(([, json]) => (json as { number: number }).number);

    assert.deepEqual(new Set(numbers), new Set([1, 2, 3, 4, 5, 6, 7, 8]));
    assert.deepEqual(await answer(`asgi-app/entries/${numbers[3]}`, "GET"), [
      200,
      { number: numbers[3], name: "guest 3", text: "hello" },
    ]);
  });

  test("refuses what it has no route or no room for", async () => {
    assert.equal((await answer("asgi-app/nowhere", "GET"))[0], 404);
    assert.equal((await answer("asgi-app/entries/first", "GET"))[0], 404);
    assert.equal((await answer("asgi-app/entries", "POST", { name: "", text: "x" }))[0], 400);
    assert.equal((await answer("asgi-app/entries", "POST", ["x"]))[0], 400);
    assert.equal((await answer("asgi-app/entries", "POST", { name: "x", text: "x".repeat(70_000) }))[0], 413);
    const deleted = await call("asgi-app/entries", { method: "DELETE" });
    assert.deepEqual([deleted.status, deleted.headers.get("allow")], [405, "GET, POST"]);
  });
});

suite("the webhook in Lua", () => {
  test("takes one of eight deliveries of the same name that come at once", async () => {
    const body = "order 9 is paid";
    const signature = createHmac("sha256", "correct horse").update(body).digest("hex");
    const headers = { "X-Signature": signature, "X-Delivery": "9" };
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => (await call("webhook-lua", { method: "POST", body, headers })).status),
    );

    const counted = [200, 202].map((status) => statuses.filter((each) => each === status).length);
    assert.deepEqual(counted, [7, 1], statuses.join());
  });

  test("refuses a delivery without a signature with 401, and one without a name with 400", async () => {
    const signature = createHmac("sha256", "correct horse").update("x").digest("hex");
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await call("webhook-lua", { method: "POST", body: "x", headers })).status;

    assert.equal(await statusOf({ "X-Delivery": "1" }), 401);
    assert.equal(await statusOf({ "X-Delivery": "1", "X-Signature": signature.replace(/.$/, "!") }), 401);
    assert.equal(await statusOf({ "X-Signature": signature }), 400);
  });
});
