import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Json, Source } from "../../core/program.ts";
import { TestServer } from "./server-under-test.ts";
import { boundShim } from "./worker-under-test.ts";

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly line?: number;
}

const failure = (frame: { readonly body: string }): Failure => JSON.parse(frame.body);

const FUNCTION = { id: "f1", name: "math/add", version: "7", baseUrl: "https://functions.example/fn/math/add" };

async function serve(t: TestContext, source: string | Source, more: object = {}): Promise<TestServer> {
  return new TestServer(await boundShim(t, source, "javascript", { function: FUNCTION, ...more }));
}

// --- web ---

test("a web handler gets a Request and answers with a Response", async (t) => {
  const server = await serve(
    t,
    `export default { async fetch(request, env, ctx) {
       const text = await request.text();
       const headers = new Headers({ "x-a": "1" });
       headers.append("set-cookie", "a=1"); headers.append("set-cookie", "b=2");
       return new Response(JSON.stringify([request instanceof Request, request.method, request.url, request.headers.get("x-in"),
         text, env.SECRET, process.env.SECRET, ctx.executionId, ctx.functionName, ctx.version, ctx.requestId, ctx.relativePath]),
         { status: 201, headers });
     } }`,
    { env: { SECRET: "s3" } },
  );

  const { status, headers, body, end } = await server.ask({
    method: "POST",
    path: "/fn/math/add/x%20y",
    relativePath: "/x y",
    query: "a=1&b=%20",
    headers: [
      ["host", "example.org:81"],
      ["x-in", "in"],
    ],
    body: "grüße",
  });

  assert.equal(end.t, "response");
  assert.equal(status, 201);
  assert.deepEqual(
    headers.filter(([name]) => name !== "content-type"),
    [
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-a", "1"],
    ],
  );
  assert.deepEqual(JSON.parse(body), [
    true,
    "POST",
    "https://example.org:81/fn/math/add/x%20y?a=1&b=%20",
    "in",
    "grüße",
    "s3",
    "s3",
    "exec-1",
    "math/add",
    "7",
    "req-1",
    "/x y",
  ]);
});

test("a default function, an instance of a class and CommonJS are web handlers, too", async (t) => {
  for (const code of [
    "export default (request) => new Response('ok ' + request.method)",
    "class App { #word = 'ok'; fetch(request) { return new Response(`${this.#word} ${request.method}`) } } export default new App()",
    "module.exports = { fetch: async (request) => new Response('ok ' + request.method) }",
    "module.exports = async function (request) { return new Response('ok ' + request.method) }",
    "exports.default = { fetch: (request) => new Response('ok ' + request.method) }; exports.__esModule = true",
  ]) {
    const server = await serve(t, code);
    assert.equal((await server.check()).body, '{"style":"web"}', code);
    assert.equal((await server.ask()).body, "ok GET", code);
    await server.shim.close();
  }
});

test("a Response without a body is one frame", async (t) => {
  const server = await serve(t, "export default () => new Response(null, { status: 204 })");

  const { end, status, body } = await server.ask();

  assert.deepEqual([end.t, end.end, status, body], ["response", true, 204, ""]);
});

test("a small Response is one frame, too", async (t) => {
  const server = await serve(t, "export default () => Response.json({ a: 1 })");

  const { end, body, headers } = await server.ask();

  assert.deepEqual(
    [end.t, end.end, body, headers],
    ["response", true, '{"a":1}', [["content-type", "application/json"]]],
  );
});

test("what is no Response is an error that says what it is", async (t) => {
  const cases: [string, RegExp][] = [
    ["export default () => 'text'", /must return a Response, but returned a string/],
    ["export default () => {}", /returned undefined/],
    ["export default () => ({ a: 1 })", /returned a plain object/],
    ["export default () => [1]", /returned an object of class Array/],
    ["export default () => Response.error()", /status 0/],
    ["export default async (r) => { const s = new Response('x'); await s.text(); return s }", /read already/],
    ["export const x = 1; export default x", /default export of script\.js is a number/],
  ];
  for (const [code, expected] of cases) {
    const server = await serve(t, code);
    const { end } = await server.ask();
    assert.equal(end.t, "error", code);
    assert.match(failure(end).message, expected);
    await server.shim.close();
  }
});

test("a run of a web handler is a POST of JSON, and its result the body", async (t) => {
  const server = await serve(
    t,
    `export default async (request) => {
       const input = await request.json();
       if (input.text) return new Response(input.text);
       if (input.none) return new Response(null);
       return Response.json({ method: request.method, url: request.url, input });
     }`,
  );

  assert.deepEqual(JSON.parse((await server.value({ a: 1 })).body), {
    method: "POST",
    url: FUNCTION.baseUrl,
    input: { a: 1 },
  });
  assert.equal((await server.value({ text: "plain" })).body, '"plain"');
  assert.equal((await server.value({ none: true })).body, "");
});

// --- lambda ---

test("a lambda handler gets an event of payload version 2.0", async (t) => {
  const server = await serve(t, "export const handler = async (event) => event");

  const { end } = await server.ask({
    method: "PUT",
    path: "/fn/math/add/a%20b",
    relativePath: "/a b",
    query: "x=1&y=2&x=3",
    headers: [
      ["host", "h.example"],
      ["cookie", "a=1; b=2"],
      ["x-multi", "1"],
      ["x-multi", "2"],
      ["user-agent", "test"],
    ],
    body: '{"n":1}',
  });

  assert.equal(end.t, "result");
  const event = JSON.parse(end.body);
  const { time, timeEpoch, ...context } = event.requestContext;
  assert.ok(Math.abs(timeEpoch - Date.now()) < 10_000 && new Date(time).getTime() === timeEpoch);
  assert.deepEqual(
    { ...event, requestContext: context },
    {
      version: "2.0",
      routeKey: "$default",
      rawPath: "/fn/math/add/a%20b",
      rawQueryString: "x=1&y=2&x=3",
      cookies: ["a=1", "b=2"],
      headers: { host: "h.example", cookie: "a=1; b=2", "x-multi": "1,2", "user-agent": "test" },
      queryStringParameters: { x: "1,3", y: "2" },
      pathParameters: { proxy: "a b" },
      requestContext: {
        accountId: "",
        apiId: "f1",
        domainName: "h.example",
        domainPrefix: "",
        http: { method: "PUT", path: "/fn/math/add/a%20b", protocol: "HTTP/1.1", sourceIp: "", userAgent: "test" },
        requestId: "req-1",
        routeKey: "$default",
        stage: "$default",
      },
      body: '{"n":1}',
      isBase64Encoded: false,
    },
  );
});

test("bytes come and go as base64", async (t) => {
  const server = await serve(
    t,
    `exports.handler = async (event) => {
       const bytes = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
       return event.queryStringParameters?.bare ? bytes : { statusCode: 200, headers: { "content-type": "image/png" }, body: bytes };
     }`,
  );
  const body = Buffer.of(0xff, 0xfe, 0);

  assert.deepEqual(JSON.parse((await server.ask({ method: "POST", body })).body), {
    statusCode: 200,
    headers: { "content-type": "image/png" },
    body: body.toString("base64"),
    isBase64Encoded: true,
  });
  assert.deepEqual(JSON.parse((await server.ask({ method: "POST", query: "bare=1", body })).body), {
    statusCode: 200,
    headers: { "content-type": "application/octet-stream" },
    body: body.toString("base64"),
    isBase64Encoded: true,
  });
});

test("a lambda handler may call back, and gets Lambda's context", async (t) => {
  const server = await serve(
    t,
    `exports.handler = (event, context, callback) => setTimeout(() => {
       if (event.fail) callback("no");
       else callback(null, [event.a, context.awsRequestId, context.functionName, context.functionVersion,
         context.getRemainingTimeInMillis() > 0, typeof context.kv.get]);
     }, 1)`,
  );

  assert.deepEqual(JSON.parse((await server.value({ a: 1 })).body), [1, "exec-1", "math/add", "7", true, "function"]);
  assert.equal(failure((await server.value({ fail: true })).end).message, "no");
});

test("a generator, a ReadableStream and a Readable stream", async (t) => {
  const server = await serve(
    t,
    `import { Readable } from "node:stream";
     async function* words() { yield "one "; await new Promise((r) => setTimeout(r, 5)); yield Buffer.from("two"); }
     export async function handler(event) {
       const kind = event.queryStringParameters?.kind ?? event.kind;
       if (kind === "generator") return words();
       if (kind === "web") return { statusCode: 203, cookies: ["c=1"], headers: { "Content-Type": "text/x" }, body: ReadableStream.from(words()) };
       if (kind === "node") return { body: Readable.from(words()) };
       return new Response("also");
     }`,
  );

  const generator = await server.ask({ query: "kind=generator" });
  assert.deepEqual([generator.status, generator.body], [200, "one two"]);
  assert.deepEqual(generator.headers, [["content-type", "text/plain; charset=utf-8"]]);
  const web = await server.ask({ query: "kind=web" });
  assert.deepEqual([web.status, web.body], [203, "one two"]);
  assert.deepEqual(web.headers, [
    ["content-type", "text/x"],
    ["set-cookie", "c=1"],
  ]);
  assert.equal((await server.ask({ query: "kind=node" })).body, "one two");
  assert.equal((await server.ask()).body, "also");
  assert.equal((await server.value({ kind: "generator" })).body, '"one two"');
});

// --- main ---

test("main gets OpenWhisk's parameters", async (t) => {
  const code = "function main(params) { return params }";
  for (const source of [code, `${code}\nexports.main = main`, `export ${code}`, `import fs from "node:fs";\n${code}`]) {
    const server = await serve(t, source);
    assert.equal((await server.check()).body, '{"style":"main"}', source);
    const { body } = await server.ask({
      method: "POST",
      relativePath: "/sub",
      query: "a=1&b=2",
      headers: [["content-type", "application/json"]],
      body: '{"b":3,"c":[4]}',
    });
    assert.deepEqual(JSON.parse(body), {
      a: "1",
      b: 3,
      c: [4],
      __ow_method: "post",
      __ow_headers: { "content-type": "application/json" },
      __ow_path: "/sub",
      __ow_query: "a=1&b=2",
      __ow_body: '{"b":3,"c":[4]}',
    });
    assert.equal((await server.value({ x: 1 })).body, '{"x":1}');
    await server.shim.close();
  }
});

test("main gets the fields of a form", async (t) => {
  const server = await serve(t, "export const main = ({ a, b }) => ({ a, b })");

  const { body } = await server.ask({
    method: "POST",
    headers: [["content-type", "application/x-www-form-urlencoded"]],
    body: "a=1+2&b=%C3%BC",
  });

  assert.equal(body, '{"a":"1 2","b":"ü"}');
});

test("a script that calls its main, or returns, is a script", async (t) => {
  for (const code of [
    "function main(x) { return x.a } return main(event)",
    "async function main(x) { return x.a }\nglobalThis.result = await main(event)",
    "function main() {} return event.a",
  ]) {
    const server = await serve(t, code);
    assert.equal((await server.check()).body, '{"style":"script"}', code);
    assert.equal((await server.value({ a: 5 })).body, "5", code);
    await server.shim.close();
  }
});

// --- scripts ---

test("a script answers a request with its value", async (t) => {
  const server = await serve(t, "return { event, ids: [ctx.executionId, ctx.requestId, context.functionId] }");

  const { end, body } = await server.ask({
    method: "POST",
    path: "/fn/s/a%20b",
    relativePath: "/a b",
    query: "q=1&q=2&r=%20",
    headers: [["x-a", "1"]],
    body: "text",
  });

  assert.equal(end.t, "result");
  assert.deepEqual(JSON.parse(body), {
    event: {
      method: "POST",
      path: "/fn/s/a%20b",
      relativePath: "/a b",
      headers: { "x-a": "1" },
      query: { q: "1", r: " " },
      body: "text",
    },
    ids: ["exec-1", "req-1", "f1"],
  });
  assert.equal(await server.shim.afterwards(), undefined);
});

test("a script gets bytes as base64, and a body that comes in parts", async (t) => {
  const server = await serve(t, "return [event.body.length, event.isBase64Encoded]");
  const part = Buffer.alloc(65_536, "a");

  const first = server.request({ method: "POST", body: part, streams: true });
  const second = server.request({ method: "POST", body: Buffer.of(0xff) });
  for (let count = 0; count < 9; count += 1) server.shim.send({ t: "body", id: first, end: count === 8 }, part);

  const [one, two] = await server.ended(first, second);
  assert.deepEqual([one?.body, two?.body], ["[655360,null]", "[4,true]"]);
});

test("a script may declare ctx, context and cloche itself", async (t) => {
  const server = await serve(t, "const ctx = 1, context = 2, cloche = 3; return [ctx, context, cloche]");

  assert.equal((await server.value()).body, "[1,2,3]");
});

// --- state, order, errors ---

test("a module keeps its state while it is warm, and awaits at its top level", async (t) => {
  const server = await serve(
    t,
    "let count = await Promise.resolve(10); setInterval(() => {}, 1_000); export const handler = () => ++count",
  );

  assert.equal((await server.value()).body, "11");
  assert.equal(await server.shim.afterwards(), undefined);
  assert.equal((await server.value()).body, "12");
});

test("with concurrency 1 runs are strictly one after the other", async (t) => {
  const server = await serve(
    t,
    `let active = 0;
     export const handler = async (n) => {
       const before = active++;
       console.log("in", n);
       await new Promise((resolve) => setTimeout(resolve, 5));
       active -= 1;
       return before;
     }`,
  );

  const ids = [1, 2, 3].map((n) => server.run(n));

  const ended = await server.ended(...ids);
  assert.deepEqual(
    ended.map(({ body, logs }) => [body, logs.map((log) => log.body).join("")]),
    [
      ["0", "in 1\n"],
      ["0", "in 2\n"],
      ["0", "in 3\n"],
    ],
  );
});

test("with concurrency 8 runs overlap, and each log names its run", async (t) => {
  const server = await serve(
    t,
    `let active = 0, most = 0;
     const waiting = [];
     export const handler = async (n) => {
       most = Math.max(most, ++active);
       console.log("in", n);
       const turn = new Promise((resolve) => waiting.unshift(resolve));
       if (active === 8) for (const resolve of waiting) resolve(); // the last one is done first
       await turn;
       console.log("out", n);
       active -= 1;
       return [n, most];
     }`,
    { concurrency: 8 },
  );
  const inputs = Array.from({ length: 8 }, (_, n) => n);
  const ids = inputs.map((n) => server.run(n));

  const ended = await server.ended(...ids);

  assert.deepEqual(
    ended.map(({ body }) => JSON.parse(body)[0] as Json),
    inputs,
  );
  assert.deepEqual(
    ended.map(({ logs }) => logs.map((log) => [log.run, log.body])),
    inputs.map((n) => [
      [n + 1, `in ${n}\n`],
      [n + 1, `out ${n}\n`],
    ]),
  );
  assert.deepEqual(JSON.parse(ended[0]?.body ?? ""), [0, 8]);
});

test("a cancelled run aborts its signal and is ended", async (t) => {
  const server = await serve(
    t,
    `export default (request, env, ctx) => new Promise((resolve) => {
       if (!request.url.endsWith("/slow")) return resolve(new Response("quick"));
       console.log("waits");
       request.signal.addEventListener("abort", () => { console.log("gone", ctx.signal.aborted); resolve(new Response("late")) });
     })`,
    { concurrency: 4 },
  );
  const id = server.request({ path: "/slow" });
  assert.equal((await server.ask()).body, "quick");

  server.shim.send({ t: "cancel", id });

  const [{ logs, end } = assert.fail()] = await server.ended(id);
  assert.deepEqual([logs.map((log) => log.body), failure(end).name], [["gone true\n"], "AbortError"]);
});

test("waitUntil goes on after the response, and its errors are logged", async (t) => {
  const server = await serve(
    t,
    `let done = 0;
     export default (request, env, ctx) => {
       ctx.waitUntil((async () => { await new Promise((r) => setTimeout(r, 5)); done += 1; throw new Error("in the background") })());
       return new Response(String(done));
     }`,
  );

  assert.equal((await server.ask()).body, "0");
  const log = await server.shim.next();
  assert.deepEqual([log?.t, log?.level, log?.run], ["log", "error", 1]);
  assert.match(log?.body ?? "", /^waitUntil: Error: in the background\n    at script\.js:3:/);
  assert.equal((await server.ask()).body, "1");
});

test("an error of a handler shows the user's frames and line", async (t) => {
  const server = await serve(
    t,
    "import 'node:fs';\nasync function inner() {\n  await 1;\n  null.x;\n}\nexport const handler = async () => {\n  await inner();\n};",
  );

  const { name, stack, line } = failure((await server.value()).end);

  assert.equal(name, "TypeError");
  assert.match(stack, /\n    at inner \(script\.js:4:8\)\n    at async .*handler \(script\.js:7:3\)$/);
  assert.equal(line, 4);
  assert.equal((await server.value()).end.t, "error", "the worker goes on");
});

test("an error that nothing catches fails the runs in progress and retires the worker", async (t) => {
  const server = await serve(
    t,
    `export const handler = async (n) => {
       if (n === 0) setTimeout(() => { throw new Error("late") }, 5);
       await new Promise((resolve) => setTimeout(resolve, 5_000));
     }`,
    { concurrency: 2 },
  );
  const ids = [server.run(0), server.run(1)];

  const ended = await server.ended(...ids);

  assert.deepEqual(
    ended.map(({ end }) => failure(end).message),
    ["late", "late"],
  );
  assert.match((await server.shim.afterwards()) ?? "", /not caught/);
});

test("runs that come together are begun one after the other, each when nothing of the one before it is left to do at once", async (t) => {
  const server = await serve(
    t,
    `let running = 0;
     export const handler = async (n) => {
       if (++running > 1) throw new Error("together");
       if (n % 3 === 1) await new Promise((resolve) => setTimeout(resolve, 5));
       process.nextTick(() => { Promise.resolve().then(() => process.nextTick(() => { running -= 1 })) });
       return n;
     }`,
  );
  await server.value(0);
  const inputs = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  server.shim.control.cork();
  const ids = inputs.map((input) => server.run(input));
  server.shim.control.uncork();

  const ended = await server.ended(...ids);

  assert.deepEqual(
    ended.map(({ end }) => end.body),
    inputs.map(String),
  );
});

test("what a run leaves unhandled does not fail the next one, which came with it", async (t) => {
  const server = await serve(
    t,
    "export const handler = async (n) => { if (n === 1) void Promise.reject(new Error('left')); await 1; return n }",
  );
  await server.value(0);
  server.shim.control.cork();
  const [first] = [server.run(1), server.run(2)];
  server.shim.control.uncork();

  const [ended] = await server.ended(first);

  assert.equal(ended?.end.body, "1");
  const frames = [await server.shim.next(), await server.shim.next()];
  assert.deepEqual(
    frames.map((frame) => frame?.t),
    ["log", "retire"],
  );
  assert.match(frames[0]?.body ?? "", /left/);
});

test("a program whose loading throws fails its run and retires the worker", async (t) => {
  const server = await serve(t, "await 1;\nthrow new Error('at the top');\nexport const handler = () => 1");

  const { message, line } = failure((await server.value()).end);

  assert.deepEqual([message, line], ["at the top", 2]);
  assert.match((await server.shim.afterwards()) ?? "", /could not be loaded/);
});

test("process.exit of a handler ends all runs in progress", async (t) => {
  const server = await serve(
    t,
    "export const handler = async (n) => { if (n) process.exit(3); await new Promise(() => {}) }",
    {
      concurrency: 2,
    },
  );

  const ended = await server.ended(server.run(0), server.run(1));

  assert.deepEqual(
    ended.map(({ end }) => [end.t, end.code]),
    [
      ["exit", 3],
      ["exit", 3],
    ],
  );
});

test("only code that may write to the descriptors says so", async (t) => {
  for (const [code, raw] of [
    ["export const handler = () => 1", undefined],
    ["import { execSync } from 'node:child_process'; export const handler = () => 1", true],
  ] as const) {
    const server = await serve(t, code);
    assert.equal((await server.value()).end.raw, raw, code);
    await server.shim.close();
  }
});

test("handlers whose server is gone end", async (t) => {
  const server = await serve(t, "setInterval(() => {}, 1_000); export const handler = () => 1");
  await server.value();
  const ended = new Promise((resolve) => server.shim.child.once("exit", resolve));

  server.shim.control.destroy();

  assert.equal(await ended, 0);
});
