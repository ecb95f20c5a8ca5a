import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { TestServer } from "./server-under-test.ts";
import { boundShim } from "./worker-under-test.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

async function serve(t: TestContext, code: string, more: object = {}): Promise<TestServer> {
  return new TestServer(await boundShim(t, code, "javascript", more));
}

/** Uses every part of the store; the same as a script and in a handler. */
const USES_KV = `
  const found = [
    await kv.get("a"),
    await kv.set("a", { deep: [1] }),
    await kv.get("a"),
    await kv.set("short", 1, { ttl: 2 }),
    await kv.incr("n"),
    await kv.incr("n", 5),
    await kv.cas("c", undefined, "first"),
    await kv.cas("c", "other", "second"),
    await kv.global.set("shared", true),
    await kv.global.get("shared"),
    await kv.get("shared"),
    await kv.delete("a"),
    await kv.delete("a"),
    await kv.list("n"),
    (await kv.all()).n,
    await env.get("HOME_TOWN"),
    await env.set("HOME_TOWN", "Ulm"),
    await env.get("HOME_TOWN"),
    await env.delete("HOME_TOWN"),
    (await ai.chat({ provider: "p", model: "m", messages: [] })).content,
    (await email.send({ from: "a", to: "b", subject: "c" })).id,
  ];
  const error = await kv.incr("c").catch((error) => [error instanceof Error, error.code, error.message]);
  return { found: found.map((one) => one ?? null), error };`;

const FOUND = [
  ...[null, null, { deep: [1] }, null, 1, 6, true, false, null, true, null, true, false, ["n"], 6],
  ...[null, null, "Ulm", true, "hello", "mail-1"],
];

for (const [what, code] of [
  ["a script that imports", `import { kv, env, ai, email } from "cloche";${USES_KV}`],
  ["a script that imports dynamically", `const { kv, env, ai, email } = await import("cloche");${USES_KV}`],
  ["a script that requires", `const { kv, env, ai, email } = require("cloche");${USES_KV}`],
  ["an ES module", `import { kv, env, ai, email } from "cloche"; export const handler = async () => {${USES_KV}}`],
  [
    "a default import",
    `import c from "cloche"; const { kv, env, ai, email } = c; export const handler = async () => {${USES_KV}}`,
  ],
  ["CommonJS", `const { kv, env, ai, email } = require("cloche"); exports.handler = async () => {${USES_KV}}`],
] as const) {
  test(`kv, env, ai and email work in ${what}`, async (t) => {
    const server = await serve(t, code);

    const { end, calls } = await server.value();

    assert.equal(end.t, "result", end.body);
    assert.deepEqual(JSON.parse(end.body), { found: FOUND, error: [true, "INVALID_REQUEST", "not a number"] });
    const set = calls.find(({ input }) => input["key"] === "short");
    assert.deepEqual(set, { name: "kv.set", input: { key: "short", value: 1, ttlMs: 2_000 } });
  });
}

test("a script that used the store stays, with the quick check", async (t) => {
  for (const code of [
    'import { kv, log } from "cloche"; log.info("x"); return await kv.incr("n")',
    'const { kv } = require("cloche"); return await kv.incr("n")',
    "return await ctx.kv.incr('n')",
  ]) {
    const server = await serve(t, code);
    for (const expected of ["1", "2", "3"]) {
      const { end } = await server.value();
      assert.equal(end.body, expected, code);
      assert.equal(end.raw, undefined, "innocent code");
      assert.equal(await server.shim.afterwards(), undefined);
    }
    await server.shim.close();
  }
});

test("frames for later runs that come while a script waits for an answer are kept", async (t) => {
  const server = await serve(t, 'import { kv } from "cloche"; return [event, await kv.incr("n")]');
  const ids = [1, 2, 3, 4].map((n) => server.run(n));

  const ended = await server.ended(...ids);

  assert.deepEqual(
    ended.map(({ body }) => body),
    ["[1,1]", "[2,2]", "[3,3]", "[4,4]"],
  );
});

test("the module cannot be changed", async (t) => {
  const server = await serve(
    t,
    `import * as cloche from "cloche";
     const { kv, log } = cloche; kv.get = 1; kv.get.x = 1; kv.global.get = 1; log.info = 1;
     return [typeof kv.get, kv.get.x, typeof kv.global.get, typeof log.info]`,
  );

  assert.equal((await server.value()).body, '["function",null,"function","function"]');
});

test("what is no JSON cannot be stored", async (t) => {
  const server = await serve(t, 'import { kv } from "cloche"; await kv.set("a", () => 1)');

  assert.equal(JSON.parse((await server.value()).end.body).message, "the value of kv.set must be JSON, not function");
});

test("log lines have their level", async (t) => {
  const server = await serve(
    t,
    'import { log } from "cloche"; log.debug("d", { a: 1 }); log.info("i"); log.warn("w"); log.error("e")',
  );

  const { logs } = await server.value();

  assert.deepEqual(
    logs.map(({ level, body }) => [level, body]),
    [
      ["debug", "d { a: 1 }\n"],
      ["info", "i\n"],
      ["warn", "w\n"],
      ["error", "e\n"],
    ],
  );
});

test("an error of a call shows where the code called", async (t) => {
  const server = await serve(
    t,
    'import { kv } from "cloche";\nexport const handler = async () => {\n  await kv.set("c", "text");\n  await kv.incr("c");\n};',
  );

  const { message, stack, line } = JSON.parse((await server.value()).end.body);

  assert.deepEqual([message, line], ["not a number", 4]);
  assert.match(stack, /at async .*handler \(script\.js:4:3\)/);
});

test("work behind the response may call, in the name of its run", async (t) => {
  const server = await serve(
    t,
    `import { kv } from "cloche";
     let late;
     export default async (request, env, ctx) => {
       if (late !== undefined) return new Response(await late);
       late = new Promise((resolve) => setTimeout(resolve, 10)).then(() => kv.get("a"));
       ctx.waitUntil(late);
       return new Response();
     }`,
  );
  await server.ask();
  const call = await server.shim.next();
  assert.deepEqual([call?.t, call?.run], ["call", 1]);

  server.shim.send({ t: "answer", id: call?.id }, '{"value":"stored"}');

  assert.equal((await server.ask()).body, "stored");
});

test("with concurrency each call names its run, and at most 64 wait", async (t) => {
  const server = await serve(
    t,
    'import { kv } from "cloche"; export const handler = async (n) => (await Promise.all(Array.from({ length: 50 }, () => kv.incr(`k${n}`)))).at(-1)',
    { concurrency: 2 },
  );
  const ids = [server.run(1), server.run(2)];
  const calls: { id: number; run: number }[] = [];
  while (calls.length < 64) {
    const frame = await server.shim.next();
    if (frame?.t === "call") calls.push({ id: frame.id ?? 0, run: frame.run ?? 0 });
  }
  const more = await Promise.race([server.shim.next(), new Promise((resolve) => setTimeout(resolve, 50, "none"))]);
  assert.equal(more, "none");
  assert.deepEqual(new Set(calls.map(({ run }) => run)), new Set(ids));

  for (const { id, run } of calls) server.shim.send({ t: "answer", id }, JSON.stringify({ value: run }));
  for (let count = 0; count < 2;) {
    const frame = await server.shim.next();
    if (frame?.t === "call") server.shim.send({ t: "answer", id: frame.id }, JSON.stringify({ value: 7 }));
    else if (frame?.t === "result") count += 1;
  }
});

test("http is fetch with the whole answer", async (t) => {
  const target = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/hangs") return;
      response.writeHead(418, { "x-a": "1", "set-cookie": ["a=1", "b=2"] });
      response.end(
        JSON.stringify([
          request.method,
          request.url,
          request.headers["content-type"],
          Buffer.concat(chunks).toString(),
        ]),
      );
    });
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    target.closeAllConnections();
    target.close();
  });
  const { port } = target.address() as { port: number };
  const gate = createGate(t, port);
  const server = await serve(
    t,
    `const net = require("net"), connect = net.Socket.prototype.connect;
     net.Socket.prototype.connect = function (...args) { return connect.call(this, { path: ${JSON.stringify(await gate)} }) };
     const { http } = require("cloche");
     const answer = await http.post("http://web.example/x?a=1", { query: { b: 2 }, headers: { "x-b": "1" }, body: { c: 3 } });
     const put = await http.put("http://web.example/", { body: "text" });
     const late = await http.get("http://web.example/hangs", { timeoutMs: 50 }).catch((error) => error.name);
     return [answer, JSON.parse(put.body)[0], late]`,
  );

  const { end } = await server.value();

  const [answer, put, late] = JSON.parse(end.body);
  assert.deepEqual([answer.statusCode, answer.headers["x-a"], answer.headers["set-cookie"]], [418, "1", "a=1, b=2"]);
  assert.deepEqual(JSON.parse(answer.body), ["POST", "/x?a=1&b=2", "application/json", '{"c":3}']);
  assert.deepEqual([put, late], ["PUT", "TimeoutError"]);
});

/** A unix socket that leads to `port`, as a box has one. */
async function createGate(t: TestContext, port: number): Promise<string> {
  const net = await import("node:net");
  const dir = mkdtempSync(join(tmpdir(), "gate-"));
  const path = join(dir, "gate.sock");
  const gate = net.createServer((socket) => {
    const target = net.connect(port, "127.0.0.1");
    socket.pipe(target).pipe(socket);
    for (const one of [socket, target]) one.on("error", () => {});
  });
  await new Promise<void>((resolve) => gate.listen(path, resolve));
  t.after(() => {
    gate.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return path;
}

test("the types describe all of it", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "types-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const compile = async (code: string): Promise<string> => {
    writeFileSync(join(dir, "sample.ts"), code);
    const files = [join(dir, "sample.ts"), join(import.meta.dirname, "cloche.d.ts")];
    const options = [
      "--noEmit",
      "--strict",
      "--ignoreConfig",
      "--module",
      "esnext",
      "--moduleResolution",
      "bundler",
      "--target",
      "esnext",
    ];
    return await promisify(execFile)(join(ROOT, "node_modules/.bin/tsc"), [
      ...options,
      "--lib",
      "esnext,dom,dom.iterable,dom.asynciterable",
      "--types",
      "",
      ...files,
    ]).then(
      () => "",
      ({ stdout }: { stdout: string }) => stdout,
    );
  };

  assert.equal(await compile(SAMPLE), "");
  assert.match(
    await compile('import { kv } from "cloche"; kv.get(1);'),
    /not assignable to parameter of type 'string'/,
  );
  assert.match(await compile('import { nothing } from "cloche";'), /no exported member/);
});

const SAMPLE = `
import cloche, { ai, email, env, http, kv, log } from "cloche";
import type { Context, HttpEvent, HttpResult, Json, LambdaHandler, Store, WebHandler } from "cloche";

const store: Store = kv.global;
const visits: number = await kv.incr("visits", 2);
const user = await kv.get<{ name: string }>("user");
log.info(user?.name, visits); log.debug(1); log.warn({}); log.error(new Error());
await store.set("a", [1, { b: null }], { ttl: 60 });
const keys: string[] = await kv.list("a", { limit: 10 });
const all: Record<string, Json> = await kv.all("a");
const swapped: boolean = await kv.cas("a", undefined, keys) || await kv.delete("a");
const town: string | undefined = await env.get("TOWN");
await env.set("TOWN", town ?? "Ulm"); const gone: boolean = await env.delete("TOWN");
const { statusCode, headers, body } = await http.post("https://example.org", { query: { a: 1 }, body: { b: 2 }, timeoutMs: 5 });
for (const call of [http.get, http.put, http.patch, http.delete, http.head]) await call(new URL("https://example.org"));
const { content, usage } = await ai.chat({ provider: "p", model: "m", messages: [{ role: "user", content: "hi" }], max_tokens: 5 });
const { id } = await email.send({ from: "a@b", to: ["c@d"], subject: "s", text: "t" });
cloche.log.info(statusCode.toFixed(), headers["x"], body.length, content, usage.input_tokens, id, all, swapped, gone);

export default {
  async fetch(request, vars, ctx) {
    ctx.waitUntil(kv.set("last", request.url));
    const about: Context = ctx;
    return new Response(vars.SECRET + about.executionId + about.startedAt.toFixed() + (ctx.signal?.aborted ?? about.relativePath));
  },
} satisfies WebHandler;

export const handler: LambdaHandler = async (event: HttpEvent, context) => {
  const left: number = context.getRemainingTimeInMillis();
  await context.kv.set(context.awsRequestId, event.requestContext.http.method);
  const result: HttpResult = { statusCode: 200, cookies: ["a=1"], headers: { a: ["b"] }, body: new Uint8Array(left) };
  return result;
};
export const stream: LambdaHandler<{ n: number }> = async function* (event) { yield "text"; yield new Uint8Array(event.n); };
`;
