// HTTP requests to programs: CGI variables in, a streamed body on stdin, a streamed response from stdout.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { type Ran, WorkerUnderTest } from "./worker-under-test.ts";

function workerWith(t: TestContext, program: string, more: object = {}): WorkerUnderTest {
  const worker = new WorkerUnderTest(t);
  worker.bind(readFileSync(realpathSync(program)), more);
  return worker;
}

test("a short answer is one frame: head, body and end", async (t) => {
  const { end, answer, stderr } = await workerWith(t, "/bin/sh").request({}, Buffer.from("echo hello; echo log >&2"));

  assert.deepEqual(end.header, { t: "response", id: 1, status: 200, headers: [], cgi: true, end: true });
  assert.deepEqual([answer.toString(), stderr], ["hello\n", "log\n"]);
});

test("the variables of the request are there, and cannot change those of the function", async (t) => {
  const worker = workerWith(t, "/bin/sh", { env: { HTTP_SECRET: "ours", MODE: "on" } });
  const cgi = { REQUEST_METHOD: "PUT", HTTP_X_Y: "a b", HTTP_SECRET: "theirs" };

  const { answer } = await worker.request(cgi, Buffer.from('echo "$REQUEST_METHOD|$HTTP_X_Y|$HTTP_SECRET|$MODE"'));
  const { answer: later } = await worker.request({}, Buffer.from('echo "[$REQUEST_METHOD]"'));

  assert.equal(answer.toString(), "PUT|a b|ours|on\n");
  assert.equal(later.toString(), "[]\n");
});

test("a large body streams both ways, within the credit", async (t) => {
  const body = randomBytes(5_000_001);

  const { end, answer } = await workerWith(t, "/bin/cat").request({}, body);

  assert.deepEqual(end.header, { t: "body", id: 1, end: true });
  assert.ok(answer.equals(body));
});

test("an empty body is an empty stdin", async (t) => {
  const { end, answer } = await workerWith(t, "/bin/cat").request();

  assert.equal(end.header["end"], true);
  assert.equal(answer.length, 0);
});

test("a response begins while the program and the request's body go on", async (t) => {
  const worker = workerWith(t, "/bin/cat");
  worker.send({ t: "request", id: 1, executionId: "e", end: false }, "first");
  assert.equal((await worker.receive()).header.t, "ready");
  const frames = [await worker.receive(), await worker.receive()];

  assert.deepEqual(frames.map(({ header }) => header.t).toSorted(), ["credit", "response"]);
  const response = frames.find(({ header }) => header.t === "response");
  assert.deepEqual([response?.body.toString(), response?.header["end"]], ["first", false]);
  worker.send({ t: "body", id: 1, end: true }, " last");
  assert.equal((await worker.finish(1)).answer.toString(), " last");
});

test("a body that the program does not read gets no more credit, and the next request is none the worse for it", async (t) => {
  const worker = workerWith(t, "/bin/true");

  const { end } = await worker.request({}, Buffer.alloc(2_000_000));
  const { end: next } = await worker.request({}, Buffer.from("x"));

  assert.deepEqual([end.header.t, next.header.t], ["response", "response"]);
});

test("a program that fails at once gives no response, even if it printed something", async (t) => {
  const worker = workerWith(t, "/bin/sh");
  const failed = async (): Promise<Ran> => await worker.request({}, Buffer.from("echo half; exit 4"));
  let { end, response } = await failed();
  // On a busy machine the program may get no CPU within the 5 ms that its first bytes wait for its end.
  for (let tries = 1; response !== undefined && tries < 20; tries++) ({ end, response } = await failed());

  assert.deepEqual(end.header, { t: "exit", id: end.header["id"], code: 4, stays: true });
  assert.equal(response, undefined);
});

test("one that fails after its response has begun ends it with the failure", async (t) => {
  const { end, response, answer } = await workerWith(t, "/bin/sh").request(
    {},
    Buffer.from("echo half; sleep 0.2; kill -SEGV $$"),
  );

  assert.equal(response?.["end"], false);
  assert.equal(answer.toString(), "half\n");
  assert.equal(end.header.t, "error");
});

test("a program that waits for credit when it is done still gets all of its output out", async (t) => {
  const script = "/usr/bin/head -c 700000 /dev/zero; (/usr/bin/head -c 60000 /dev/zero)";

  const { answer } = await workerWith(t, "/bin/sh").request({}, Buffer.from(script));

  assert.equal(answer.length, 760_000);
});
