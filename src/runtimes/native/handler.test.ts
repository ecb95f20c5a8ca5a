// Go handlers, served by the real launcher.
import assert from "node:assert/strict";
import { after, before, suite, test, type TestContext } from "node:test";
import { buildHandler, GO, HANDLER } from "./go-handler.fixture.ts";
import { prepareNative } from "./prepare.ts";
import { type Ran, WorkerUnderTest } from "./worker-under-test.ts";

let program: Buffer;

function handler(t: TestContext, more: object = {}): WorkerUnderTest {
  const worker = new WorkerUnderTest(t);
  worker.bind(program, { options: { style: "handler" }, ...more });
  return worker;
}

function head(path: string, more: object = {}): object {
  return { method: "GET", path: `/fn/demo${path}`, relativePath: path, query: "", headers: [], ...more };
}

async function ask(worker: WorkerUnderTest, path: string, body = Buffer.alloc(0), more: object = {}): Promise<Ran> {
  return await worker.request({}, body, head(path, more));
}

suite("a Go handler", { skip: GO === undefined ? "needs Go" : false, timeout: 600_000 }, () => {
  before(() => {
    program = buildHandler(GO ?? "");
  });
  after(() => {
    program = Buffer.alloc(0);
  });

  test("is known by what is in its program", () => {
    const { base, options } = prepareNative("go", { text: "", artifacts: { native: program }, mode: "native" });

    assert.deepEqual([base, options], ["native", { style: "handler" }]);
  });

  test("is checked without being started", async (t) => {
    const worker = handler(t);

    assert.equal((await worker.check()).body.toString(), '{"style":"handler"}');
  });

  test("gets the request as it came, and the function's variables", async (t) => {
    const worker = handler(t, { env: { GREETING: "hi" } });
    const headers = [
      ["host", "example.com"],
      ["x-two", "a"],
      ["x-two", "b"],
    ];

    const more = { method: "PUT", query: "a=1&b=%20", headers, remoteAddress: "192.0.2.1" };
    const { answer, response } = await ask(worker, "/facts", Buffer.from("body"), more);

    assert.deepEqual(JSON.parse(answer.toString()), {
      method: "PUT",
      url: "/fn/demo/facts?a=1&b=%20",
      host: "example.com",
      header: { "X-Two": ["a", "b"] },
      remote: "192.0.2.1:0",
      length: 4,
      body: "body",
      relative: "/facts",
      env: "hi",
      ours: "",
      bind: "",
    });
    assert.deepEqual(
      [response?.["status"], response?.["headers"]],
      [200, [["Content-Type", "text/plain; charset=utf-8"]]],
    );
    assert.equal(response?.["end"], true, "one frame");
  });

  test("stays warm: its variables are kept", async (t) => {
    const worker = handler(t);
    for (const expected of ["1", "2", "3"]) assert.equal((await ask(worker, "/calls")).answer.toString(), expected);
  });

  test("answers runs that were sent ahead one after the other", async (t) => {
    const worker = handler(t);
    for (const id of [1, 2, 3]) worker.send({ t: "request", id, end: true, ...head("/calls") });
    for (const id of [1, 2, 3]) assert.equal((await worker.finish(id)).answer.toString(), String(id));
  });

  test("streams both ways within the credit", async (t) => {
    const body = Buffer.alloc(3_000_001, "xyz");

    const { answer } = await ask(handler(t), "/echo", body);

    assert.ok(answer.equals(body));
  });

  test("sends what it flushes at once", async (t) => {
    const worker = handler(t);
    worker.send({ t: "request", id: 1, end: true, ...head("/stream") });
    const frames = [await worker.receive(), await worker.receive()];

    assert.deepEqual(
      frames.map(({ header, body }) => [header.t, body.toString()]),
      [
        ["ready", ""],
        ["response", "one "],
      ],
    );
    assert.equal((await worker.finish(1)).answer.toString(), "two");
  });

  test("prints before its run ends, whatever it prints with", async (t) => {
    const { stdout, stderr, end } = await ask(handler(t), "/print");

    assert.deepEqual([stdout, stderr], ["out h\u00e9\nearly bird\n", "err\nlogged\n"]);
    assert.deepEqual([end.header.t, end.header["headers"]], ["response", []]);
  });

  test("sets a status and headers that come more than once", async (t) => {
    const { response } = await ask(handler(t), "/status");

    assert.equal(response?.["status"], 418);
    assert.deepEqual(response?.["headers"], [
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
  });

  test("that panics fails the run with the place in the user's code, and lives on", async (t) => {
    const worker = handler(t);

    const { end } = await ask(worker, "/panic");
    const error = JSON.parse(end.body.toString()) as { name: string; message: string; stack: string; line: number };

    assert.equal(end.header.t, "error");
    assert.deepEqual([error.name, error.message], ["panic", "assignment to entry in nil map"]);
    const line = HANDLER.split("\n").findIndex((text) => text.startsWith("func inner")) + 1;
    assert.equal(error.line, line);
    assert.match(
      error.stack,
      /^panic: assignment to entry in nil map\n {4}at main\.inner \(main\.go:\d+\)\n {4}at main\.Handler \(main\.go:\d+\)$/,
    );
    assert.equal((await ask(worker, "/calls")).answer.toString(), "2");
  });

  test("answers a value: JSON where it says so, else text; nothing where it wrote nothing", async (t) => {
    const worker = handler(t);

    assert.equal((await worker.run("json")).end.body.toString(), '["POST", "\\"json\\""]');
    assert.equal((await worker.run({ a: "<" })).end.body.toString(), JSON.stringify('["POST", "{\\"a\\":\\"<\\"}"]'));
  });

  test("several at a time, of which one is cancelled", async (t) => {
    const worker = handler(t, { concurrency: 4 });
    worker.send({ t: "request", id: 1, end: true, ...head("/wait") });
    worker.send({ t: "request", id: 2, end: true, ...head("/status") });
    assert.equal((await worker.finish(2)).response?.["status"], 418);
    worker.send({ t: "cancel", id: 1 });

    const { end, stdout } = await worker.finish(1);

    assert.equal(stdout, "cancelled: context canceled\n");
    assert.equal(end.header.t, "error");
  });

  test("that exits ends its worker with that code", async (t) => {
    const worker = handler(t);

    await assert.rejects(ask(worker, "/exit"), /closed its channel/);

    if (worker.process.exitCode === null) await new Promise((resolve) => worker.process.once("exit", resolve));
    assert.equal(worker.process.exitCode, 7);
  });
});
