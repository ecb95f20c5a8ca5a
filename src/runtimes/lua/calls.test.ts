// The modules that ask the server: kv, env, http, ai, email. The test plays the server.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { playServer } from "./played-server.fixture.ts";
import { DEMO, Refusal, type Server, WorkerUnderTest, failure, failureIn } from "./worker-under-test.ts";

function workerWith(t: TestContext, code: string, server: Server = playServer().server): WorkerUnderTest {
  const worker = new WorkerUnderTest(t);
  worker.server = server;
  worker.bind(code, { function: DEMO });
  return worker;
}

async function valueOf(t: TestContext, code: string, server?: Server): Promise<string> {
  const { end } = await workerWith(t, code, server).run();
  return end.header.t === "result" ? end.body : `${end.header.t}: ${end.body}`;
}

test("the counter of the quick start counts over requests, and nothing else survives", async (t) => {
  const worker = workerWith(
    t,
    `function handler(ctx, event)
  local count = tonumber(kv.get("counter") or "0") + 1
  kv.set("counter", tostring(count))
  return { statusCode = 200, headers = { ["Content-Type"] = "application/json" }, body = json.encode({ count = count }) }
end`,
  );

  const bodies = [];
  for (let count = 0; count < 3; count += 1) bodies.push((await worker.request()).bytes.toString());

  assert.deepEqual(bodies, ['{"count":1}', '{"count":2}', '{"count":3}']);
});

/** Each: what is done, and what it gives; all of its values count. */
const KV: readonly (readonly [string, string])[] = [
  ["kv.get('none'), select('#', kv.get('none'))", "[null,1]"],
  ["kv.set('a', 'text'), kv.get('a')", '[true,"text"]'],
  ["kv.set('a', '007'), kv.get('a')", '[true,"007"]'],
  ["kv.set('a', 1.5), kv.get('a')", "[true,1.5]"],
  ["kv.set('a', false), kv.get('a')", "[true,false]"],
  ["kv.set('a', { b = { 1, 2 }, c = {} }), kv.get('a')", '[true,{"b":[1,2],"c":{}}]'],
  ["kv.set('a', json.decode('[]')), kv.get('a')", "[true,[]]"],
  ["kv.set('<&>', '<é😀\\n>'), kv.get('<&>')", '[true,"<é😀\\n>"]'],
  ["kv.set(5, 1), kv.get('5')", "[true,1]"],
  ["kv.set('a', 1), kv.delete('a'), kv.get('a'), kv.delete('a')", "[true,true,null,true]"],
  ["kv.incr('n'), kv.incr('n', 4), kv.incr('n', -0.5), kv.get('n')", "[1,5,4.5,4.5]"],
  ["kv.set('n', 'x'), kv.incr('n')", '[true,null,"key \\"n\\" does not hold a number"]'],
  ["kv.cas('a', nil, 1), kv.cas('a', nil, 2), kv.cas('a', 1, { 2 }), kv.get('a')", "[true,false,true,[2]]"],
  ["kv.cas('a', nil, 'x'), kv.cas('a', 'x', nil), kv.get('a') == nil", "[true,true,true]"],
  ["kv.cas('a', false, 1), kv.set('a', false), kv.cas('a', false, 1)", "[false,true,true]"],
  ["kv.listKeys()", "[[]]"],
  ["kv.all()", "[{}]"],
  ["kv.set('a', 1) and kv.setGlobal('a', 2), kv.get('a'), kv.getGlobal('a')", "[true,1,2]"],
  ["kv.incrGlobal('n', 2), kv.casGlobal('n', 2, 3), kv.allGlobal(), kv.all()", '[2,true,{"n":3},{}]'],
  ["kv.setGlobal('b', 1), kv.listGlobalKeys(), kv.deleteGlobal('b'), kv.listGlobalKeys()", '[true,["b"],true,[]]'],
  ["kv.get('refused')", '[null,"key too long: 600 bytes (max 512)"]'],
  ["kv.set('refused', 1)", '[null,"key too long: 600 bytes (max 512)"]'],
  ["kv.set('a', { 0/0 })", '[null,"kv.set: NaN cannot be JSON"]'],
  ["kv.set('a', { print })", '[null,"kv.set: a function cannot be JSON"]'],
  ["kv.set('a', '\\255')", '[null,"kv.set: text that is not UTF-8 cannot be JSON"]'],
  ["kv.set('a', { ['\\255'] = 1 })", '[null,"kv.set: text that is not UTF-8 cannot be JSON"]'],
  ["kv.get('\\255')", '[null,"kv.get: text that is not UTF-8 cannot be JSON"]'],
  ["kv.set('a', (function() local a = {} a.a = a return a end)())", '[null,"kv.set: a cycle cannot be JSON"]'],
  ["env.get('A'), env.set('A', 'x'), env.get('A'), env.delete('A'), env.get('A') == nil", '[null,true,"x",true,true]'],
  ["env.set('N', 5), env.get('N')", '[true,"5"]'],
  ["env.get('refused')", '[null,"key too long: 600 bytes (max 512)"]'],
];

for (const [code, expected] of KV) {
  test(`${code} gives ${expected}`, async (t) => {
    assert.equal(await valueOf(t, `return { ${code} }`), expected);
  });
}

test("lists are gathered from all of their pages, and a prefix is passed on", async (t) => {
  const code = `
for i = 1, 7 do kv.set("k" .. i, i) end
kv.set("x", 1)
return { kv.listKeys(), #kv.listKeys("k"), kv.all("x") }`;

  assert.equal(await valueOf(t, code), '[["k1","k2","k3","k4","k5","k6","k7","x"],7,{"x":1}]');
});

test("a time to live is given in seconds, and travels in milliseconds", async (t) => {
  const played = playServer();

  await valueOf(
    t,
    "kv.set('a', 1, { ttl = 60 }) kv.setGlobal('b', 1, { ttl = 0.25 }) kv.set('c', 1, {})",
    played.server,
  );

  assert.deepEqual(
    [...played.ttls],
    [
      ["a", 60_000],
      ["b", 250],
    ],
  );
});

/** Each: a call with a wrong argument, and the message. */
const WRONG: readonly (readonly [string, string])[] = [
  ["kv.get()", "bad argument #1 to get (string expected, got nil)"],
  ["kv.get({})", "bad argument #1 to get (string expected, got table)"],
  ["kv.getGlobal()", "bad argument #1 to getGlobal (string expected, got nil)"],
  ["kv.set('a')", "bad argument #2 to set (string, number, boolean or table expected, got nil)"],
  ["kv.set('a', print)", "bad argument #2 to set (string, number, boolean or table expected, got function)"],
  ["kv.set('a', 1, 5)", "bad argument #3 to set (table expected, got number)"],
  ["kv.setGlobal('a', 1, { ttl = 'x' })", "bad argument #3 to setGlobal (ttl must be a number of seconds above 0)"],
  ["kv.set('a', 1, { ttl = 0 })", "bad argument #3 to set (ttl must be a number of seconds above 0)"],
  ["kv.delete(nil)", "bad argument #1 to delete (string expected, got nil)"],
  ["kv.listKeys(true)", "bad argument #1 to listKeys (string expected, got boolean)"],
  ["kv.incr('a', 'x')", "bad argument #2 to incr (number expected, got string)"],
  ["kv.cas('a', print)", "bad argument #2 to cas (string, number, boolean or table expected, got function)"],
  ["env.get()", "bad argument #1 to get (string expected, got nil)"],
  ["env.set('a', {})", "bad argument #2 to set (string expected, got table)"],
  ["http.get()", "bad argument #1 to get (string expected, got nil)"],
  ["http.post('u', 'x')", "bad argument #2 to post (table expected, got string)"],
  ["http.get('u', { headers = 'x' })", "bad argument #2 to get (headers: table expected, got string)"],
  ["http.get('u', { headers = { 'x' } })", "bad argument #2 to get (headers: names must be strings, one is a number)"],
  [
    "http.get('u', { query = { a = {} } })",
    "bad argument #2 to get (query: a must be a string or a number, got table)",
  ],
  ["http.get('u', { timeout = '5' })", "bad argument #2 to get (timeout must be a number of seconds above 0)"],
  ["http.put('u', { body = print })", "bad argument #2 to put (body: string or table expected, got function)"],
  ["ai.chat()", "bad argument #1 to chat (table expected, got nil)"],
  ["email.send('x')", "bad argument #1 to send (table expected, got string)"],
];

for (const [call, message] of WRONG) {
  test(`${call} raises: ${message}`, async (t) => {
    assert.equal((await failure(t, `local x\n${call}\nreturn 1`)).message, `script.lua:2: ${message}`);
  });
}

test("an http request goes out as asked, and its response comes back with bytes and headers in any spelling", async (t) => {
  const asked: unknown[] = [];
  const server: Server = (name, given) => {
    asked.push([name, given]);
    const body = Buffer.from([0, 255, 10]).toString("base64");
    return { statusCode: 404, headers: { "content-type": "a/b", "set-cookie": ["x", "y"] }, body };
  };
  const code = `
local r, err = http.post("http://h/p", {
  headers = { ["X-A"] = "1", n = 2 }, query = { q = "a b", n = 1 }, body = "\\0\\255", timeout = 1.5,
})
http.get("http://h/")
http.put("http://h/", { body = { a = 1 } })
http.patch("http://h/", { body = { a = 1 }, headers = { ["content-type"] = "x/y" } })
http.delete("http://h/") http.head("http://h/", { body = "not sent" })
return { r.statusCode, r.body == "\\0\\255\\n", r.headers["Content-Type"], r.headers["CONTENT-type"], r.headers["Set-Cookie"], err == nil }`;

  assert.equal(await valueOf(t, code, server), '[404,true,"a/b","a/b","x",true]');
  const url = "http://h/";
  const json = Buffer.from('{"a":1}').toString("base64");
  assert.deepEqual(asked, [
    [
      "http.request",
      {
        method: "POST",
        url: "http://h/p",
        headers: { "X-A": "1", n: "2" },
        query: { q: "a b", n: "1" },
        body: "AP8=",
        timeoutMs: 1_500,
      },
    ],
    ["http.request", { method: "GET", url }],
    ["http.request", { method: "PUT", url, headers: { "Content-Type": "application/json" }, body: json }],
    ["http.request", { method: "PATCH", url, headers: { "content-type": "x/y" }, body: json }],
    ["http.request", { method: "DELETE", url }],
    ["http.request", { method: "HEAD", url }],
  ]);
});

test("a failed http request gives nil and the server's words", async (t) => {
  const server: Server = () => {
    throw new Refusal("127.0.0.1 is not allowed");
  };

  assert.equal(
    await valueOf(t, "local r, err = http.get('http://127.0.0.1/') return { r == nil, err }", server),
    '[true,"127.0.0.1 is not allowed"]',
  );
});

test("an http response of 10 MB arrives whole", async (t) => {
  const body = Buffer.alloc(10_000_000, "0123456789").toString("base64");

  assert.equal(
    await valueOf(t, "local r = http.get('http://h/') return { #r.body, r.body:sub(-3) }", () => ({
      statusCode: 200,
      headers: {},
      body,
    })),
    '[10000000,"789"]',
  );
});

const CHAT = "provider = 'openai', model = 'm', messages = { { role = 'user', content = 'hi' } }";
const MAIL = "to = 'a@b', from = 'c@d', subject = 's', text = 't'";

/** Each: a call that is refused before it is made, and its message. */
const INCOMPLETE: readonly (readonly [string, string])[] = [
  ["ai.chat({})", "provider is required (openai or anthropic)"],
  ["ai.chat({ provider = 'openai' })", "model is required"],
  ["ai.chat({ provider = 'openai', model = 'm' })", "messages is required and must be a table"],
  ["ai.chat({ provider = 'openai', model = 'm', messages = 'x' })", "messages is required and must be a table"],
  ["ai.chat({ provider = 'openai', model = 'm', messages = {} })", "messages cannot be empty"],
  ["ai.chat({ provider = 'openai', model = 'm', messages = { { role = 'user' }, 5 } })", "messages cannot be empty"],
  ["email.send({})", "to is required"],
  ["email.send({ to = '' })", "to cannot be empty"],
  ["email.send({ to = {} })", "to cannot be empty"],
  ["email.send({ to = 5 })", "to must be a string or table of strings"],
  ["email.send({ to = { 5 } })", "to must be a string or table of strings"],
  ["email.send({ to = 'a', cc = true })", "cc must be a string or table of strings"],
  ["email.send({ to = 'a' })", "from is required"],
  ["email.send({ to = 'a', from = 'b' })", "subject is required"],
  ["email.send({ to = 'a', from = 'b', subject = 'c' })", "either text or html content is required"],
  [`email.send({ ${MAIL}, scheduled_at = 1e300 })`, "scheduled_at must be a time in seconds since 1970, or a text"],
  [`email.send({ ${MAIL}, tags = print })`, "email.send: a function cannot be JSON"],
];

for (const [call, message] of INCOMPLETE) {
  test(`${call} gives nil and: ${message}`, async (t) => {
    const played = playServer();

    assert.equal(
      await valueOf(t, `local r, err = ${call} return { r == nil, err }`, played.server),
      JSON.stringify([true, message]),
    );
    assert.deepEqual(played.calls, []);
  });
}

test("ai.chat and email.send pass on what they are given, and give what the server answers", async (t) => {
  const asked: unknown[] = [];
  const server: Server = (name, given) => {
    asked.push([name, given]);
    if (name === "email.send") return { id: "mail-1" };
    return { content: "hello", model: "m-1", usage: { input_tokens: 3, output_tokens: 5 } };
  };
  const code = `
local chat, chat_err = ai.chat({ ${CHAT}, max_tokens = 10, temperature = 0.5, endpoint = "http://e" })
local mail, mail_err = email.send({ ${MAIL}, cc = { "e", "f" }, tags = { { name = "n", value = "v" } }, scheduled_at = 1700000000 })
ai.chat({ ${CHAT} })
return { chat.content, chat.model, chat.usage.input_tokens + chat.usage.output_tokens, mail.id, chat_err == nil, mail_err == nil }`;

  assert.equal(await valueOf(t, code, server), '["hello","m-1",8,"mail-1",true,true]');
  const chat = { provider: "openai", model: "m", messages: [{ role: "user", content: "hi" }] };
  assert.deepEqual(asked, [
    ["ai.chat", { ...chat, max_tokens: 10, temperature: 0.5, endpoint: "http://e" }],
    [
      "email.send",
      {
        to: ["a@b"],
        from: "c@d",
        subject: "s",
        text: "t",
        cc: ["e", "f"],
        tags: [{ name: "n", value: "v" }],
        scheduled_at: "2023-11-14T22:13:20Z",
      },
    ],
    ["ai.chat", chat],
  ]);
});

test("without a server that knows the function, each call gives nil and why", async (t) => {
  const server: Server = () => {
    throw new Refusal("only functions have kv and env");
  };
  const code = `
local seen = {}
for _, f in ipairs({ kv.get, kv.delete, kv.listKeys, kv.all, kv.incr, env.get, env.delete }) do
  local value, why = f("x")
  seen[#seen + 1] = value == nil and why
end
return seen`;

  const seen = JSON.parse(await valueOf(t, code, server)) as string[];

  assert.deepEqual(seen, Array(7).fill("only functions have kv and env"));
});

test("calls say for which run they are, and are counted", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("kv.get('a') kv.get('b')");
  worker.send({ t: "run", id: 7, executionId: "e" }, "{}");
  await worker.receive();

  const first = await worker.receive();
  worker.send({ t: "answer", id: 1 }, "{}");
  const second = await worker.receive();

  assert.deepEqual([first.header, first.body], [{ t: "call", id: 1, run: 7, name: "kv.get" }, '{"key":"a"}']);
  assert.deepEqual([second.header, second.body], [{ t: "call", id: 2, run: 7, name: "kv.get" }, '{"key":"b"}']);
});

test("large runs that are sent ahead while one waits do not make the worker retire", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind("kv.get('a') return #event");
  const input = JSON.stringify("x".repeat(4_000_000));
  for (let id = 1; id <= 6; id += 1) worker.send({ t: "run", id, executionId: "e" }, input);
  await worker.receive();

  const ends = [];
  while (ends.length < 6) {
    const { header, body } = await worker.receive();
    assert.notEqual(header.t, "retire", String(header["why"]));
    if (header.t === "call") worker.send({ t: "answer", id: header["id"] }, "{}");
    else ends.push(`${header.t} ${body}`);
  }

  assert.deepEqual(ends, Array(6).fill("result 4000000"));
  assert.equal(await worker.whyRetired(), undefined);
});

test("a call from a coroutine and from an error handler is answered as any other", async (t) => {
  const code = `
local one = coroutine.wrap(function() coroutine.yield(kv.incr("n")) return kv.incr("n") end)
local a, b = one(), one()
local _, c = xpcall(error, function() return kv.incr("n") end)
return { a, b, c }`;

  assert.equal(await valueOf(t, code), "[1,2,3]");
});

test("what a run changes in kv, env, http, ai and email ends with it", async (t) => {
  const worker = workerWith(
    t,
    `local fresh = true
for _, module in ipairs({ kv, env, http, ai, email, router }) do
  if module.mine or getmetatable(module) then fresh = false end
  module.mine = 1
  for name in pairs(module) do module[name] = print end
  setmetatable(module, { __index = print })
end
kv = nil
return fresh and type(require("env").get) == "function"`,
  );

  for (let round = 0; round < 2; round += 1) {
    assert.equal((await worker.run()).end.body, "true");
    assert.equal(await worker.whyRetired(), undefined);
  }
});

test("a wrong argument within a handler fails the request in its line, with a tip", async (t) => {
  const worker = workerWith(t, "function handler(ctx, event)\n  local v = kv.get(event.query.key)\n  return {}\nend");

  const { message, line, tip } = failureIn(await worker.request());

  assert.equal(message, "script.lua:2: bad argument #1 to get (string expected, got nil)");
  assert.equal(line, 2);
  assert.match(String(tip), /argument 1 of get is nil/);
});
