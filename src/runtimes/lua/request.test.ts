// HTTP requests in: what `ctx` and `event` are, and how bodies arrive.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { DEMO, WorkerUnderTest, failureIn, requestHead } from "./worker-under-test.ts";

const WHAT_CAME = "function handler(ctx, event) return { body = { ctx = ctx, event = event } } end";

test("a handler gets who it is and what was asked for", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(WHAT_CAME, { function: DEMO });

  const { status, headers, bytes } = await worker.request(
    {
      method: "POST",
      path: "/fn/demo/a%20b/%C3%A9%zz",
      relativePath: "/a b/é%zz",
      query: "name=J%C3%B6rg+X&name=second&empty&=x&bad=%zz&a%5B0%5D=1",
      headers: [
        ["content-type", "text/plain"],
        ["x-api-KEY", "1"],
        ["etag", '"x"'],
        ["accept", "a"],
        ["accept", "b"],
      ],
    },
    "hello",
  );

  assert.equal(status, 200);
  assert.deepEqual(headers, [["Content-Type", "application/json"]]);
  const { ctx, event } = JSON.parse(bytes.toString()) as { ctx: { startedAt: number }; event: object };
  assert.ok(Math.abs(ctx.startedAt - Date.now() / 1000) < 3);
  assert.deepEqual(ctx, {
    executionId: "execution-1",
    requestId: "request-1",
    functionId: "f1",
    functionName: "demo",
    version: "3",
    baseUrl: "https://example.com/",
    startedAt: ctx.startedAt,
  });
  assert.deepEqual(event, {
    method: "POST",
    path: "/fn/demo/a b/é%zz",
    relativePath: "/a b/é%zz",
    headers: { "Content-Type": "text/plain", "X-Api-Key": "1", Etag: '"x"', Accept: "a" },
    query: { name: "Jörg X", empty: "", "": "x", "a[0]": "1" },
    body: "hello",
  });
});

test("headers are found in any spelling, and what is not there is nil", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(`
function handler(ctx, event)
  local h = event.headers
  return { body = { h["content-type"], h["Content-Type"], h["CONTENT-TYPE"], h["x-none"] == nil, h[1] == nil, event.body } }
end`);

  const { bytes } = await worker.request({ headers: [["content-type", "a/b"]] });

  assert.deepEqual(JSON.parse(bytes.toString()), ["a/b", "a/b", "a/b", true, true, ""]);
});

test("the bytes of headers are those of the wire, both ways", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(
    "function handler(_, event) return { headers = { ['X-B'] = event.headers['x-a'] }, body = #event.headers['x-a'] } end",
  );
  const overTheWire = Buffer.from("é€").toString("latin1");

  const { headers, bytes } = await worker.request({ headers: [["x-a", overTheWire]] });

  assert.deepEqual(headers[0], ["X-B", overTheWire]);
  assert.equal(bytes.toString(), "5");
});

for (const size of [0, 1, 65_536, 65_537, 262_144, 262_145, 10_000_000]) {
  test(`a binary body of ${size} bytes comes in and goes out as it was`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind("function handler(_, event) return { headers = { ['X-Size'] = #event.body }, body = event.body } end");
    const body = randomBytes(size);

    const { status, headers, bytes } = await worker.request({ method: "POST" }, body);

    assert.equal(status, 200);
    assert.deepEqual(headers[0], ["X-Size", String(size)]);
    assert.ok(bytes.equals(body));
    assert.equal(await worker.whyRetired(), undefined);
  });
}

test("requests sent ahead wait, with their bodies, while a run waits for an answer and for credit", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("function handler(_, event) kv.get('a') return { body = event.body } end");
  const big = "x".repeat(300_000);
  worker.send({ ...requestHead(1), end: false }, "one");
  worker.send({ ...requestHead(2), end: false }, "two");
  worker.send({ t: "body", id: 2, end: false }, "-and");
  worker.send({ t: "ping", id: 9 });
  worker.send({ t: "body", id: 2, end: true }, "-more");
  worker.send({ t: "body", id: 1, end: false }, big);
  worker.send({ t: "body", id: 1, end: true });

  const seen: unknown[] = [];
  let first = "";
  let second = "";
  while (seen.at(-1) !== "pong 9") {
    const { header, body } = await worker.receive();
    seen.push([header.t, header["id"]].join(" ").trim());
    if (header.t === "call") worker.send({ t: "answer", id: header["id"] }, "{}");
    if (header.t === "response" || header.t === "body") {
      if (header["id"] === 1) first += body;
      else second += body;
      if (first.length === 262_144) worker.send({ t: "credit", id: 1, bytes: 100_000 });
    }
  }

  assert.equal(first, `one${big}`);
  assert.equal(second, "two-and-more");
  assert.deepEqual(seen, [
    "ready",
    "credit 1",
    "call 1",
    "response 1",
    ...Array<string>(4).fill("body 1"),
    "call 2",
    "response 2",
    "pong 9",
  ]);
});

test("what still comes of a body that the program did not want is passed over", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("x = = 1");
  worker.send({ ...requestHead(1), end: false }, "one");
  worker.send({ t: "body", id: 1, end: true }, "more");
  worker.send({ t: "credit", id: 1, bytes: 5 });
  worker.send({ t: "ping", id: 2 });

  const types = [];
  for (let count = 0; count < 3; count += 1) types.push((await worker.receive()).header.t);

  assert.deepEqual(types, ["ready", "error", "pong"]);
});

test("a cancelled request ends, whether its body was on its way in or its response out", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("function handler(_, event) return { body = ('x'):rep(1e6) } end");
  worker.send({ ...requestHead(1), end: false }, "one");
  worker.send({ t: "cancel", id: 1 });
  await worker.receive();

  assert.equal((await worker.receive()).header.t, "error");

  worker.send({ ...requestHead(2), end: true });
  for (let count = 0; count < 4; count += 1) await worker.receive();
  worker.send({ t: "cancel", id: 2 });

  assert.deepEqual((await worker.receive()).header, { t: "body", id: 2, end: true });
  assert.equal(await worker.whyRetired(), undefined);
});

test("a function knows its own path and address", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(
    "return { router.path('/users/:id', { id = 5 }), router.url('/users/:id', { id = 5 }), router.path('') }",
    {
      function: { ...DEMO, name: "math/add" },
    },
  );

  assert.equal(
    (await worker.run()).end.body,
    '["/fn/math/add/users/5","https://example.com/fn/math/add/users/5","/fn/math/add/"]',
  );
});

test("a handler called by a run gets the input as its event, and its value is the result", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("function handler(ctx, event) return { event.n + 1, ctx.functionName, ctx.requestId == nil } end", {
    function: DEMO,
  });

  assert.equal((await worker.run('{"n":1}')).end.body, '[2,"demo",true]');
});

const HEADS: readonly object[] = [
  {},
  { headers: [["host", "h"]] },
  { headers: [["host", "h"]], query: "a=1", relativePath: "/x" },
  {
    headers: [
      ["host", "h"],
      ["x-empty", ""],
      ["accept", "a"],
      ["accept", "b"],
    ],
  },
  { headers: [["x-tricky", ']],"end":false}']] },
  { headers: [["x-tricky", '"],["x-more","1"]']] },
  { headers: [["x-latin", "\u00e9"]] },
  { headers: [["x-backslash", "\\"]] },
  { query: "q=\\u0041&r=%22", path: '/fn/demo/"a"' },
  { relativePath: "/\u00e9/\u{1f600}", method: "PUT", requestId: 'of "the caller"' },
  { requestId: "" },
];

function read(answer: Buffer): { ctx: { requestId: string }; event: object } {
  return JSON.parse(answer.toString()) as ReturnType<typeof read>;
}

test("a plain request is read as any other one, whatever came before", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(WHAT_CAME);
  for (const head of [...HEADS, ...HEADS.toReversed()]) {
    const plain = await worker.request(head);
    // Members in another order make it be read as JSON, member by member.
    const other = await worker.request({ other: 1, ...head });
    const [one, two] = [plain, other].map(({ bytes }) => read(bytes));

    assert.deepEqual(one?.event, two?.event, JSON.stringify(head));
    const { requestId } = head as { requestId?: string };
    if (requestId !== undefined) assert.equal(one?.ctx.requestId, requestId);
  }
});

test("a request finds nothing of what the last one left, nor of what it did to its headers", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(`
count = (count or 0) + 1
function handler(ctx, event)
  local meta = getmetatable(event.headers)
  local found = event.headers["x-secret"]
  meta.__index = function() return "spoilt" end
  seen = event.headers["x-secret"]
  ctx.executionId, event.method = "spoilt", "spoilt"
  return { body = { count = count, found = found, old = meta.mine, key = event.headers.x } , headers = event.headers }
end`);

  const answers = [];
  for (const secret of ["1", "2"]) {
    const { bytes } = await worker.request({ headers: [["x-secret", secret]] });
    answers.push(JSON.parse(bytes.toString()));
    assert.equal(await worker.whyRetired(), undefined);
  }

  assert.deepEqual(answers, [
    { count: 1, found: "1", key: "spoilt" },
    { count: 1, found: "2", key: "spoilt" },
  ]);
});

test("each of several requests that say the same gets its own ids, and all of it as it came", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(`function handler(ctx, event)
  local shown = json.encode({ event, ctx.executionId })
  event.headers["x-a"], event.query.a, event.method, event.path = "spoilt", "spoilt", "spoilt", "spoilt"
  return { body = shown }
end`);
  const head = { headers: [["x-a", "1"]], query: "a=1", requestId: "" };

  const shown = [];
  for (const body of ["one", "two", "one"]) shown.push((await worker.request(head, body)).bytes.toString());

  const [first = "", ...others] = shown;
  assert.match(first, /"execution-1"\]$/);
  assert.doesNotMatch(first, /spoilt/);
  assert.deepEqual(others, [
    first.replace("one", "two").replace("execution-1", "execution-2"),
    first.replace("execution-1", "execution-3"),
  ]);
});

test("a failed handler is an error with its line", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("function handler(ctx, event)\n  return { body = event.nothing.x }\nend");

  const { name, message, line, tip } = failureIn(await worker.request());

  assert.deepEqual(
    [name, message, line],
    ["LuaError", "script.lua:2: attempt to index field 'nothing' (a nil value)", 2],
  );
  assert.match(String(tip), /field 'nothing' is nil/);
});
