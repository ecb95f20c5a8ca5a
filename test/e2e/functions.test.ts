// Functions over HTTP: the door /fn/ with real sandboxes behind it, in every language and style.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, afterEach, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sendThrough } from "../send-through.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const MIB = 1024 * 1024;

let server: ServerUnderTest;
before(async () => {
  server = await startServer({ MAX_CONTAINERS: "12", HTTP_BODY_MAX_SIZE: String(200 * MIB) });
});
after(() => server.dispose());
afterEach(async () => {
  await server.settled();
});

/** For functions whose time is to run out; all others have as much as a busy machine takes. */
async function giveOneSecond(name: string): Promise<void> {
  const body = JSON.stringify({ timeoutMs: 1_000 });
  const response = await fetch(`${server.url}/api/functions/${name}`, { method: "PATCH", body });
  assert.equal(response.status, 200, await response.text());
}

function call(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`${server.url}/fn/${path}`, init);
}

async function json(path: string, init?: RequestInit): Promise<unknown> {
  const response = await call(path, init);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as unknown;
}

/** What comes back when bytes are written that no HTTP client would write. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write(text);
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
  await Promise.race([once(socket, "close"), delay(2000)]);
  socket.destroy();
  return answer;
}

suite("a bare script", () => {
  const SHOW = {
    javascript: "return event",
    python: "return event",
    lua: "return event",
  };
  for (const [language, code] of Object.entries(SHOW)) {
    test(`in ${language} gets the request as its event, and its value is the answer`, async () => {
      await server.upload(`show-${language}`, language, code);
      const event = (await json(`show-${language}/a%20b/c?x=1&x=2&y=%C3%A9`, {
        method: "POST",
        headers: { "X-Mine": "yes", "Content-Type": "text/plain" },
        body: "hellö",
      })) as Record<string, unknown>;
      const headers = event["headers"] as Record<string, string>;

      assert.equal(event["method"], "POST");
      assert.equal(event["relativePath"], "/a b/c");
      assert.deepEqual(event["query"], { x: "1", y: "é" });
      assert.equal(event["body"], "hellö");
      assert.equal(headers[language === "lua" ? "X-Mine" : "x-mine"], "yes");
    });
  }

  test("answers with what it returns: nothing, text, JSON, or a whole response", async () => {
    await server.upload(
      "answers",
      "javascript",
      `switch (event.relativePath) {
        case "/nothing": return;
        case "/text": return "hello";
        case "/json": return { a: [1] };
        case "/whole": return { statusCode: 418, headers: { "X-Tea": "pot" }, body: "short" };
      }`,
    );
    const answers = await Promise.all(
      ["nothing", "text", "json", "whole"].map(async (path) => {
        const response = await call(`answers/${path}`);
        return [response.status, response.headers.get("content-type"), await response.text()];
      }),
    );

    assert.deepEqual(answers, [
      [204, null, ""],
      [200, "text/plain; charset=utf-8", "hello"],
      [200, "application/json; charset=utf-8", '{"a":[1]}'],
      [418, "text/plain; charset=utf-8", "short"],
    ]);
  });
});

suite("a function in JavaScript", () => {
  test("may be a Web handler, with a Request and a Response", async () => {
    const code = `
      let calls = 0;
      export default {
        async fetch(request, env, ctx) {
          const url = new URL(request.url);
          const body = await request.text();
          return Response.json(
            { method: request.method, path: url.pathname, q: url.searchParams.get("q"), body, calls: ++calls, name: ctx.functionName },
            { status: 201, headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], ["X-Seen", request.headers.get("x-mine")]] },
          );
        },
      };`;
    await server.upload("web", "javascript", code);
    const response = await call("web/x/y?q=1", { method: "PUT", headers: { "X-Mine": "m" }, body: "in" });
    const second = (await (await call("web")).json()) as { calls: number };

    assert.equal(response.status, 201);
    assert.deepEqual(await response.json(), {
      ...{ method: "PUT", path: "/fn/web/x/y", q: "1", body: "in", calls: 1, name: "web" },
    });
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(response.headers.get("x-seen"), "m");
    assert.equal(second.calls, 2, "its module keeps its state while it is warm");
  });

  test("may be a Lambda handler", async () => {
    const code = `
      export const handler = async (event, context) => ({
        statusCode: 200,
        cookies: ["c=1"],
        headers: { "X-Path": event.rawPath, "X-Method": event.requestContext.http.method },
        body: JSON.stringify({ q: event.queryStringParameters, name: context.functionName, body: event.body ?? null }),
      });`;
    await server.upload("lambda", "javascript", code);
    const response = await call("lambda/deep?a=b", { method: "POST", body: "x" });

    assert.deepEqual(await response.json(), { q: { a: "b" }, name: "lambda", body: "x" });
    assert.match(response.headers.get("x-path") ?? "", /\/deep$/);
    assert.equal(response.headers.get("x-method"), "POST");
    assert.deepEqual(response.headers.getSetCookie(), ["c=1"]);
  });

  test("may be main(params)", async () => {
    await server.upload(
      "whisk",
      "javascript",
      "function main(params) { return { hello: params.name, m: params.__ow_method } }",
    );

    assert.deepEqual(await json("whisk?name=Ada"), { hello: "Ada", m: "get" });
    const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"name":"Bob"}' };
    assert.deepEqual(await json("whisk", post), { hello: "Bob", m: "post" });
  });

  test("may be TypeScript", async () => {
    const code =
      "interface A { n: number }\nexport default (request: Request): Response => Response.json({ n: 1 } satisfies A);";
    await server.upload("typed", "typescript", code);

    assert.deepEqual(await json("typed"), { n: 1 });
  });

  test("answers the script API, too: its value is the data", async () => {
    await server.upload("both", "javascript", "export const handler = async (event) => ({ twice: event.n * 2 });");

    assert.deepEqual((await server.run("both", { n: 21 })).json, { data: { twice: 42 }, type: "json" });
    await server.upload(
      "both-web",
      "javascript",
      "export default async (request) => Response.json(await request.json())",
    );
    assert.deepEqual((await server.run("both-web", { n: 1 })).json, { data: { n: 1 }, type: "json" });
  });
});

suite("a function in Python", () => {
  test("may be handler(event, context), plain or async, and keeps its module's state", async () => {
    const code = `
calls = 0
def handler(event, context):
    global calls
    calls += 1
    return {"method": event["method"], "name": context.function_name, "calls": calls}
`;
    await server.upload("py", "python", code);
    await server.upload("py-async", "python", code.replace("def handler", "async def handler"));

    assert.deepEqual(await json("py"), { method: "GET", name: "py", calls: 1 });
    assert.deepEqual(await json("py"), { method: "GET", name: "py", calls: 2 });
    assert.deepEqual(await json("py-async"), { method: "GET", name: "py-async", calls: 1 });
  });

  test("may be an ASGI app", async () => {
    const code = `
async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 202, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": b"<" + body, "more_body": True})
    await send({"type": "http.response.body", "body": b">"})
`;
    await server.upload("asgi", "python", code);
    const response = await call("asgi/sub", { method: "POST", body: "in" });

    assert.equal(response.status, 202);
    assert.equal(await response.text(), "<in>");
  });

  test("may be a WSGI app", async () => {
    const code = `
def app(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [environ["REQUEST_METHOD"].encode(), b" ", body]
`;
    await server.upload("wsgi", "python", code);
    const response = await call("wsgi", { method: "POST", body: "in" });

    assert.equal(await response.text(), "POST in");
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  });

  test("may be a generator, which streams", async () => {
    await server.upload("gen", "python", "def handler(event, context):\n    yield 'one,'\n    yield b'two'");

    assert.equal(await (await call("gen")).text(), "one,two");
  });
});

suite("a function in Lua", () => {
  test("is handler(ctx, event), and returns a table", async () => {
    const code = `
      function handler(ctx, event)
        return {
          statusCode = 201,
          headers = { ["X-Who"] = ctx.functionName, ["X-Agent"] = event.headers["user-AGENT"] },
          body = json.encode({ method = event.method, sub = event.relativePath, q = event.query.q, body = event.body }),
        }
      end`;
    await server.upload("lua", "lua", code);
    const response = await call("lua/a/b?q=1", { method: "POST", body: "bytes", headers: { "User-Agent": "tests" } });

    assert.equal(response.status, 201);
    assert.deepEqual(await response.json(), { method: "POST", sub: "/a/b", q: "1", body: "bytes" });
    assert.deepEqual([response.headers.get("x-who"), response.headers.get("x-agent")], ["lua", "tests"]);
  });

  test("counts right under 32 parallel callers", async () => {
    const code = `
      function handler(ctx, event)
        return { body = tostring(kv.incr("count")) }
      end`;
    await server.upload("counter", "lua", code);
    const counts = await Promise.all(
      Array.from({ length: 32 }, async () => Number(await (await call("counter")).text())),
    );

    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      Array.from({ length: 32 }, (_, index) => index + 1),
    );
  });
});

suite("an answer", () => {
  before(async () => {
    await server.upload("ok", "javascript", "export default () => new Response('fine')");
  });

  test("says which function, version and execution it is from, and where the time went", async () => {
    const version = await server.upload("told", "javascript", "export default () => new Response('fine')");
    const cold = await call("told");
    const warm = await call("told");
    await Promise.all([cold.text(), warm.text()]);

    for (const name of ["x-function-id", "x-execution-id"]) {
      assert.match(cold.headers.get(name) ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-7/, name);
    }
    assert.equal(cold.headers.get("x-function-version-id"), String(version));
    assert.deepEqual([cold.headers.get("x-cold-start"), warm.headers.get("x-cold-start")], ["true", "false"]);
    assert.match(warm.headers.get("server-timing") ?? "", /queue;dur=[\d.]+, run;dur=[\d.]+/);
    assert.match(warm.headers.get("x-execution-duration-ms") ?? "", /^\d+$/);
  });

  test("to HEAD has the headers and no body", async () => {
    const response = await call("ok", { method: "HEAD" });

    assert.equal(response.status, 200);
    assert.equal(await response.text(), "");
  });

  test("may be read by pages of every origin; a browser's question is answered by the platform", async () => {
    const code = "export default (request) => new Response(request.method)";
    await server.upload("cors", "javascript", code);
    const plain = await call("cors");
    const own = await call("cors", { method: "OPTIONS" });

    assert.equal(plain.headers.get("access-control-allow-origin"), "*");
    assert.equal(await own.text(), "OPTIONS", "a plain OPTIONS request is the function's");
  });

  test("is told to one origin where only that may read it, and so are failures and refusals", async () => {
    const origin = "https://page.example";
    const code = `export default (request) => {
      if (request.url.endsWith("/fails")) throw new Error("no");
      return new Response("fine", { headers: { vary: "accept" } });
    };`;
    await server.upload("one-origin", "javascript", code);
    const limits = JSON.stringify({ corsOrigins: [origin], callsPerMinute: 3, access: "public" });
    const patched = await fetch(`${server.url}/api/functions/one-origin`, {
      ...{ method: "PATCH", body: limits, headers: { "content-type": "application/json" } },
    });
    assert.equal(patched.status, 200, await patched.text());

    const seen: (readonly [number, string | null, string | null])[] = [];
    for (const [path, from] of [
      ["one-origin", origin],
      ["one-origin", "https://other.example"],
      ["one-origin/fails", origin],
      ["one-origin", origin],
    ] as const) {
      const { status, headers } = await call(path, { headers: { origin: from } });
      seen.push([status, headers.get("access-control-allow-origin"), headers.get("vary")]);
    }
    assert.deepEqual(seen, [
      [200, origin, "Origin, accept"],
      [200, null, "Origin, accept"],
      [500, origin, "Origin"],
      [429, origin, "Origin"],
    ]);
  });

  test("may be bytes, both ways", async () => {
    await server.upload("echo", "javascript", "export default async (request) => new Response(await request.bytes())");
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const response = await call("echo", { method: "POST", body: bytes });

    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
  });
});

suite("a refusal", () => {
  test("of what is not there is a 404 of the platform", async () => {
    await server.upload("here", "javascript", "return 1");
    for (const path of ["nowhere", "nowhere/deeper", "here@9", "here@canary", "her"]) {
      const response = await call(path);

      assert.equal(response.status, 404, path);
      assert.equal(response.headers.get("x-error-source"), "platform");
      const body = (await response.json()) as { error: string };
      if (!path.includes("@")) assert.equal(body.error, "Function not found");
    }
  });

  test("says nothing of the code's failure but that there was one, beside details for who may see them", async () => {
    await server.upload("broken", "python", "def handler(event, context):\n    return 1 / 0");
    const response = await call("broken");
    const body = (await response.json()) as { error: string; details: string };

    assert.equal(response.status, 500);
    assert.equal(body.error, "Function execution failed");
    assert.match(body.details, /division by zero/);
    const proxied = await call("broken", { headers: { "X-Forwarded-For": "203.0.113.7" } });
    assert.deepEqual(await proxied.json(), { error: "Function execution failed", code: "RUN_FAILED" });
  });

  const BROKEN: Readonly<Record<string, readonly [language: string, code: string]>> = {
    "a status of 99": ["javascript", "return { statusCode: 99 }"],
    "a status of 101": ["python", "return {'statusCode': 101}"],
    "a header with a line break": [
      "javascript",
      "return { statusCode: 200, headers: { a: 'b\\r\\nSet-Cookie: c=d' } }",
    ],
    "a header with a line break, in Lua": [
      "lua",
      'function handler() return { headers = { a = "b\\r\\nc: d" }, body = "x" } end',
    ],
    "something that is no Response": ["javascript", "export default () => 5"],
    "no handler": ["javascript", "export const other = 1"],
    "an error": ["lua", "function handler() error('no') end"],
    "a value that has no JSON": ["python", "def handler(event, context):\n    return {1, 2}"],
  };
  for (const [what, [language, code]] of Object.entries(BROKEN)) {
    test(`of ${what} is a clean 500`, async () => {
      const name = `broken-${what.replaceAll(/\W+/g, "-")}`;
      await server.upload(name, language, code);
      const response = await call(name);

      assert.equal(response.status, 500);
      assert.equal(((await response.json()) as { error: string }).error, "Function execution failed");
      assert.equal(response.headers.get("set-cookie"), null);
      assert.notEqual(response.headers.get("x-execution-id"), null);
    });
  }

  test("of a handler that never answers is a 504", async () => {
    await server.upload(
      "never",
      "javascript",
      "export default () => new Promise((resolve) => setTimeout(resolve, 60_000))",
    );
    await giveOneSecond("never");
    const response = await call("never");

    assert.equal(response.status, 504);
    assert.equal(((await response.json()) as { code: string }).code, "RUN_TIMED_OUT");
  });

  test("of a function that eats memory or prints without end is a 502 with the limit's code", async () => {
    await server.upload("hungry", "python", "def handler(event, context):\n    return len(bytearray(1 << 30))");
    await server.upload("loud", "javascript", "export default () => { for (;;) console.log('x'.repeat(100_000)); }");
    const codes = await Promise.all(
      ["hungry", "loud"].map(async (name) => {
        const response = await call(name);
        return [response.status, ((await response.json()) as { code: string }).code];
      }),
    );

    assert.deepEqual([codes[1]], [[502, "RUN_OUTPUT_LIMIT"]]);
    assert.ok(codes[0]?.[0] === 502 || codes[0]?.[0] === 500, JSON.stringify(codes[0])); // MemoryError is the code's own to catch
  });

  test("of a length that lies, or a name that cannot be, leaves the server as it was", async () => {
    await server.upload(
      "liar",
      "javascript",
      "return { statusCode: 200, headers: { 'Content-Length': '5' }, body: 'longer than five' }",
    );
    assert.equal(await (await call("liar")).text(), "longer than five");
    for (const path of ["%ff", "%E0%A4%A", "a%00b", "..%2f..%2fetc"]) {
      assert.match(
        await raw(`GET /fn/${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
        /^HTTP\/1.1 40[04]/,
        path,
      );
    }
  });
});

suite("a stream", () => {
  test("reaches the client piece by piece", async () => {
    const code = `
      export default () => new Response(new ReadableStream({
        async start(controller) {
          for (let n = 0; n < 3; n++) {
            controller.enqueue(new TextEncoder().encode("piece " + n + "\\n"));
            await new Promise((resolve) => setTimeout(resolve, 500));
          }
          controller.close();
        },
      }));`;
    await server.upload("pieces", "javascript", code);
    const response = await call("pieces");
    const startedMs = performance.now();
    const arrivals: number[] = [];
    let text = "";
    for await (const chunk of response.body ?? []) {
      arrivals.push(performance.now() - startedMs);
      text += Buffer.from(chunk).toString();
    }

    assert.equal(text, "piece 0\npiece 1\npiece 2\n");
    assert.ok((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0) > 200, arrivals.join());
  });

  test("of 100 MB goes through a function, both ways, in constant memory", async () => {
    await server.upload("through", "javascript", "export default (request) => new Response(request.body)");
    const bytes = 100 * MIB;
    const memoryBytes: number[] = [];
    for (let pass = 0; pass < 3; pass++) {
      assert.equal(await sendThrough(`${server.url}/fn/through`, bytes), bytes);
      memoryBytes.push((await server.system()).memoryBytes);
    }

    // What the first pass leaves for the collector says how much is in use at once; a leak would grow with each.
    const [first = 0, , third = 0] = memoryBytes;
    assert.ok(third - first < 64 * MIB, memoryBytes.map((each) => Math.round(each / MIB)).join(", "));
  });

  test("that its code breaks off is broken off for the client, too", async () => {
    const code = `
      export default () => new Response(new ReadableStream({
        start(controller) { controller.enqueue(new TextEncoder().encode("half")); setTimeout(() => controller.error(new Error("no more")), 50); },
      }));`;
    await server.upload("half", "javascript", code);
    const response = await call("half");

    assert.equal(response.status, 200);
    await assert.rejects(response.text());
  });

  test("that stalls ends with the function's time", async () => {
    const code =
      "export default () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(5)); } }))";
    await server.upload("stall", "javascript", code);
    await giveOneSecond("stall");
    const response = await call("stall");

    await assert.rejects(response.arrayBuffer());
  });

  test("whose client leaves in the middle ends, and so does its run", async () => {
    const code =
      "export default () => new Response(new ReadableStream({ async pull(c) { c.enqueue(new Uint8Array(1000)); await new Promise((r) => setTimeout(r, 20)); } }))";
    await server.upload("endless", "javascript", code);
    const leaving = new AbortController();
    const response = await call("endless", { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();

    await server.settled(); // no worker is busy any more, long before the time limit
  });

  test("of a body that is longer than allowed is refused", async () => {
    await server.upload(
      "reads",
      "javascript",
      "export default async (request) => new Response(String((await request.bytes()).length))",
    );
    const announced = await raw(`POST /fn/reads HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${201 * MIB}\r\n\r\n`);

    assert.match(announced, /^HTTP\/1.1 413 /);
    assert.match(announced, /HTTP_BODY_MAX_SIZE/);
  });
});

suite("a version", () => {
  test("is pinned with @, and all others get the active one", async () => {
    const first = await server.upload("pinned", "javascript", "return 'one'");
    await server.upload("pinned", "javascript", "return 'two'");

    assert.equal(await (await call(`pinned@${first}`)).text(), "one");
    assert.equal(await (await call(`pinned@${first}/sub`)).text(), "one");
    assert.equal(await (await call("pinned")).text(), "two");
  });

  test("of the longest name that the path begins with is called", async () => {
    await server.upload("long", "javascript", "return 'short ' + event.relativePath");
    await server.upload("long/er", "javascript", "return 'longer ' + event.relativePath");

    assert.equal(await (await call("long/x")).text(), "short /x");
    assert.equal(await (await call("long/er/x")).text(), "longer /x");
    assert.equal(await (await call("long/erx")).text(), "short /erx");
  });
});

suite("a page that a function serves", () => {
  test("has an origin of its own, and cannot set the dashboard's cookie", async () => {
    const code = `return { statusCode: 200, cookies: ["cloche_session=mine", "a=1"], headers: { "Content-Type": "text/html", "Content-Security-Policy": "default-src 'self'" }, body: "<p>" }`;
    await server.upload("page", "javascript", code);
    const response = await call("page");
    await response.text();

    assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'self', sandbox allow-scripts /);
    assert.deepEqual(response.headers.getSetCookie(), ["a=1"]);
  });
});

suite("what a function may not see", () => {
  test("is the cookie that opens the dashboard", async () => {
    await server.upload("cookies", "javascript", "return event.headers.cookie ?? 'none'");
    const both = await call("cookies", { headers: { Cookie: "a=1; cloche_session=secret; b=2" } });
    const only = await call("cookies", { headers: { Cookie: "cloche_session=secret" } });

    assert.deepEqual([await both.text(), await only.text()], ["a=1; b=2", "none"]);
  });
});
