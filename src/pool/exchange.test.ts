// A worker that answers HTTP requests, played by the test at the other end of real sockets.
import assert from "node:assert/strict";
import { PassThrough, type Readable } from "node:stream";
import { suite, test, type TestContext } from "node:test";
import type { Exchange, ResponseHead } from "../core/exchange.ts";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import type { Version } from "../core/program.ts";
import { FakeProcess, KILLED, SocketPairs, turn, until, version } from "./fake-sandbox.fixture.ts";
import { BODY_FRAME_BYTES, BODY_WINDOW_BYTES } from "./protocol.ts";
import { Run, type RunInput } from "./run.ts";
import { Worker } from "./worker.ts";

const TIMEOUT_MS = 1000;
const LIMIT_BYTES = 10_000_000;

/** Takes a response; `taken` of each piece is kept back until `takeAll`. */
class Client implements Exchange {
  readonly head = { requestId: "r", method: "POST", path: "/fn/f/x", relativePath: "/x", query: "a=1", headers: [] };
  readonly firstBytes: Buffer;
  readonly rest: Exchange["rest"];
  readonly heads: ResponseHead[] = [];
  received = 0;
  tooLarge = 0;
  complaint: string | undefined;
  #untaken: (() => void)[] = [];

  constructor(firstBytes = "", source?: Readable) {
    this.firstBytes = Buffer.from(firstBytes);
    this.rest = source && { source, limitBytes: LIMIT_BYTES, onTooLarge: () => this.tooLarge++ };
  }

  onHead(head: ResponseHead): string | undefined {
    this.heads.push(head);
    return this.complaint;
  }

  onBody(chunk: Buffer, taken: () => void): void {
    this.received += chunk.length;
    this.#untaken.push(taken);
  }

  takeAll(): void {
    for (const taken of this.#untaken.splice(0)) taken();
  }
}

class Stage {
  readonly clock = new ManualClock();
  readonly process: FakeProcess;
  readonly worker: Worker;
  readonly calls: string[] = [];
  readonly printed: string[] = [];
  answer: (name: string, json: string) => Promise<string> = () => Promise.resolve("{}");
  retired = 0;
  gone = false;

  constructor(process: FakeProcess) {
    this.process = process;
    const limits = { outputLimitBytes: 100_000, memoryLimitBytes: 1 };
    this.worker = new Worker(
      "node",
      process,
      { clock: this.clock, ...limits, baseUrl: () => "http://here" },
      {
        onReady: () => {},
        onOver: () => {},
        onRetired: () => this.retired++,
        onGone: () => (this.gone = true),
      },
    );
  }

  take(input: RunInput, name = "a"): Run {
    const onLog = ({ text }: { readonly text: string }): void => void this.printed.push(`${name}:${text}`);
    const onCall = (call: string, json: string): Promise<string> => {
      this.calls.push(`${name}:${call} ${json}`);
      return this.answer(call, json);
    };
    const run = new Run(
      { version: version("v"), executionId: "e", input, timeoutMs: TIMEOUT_MS, onLog, onCall },
      this.clock.monotonicMs(),
    );
    this.worker.take(run);
    return run;
  }

  request(client: Client, name?: string): Run {
    return this.take({ kind: "request", exchange: client }, name);
  }

  async heard(t: string, count = 1): Promise<void> {
    await until(() => this.process.received.filter((frame) => frame.t === t).length >= count);
  }

  bytesOf(t: string): number {
    const frames = this.process.received.filter((frame) => frame.t === t);
    return frames.reduce((bytes, { body }) => bytes + body.length, 0);
  }
}

async function warm(t: TestContext, changes: Partial<Version> = {}): Promise<Stage> {
  const pairs = new SocketPairs();
  const process = new FakeProcess(1, await Promise.all([pairs.make(), pairs.make(), pairs.make()]));
  t.after(() => {
    process.die(KILLED);
    pairs.close();
  });
  const stage = new Stage(process);
  process.send([{ t: "ready" }]);
  await until(() => stage.worker.state === "idle");
  stage.worker.bind({ ...version("v"), ...changes });
  return stage;
}

suite("a request", () => {
  test("goes out with its head and body, and comes back as a response", async (t) => {
    const stage = await warm(t);
    const client = new Client("hello");
    const run = stage.request(client);
    await stage.heard("request");
    stage.clock.advance(5);
    stage.process.send([{ t: "response", id: 1, status: 201, headers: [["a", "b"]], end: true }, "created"]);

    assert.deepEqual((await run.report).outcome, { kind: "responded", status: 201 });
    const [, sent] = stage.process.received;
    assert.deepEqual(sent?.header, {
      t: "request",
      id: 1,
      executionId: "e",
      timeoutMs: TIMEOUT_MS,
      ...client.head,
      end: true,
    });
    assert.equal(sent.body, "hello");
    assert.deepEqual(client.heads, [
      { status: 201, headers: [["a", "b"]], end: true, coldStart: false, waitMs: 0, ranMs: 5 },
    ]);
    assert.equal(client.received, 7);
  });

  test("may be answered with a value", async (t) => {
    const stage = await warm(t);
    const run = stage.request(new Client());
    stage.process.send([{ t: "result", id: 1 }, '{"a":1}']);

    assert.deepEqual((await run.report).outcome, { kind: "ok", json: '{"a":1}' });
  });

  test("with a long body sends no more of it than the worker has given credit for", async (t) => {
    const stage = await warm(t);
    const source = new PassThrough({ highWaterMark: 4 * BODY_WINDOW_BYTES });
    source.write(Buffer.alloc(2 * BODY_WINDOW_BYTES));
    stage.request(new Client("", source));
    await until(() => stage.bytesOf("body") === BODY_WINDOW_BYTES);
    await turn();
    const before = stage.bytesOf("body");
    stage.process.send([{ t: "credit", id: 1, bytes: 1000 }]);
    await until(() => stage.bytesOf("body") > before);

    assert.equal(before, BODY_WINDOW_BYTES);
    assert.equal(stage.bytesOf("body"), BODY_WINDOW_BYTES + 1000);
    assert.ok(stage.process.received.every(({ body }) => body.length <= BODY_FRAME_BYTES));
    stage.process.send([{ t: "credit", id: 1, bytes: 2 * BODY_WINDOW_BYTES }]);
    source.end();
    await until(() => stage.process.received.at(-1)?.header["end"] === true);
    assert.equal(stage.bytesOf("body"), 2 * BODY_WINDOW_BYTES);
  });

  test("whose body is longer than allowed is told of once, and read no further", async (t) => {
    const stage = await warm(t);
    const source = new PassThrough({ highWaterMark: 64 * 1024 * 1024 });
    const client = new Client("", source);
    stage.request(client);
    source.end(Buffer.alloc(LIMIT_BYTES + 1));
    stage.process.onFrame = ({ t, id, body }) => {
      if (t === "body") stage.process.send([{ t: "credit", id, bytes: body.length }]);
    };
    await until(() => client.tooLarge > 0);

    assert.equal(client.tooLarge, 1);
    assert.ok(stage.bytesOf("body") <= LIMIT_BYTES);
  });

  test("whose response cannot be sent fails with the reason", async (t) => {
    for (const end of [true, false]) {
      const stage = await warm(t);
      const client = new Client();
      client.complaint = "status 99 is none";
      const run = stage.request(client);
      stage.process.send([{ t: "response", id: 1, status: 99, headers: [], end }, "x"]);
      const { outcome } = await run.report;

      assert.deepEqual(outcome, { kind: "failed", name: "InvalidResponse", message: "status 99 is none", stack: "" });
    }
  });

  const liars: { readonly [what: string]: readonly object[] } = {
    "a body before its head": [{ t: "body", id: 1, end: true }],
    "two heads": [
      { t: "response", id: 1, status: 200, headers: [], end: false },
      { t: "response", id: 1, status: 200, headers: [], end: true },
    ],
    "a response to another request": [{ t: "response", id: 2, status: 200, headers: [], end: true }],
    "credit for another request": [{ t: "credit", id: 9, bytes: 1 }],
    "headers that are none": [{ t: "response", id: 1, status: 200, headers: [["a"]], end: true }],
  };
  for (const [what, frames] of Object.entries(liars)) {
    test(`is not answered with ${what}: such a worker is ended`, async (t) => {
      const stage = await warm(t);
      const run = stage.request(new Client());
      stage.process.send(...frames.map((frame) => [frame] as const));

      assert.equal((await run.report).outcome.kind, "crashed");
      assert.ok(stage.process.killed);
    });
  }
});

suite("a streamed response", () => {
  test("goes on when the client has taken what came before, and stops a worker that does not wait", async (t) => {
    const stage = await warm(t);
    const client = new Client();
    const run = stage.request(client);
    stage.process.send([{ t: "response", id: 1, status: 200, headers: [], end: false }]);
    const piece = "x".repeat(BODY_FRAME_BYTES);
    for (let sent = 0; sent < BODY_WINDOW_BYTES; sent += piece.length) {
      stage.process.send([{ t: "body", id: 1, end: false }, piece]);
    }
    await until(() => client.received === BODY_WINDOW_BYTES);
    assert.equal(stage.bytesOf("credit") + stage.process.received.filter((frame) => frame.t === "credit").length, 0);

    client.takeAll();
    await stage.heard("credit", 4);
    stage.process.send([{ t: "body", id: 1, end: true }, "end"]);
    assert.deepEqual((await run.report).outcome, { kind: "responded", status: 200 });

    const greedy = stage.request(new Client());
    stage.process.send([{ t: "response", id: 2, status: 200, headers: [], end: false }]);
    for (let frames = 0; frames < 5; frames++) stage.process.send([{ t: "body", id: 2, end: false }, piece]);
    assert.deepEqual((await greedy.report).outcome, {
      kind: "crashed",
      detail: "it sent more of a response than it has credit for",
    });
  });

  test("that the code breaks off fails", async (t) => {
    const stage = await warm(t);
    const client = new Client();
    const run = stage.request(client);
    stage.process.send([{ t: "response", id: 1, status: 200, headers: [], end: false }, "half"]);
    stage.process.send([{ t: "error", id: 1 }, '{"name":"E","message":"m","stack":"s","line":3,"tip":"t"}']);

    assert.deepEqual((await run.report).outcome, {
      ...{ kind: "failed", name: "E", message: "m", stack: "s", line: 3, tip: "t" },
    });
    assert.equal(client.heads.length, 1);
  });
});

suite("a worker that may have several runs at once", () => {
  test("starts them at once and takes their ends and lines in any order", async (t) => {
    const stage = await warm(t, { concurrency: 3 });
    const runs = ["a", "b", "c"].map((name) => stage.take({ kind: "value", json: "1" }, name));
    stage.process.send(
      [{ t: "log", level: "info", stream: "stdout", run: 3 }, "of c"],
      [{ t: "result", id: 2 }, "2"],
      [{ t: "log", level: "info", stream: "stdout" }, "of the oldest"],
      [{ t: "result", id: 3 }, "3"],
      [{ t: "result", id: 1 }, "1"],
    );
    const outcomes = await Promise.all(runs.map(async (run) => (await run.report).outcome));

    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind === "ok" && outcome.json),
      ["1", "2", "3"],
    );
    assert.deepEqual(stage.printed, ["c:of c", "a:of the oldest"]);
    assert.equal(stage.clock.pending, 0);
  });

  test("goes on with the others when one is cancelled, and drops what comes of it", async (t) => {
    const stage = await warm(t, { concurrency: 2 });
    const [gone, other] = [stage.take({ kind: "value", json: "1" }), stage.take({ kind: "value", json: "1" })];
    stage.worker.cancel(gone);
    await stage.heard("cancel");
    stage.process.send([{ t: "result", id: 1 }, "1"], [{ t: "result", id: 2 }, "2"]);

    assert.deepEqual((await gone.report).outcome, { kind: "cancelled" });
    assert.deepEqual((await other.report).outcome, { kind: "ok", json: "2" });
    await until(() => stage.worker.load === 0);
    assert.equal(stage.worker.state, "warm");
  });

  test("takes no more runs once one has run out of time, and ends when the others are over", async (t) => {
    const stage = await warm(t, { concurrency: 2 });
    const stuck = stage.take({ kind: "value", json: "1" });
    stage.clock.advance(TIMEOUT_MS / 2);
    const other = stage.take({ kind: "value", json: "1" });
    stage.clock.advance(TIMEOUT_MS / 2);

    assert.deepEqual((await stuck.report).outcome, { kind: "timed-out", limitMs: TIMEOUT_MS });
    assert.equal(stage.retired, 1);
    assert.ok(!stage.process.killed);
    stage.process.send([{ t: "result", id: 2 }, "2"]);
    assert.deepEqual((await other.report).outcome, { kind: "ok", json: "2" });
    await until(() => stage.gone);
  });

  test("ends when a cancelled run does not end in its time", async (t) => {
    const stage = await warm(t, { concurrency: 2 });
    stage.worker.cancel(stage.take({ kind: "value", json: "1" }));
    stage.clock.advance(TIMEOUT_MS);
    await until(() => stage.gone);

    assert.ok(stage.process.killed);
  });
});

suite("a call", () => {
  test("is answered with what it asked for, or with why not", async (t) => {
    const stage = await warm(t);
    stage.answer = (name) =>
      name === "kv.get"
        ? Promise.resolve('{"value":1}')
        : Promise.reject(Object.assign(new Error("no such call"), { code: "INVALID_REQUEST" }));
    stage.take({ kind: "value", json: "1" });
    stage.process.send([{ t: "call", id: 1, run: 1, name: "kv.get" }, '{"key":"a"}']);
    stage.process.send([{ t: "call", id: 2, run: 1, name: "nope" }, "{}"]);
    await stage.heard("answer", 2);
    const answers = stage.process.received.filter((frame) => frame.t === "answer");

    assert.deepEqual(stage.calls, ['a:kv.get {"key":"a"}', "a:nope {}"]);
    assert.deepEqual(
      answers.map(({ header, body }) => [header, body]),
      [
        [{ t: "answer", id: 1 }, '{"value":1}'],
        [{ t: "answer", id: 2, error: { code: "INVALID_REQUEST", message: "no such call" } }, ""],
      ],
    );
  });

  test("after the end of its run is made in the name of the worker's last run; before the first one there is no name", async (t) => {
    const stage = await warm(t);
    const run = stage.take({ kind: "value", json: "1" });
    stage.process.send([{ t: "result", id: 1 }, "1"]);
    await run.report;
    stage.process.send([{ t: "call", id: 1, run: 1, name: "kv.get" }, "{}"]);
    await stage.heard("answer");
    assert.deepEqual(stage.calls, ["a:kv.get {}"]);

    const fresh = await warm(t);
    fresh.process.send([{ t: "call", id: 1, run: 1, name: "kv.get" }, "{}"]);
    await until(() => fresh.process.killed);
    assert.deepEqual(fresh.calls, []);
  });

  test("is one too many when 64 wait for their answers", async (t) => {
    const stage = await warm(t);
    stage.answer = () => new Promise(() => {});
    const run = stage.take({ kind: "value", json: "1" });
    for (let id = 1; id <= 65; id++) stage.process.send([{ t: "call", id, run: 1, name: "kv.get" }, "{}"]);

    assert.deepEqual((await run.report).outcome, { kind: "crashed", detail: "it sent more than 64 calls at once" });
    assert.equal(stage.calls.length, 64);
  });
});

test("a worker that is to leave does what it has and takes no more", async (t) => {
  const stage = await warm(t);
  const runs = [stage.take({ kind: "value", json: "1" }), stage.take({ kind: "value", json: "1" })];
  stage.worker.leave();
  stage.process.send([{ t: "result", id: 1 }, "1"], [{ t: "result", id: 2 }, "2"]);

  for (const run of runs) assert.equal((await run.report).outcome.kind, "ok");
  assert.equal(stage.retired, 1);
  await until(() => stage.gone);
});
