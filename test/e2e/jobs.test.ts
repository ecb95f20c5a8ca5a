// Jobs over HTTP: a real server, real sandboxes, a real queue on the disk.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ManagementUnderTest } from "../management-under-test.ts";
import { ServerUnderTest, startServer } from "../server-under-test.ts";

const SOON_MS = 30_000;
const ASYNC = { Prefer: "respond-async" };
/** Answers 503 until it was called `n` times, as its key-value store counts. */
const FLAKY = `
  import { kv } from "cloche";
  export default async (request) => {
    const { n } = await request.json();
    const calls = await kv.incr("calls");
    return calls < n ? new Response("not yet", { status: 503, headers: { "retry-after": "0" } }) : Response.json({ calls });
  };
`;
const ADD = "def handler(event, context):\n    return event['a'] + event['b']\n";
const SLEEP = "import time\n\ndef handler(event, context):\n    time.sleep(event.get('s', 60))\n    return 'slept'\n";

interface JobBody {
  readonly id: string;
  readonly status: string;
  readonly attemptsMade: number;
  readonly error?: string;
  readonly result?: unknown;
  readonly response?: { readonly statusCode: number; readonly body: string };
  readonly history: readonly { readonly number: number; readonly executionId: string; readonly error?: string }[];
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const giveUpAtMs = Date.now() + SOON_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert.ok(Date.now() < giveUpAtMs, `${what} within ${SOON_MS} ms`);
    await delay(20);
  }
}

suite("jobs", () => {
  let server: ServerUnderTest;
  let api: ManagementUnderTest;
  before(async () => {
    server = await startServer({ TIMEOUT_SCRIPT: "60" });
    api = await ManagementUnderTest.open(server.url);
    for (const [name, language, code] of [
      ["add", "python", ADD],
      ["sleep", "python", SLEEP],
      ["flaky", "javascript", FLAKY],
      ["broken", "python", "def handler(event, context):\n    raise ValueError('never')\n"],
    ]) {
      const body = { name, language, code, retry: { attempts: 3, backoffMs: 10 } };
      await api.call("createFunction", 201, { body });
    }
  });
  after(() => server.dispose());

  const submit = async (id: string, body: object, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await api.call("invoke", 202, { params: { id }, body, headers: { ...ASYNC, ...headers } });
    assert.equal(answer.headers.get("preference-applied"), "respond-async");
    assert.equal(answer.headers.get("location"), `/api/jobs/${answer.json.jobId}`);
    return answer.json.jobId as string;
  };
  const read = async (id: string): Promise<JobBody> =>
    (await api.call("readJob", 200, { params: { id } })).json as JobBody;
  const ended = (id: string): Promise<JobBody> =>
    until(`the end of job ${id}`, async () => {
      const job = await read(id);
      return job.status === "queued" || job.status === "running" ? undefined : job;
    });

  test("a function is run without its caller, and its result is there to ask for", async () => {
    const job = await ended(await submit("add", { input: { a: 1, b: 2 } }));

    assert.deepEqual([job.status, job.result, job.attemptsMade], ["completed", 3, 1]);
    const [attempt] = job.history;
    const { json: execution } = await until("its execution", async () => {
      const answer = await api.send(api.route("readExecution"), { params: { id: attempt?.executionId ?? "" } });
      return answer.status === 200 ? answer : undefined;
    });
    assert.deepEqual([execution.trigger, execution.status, execution.event], ["async", "success", { a: 1, b: 2 }]);
  });

  test("integers beyond 2^53 keep their digits", async () => {
    const jobId = await api.send(api.route("invoke"), {
      params: { id: "add" },
      headers: ASYNC,
      body: '{"input":{"a":9007199254740993,"b":0}}',
    });
    await ended(jobId.json.jobId);
    const answer = await api.send(api.route("readJob"), { params: { id: jobId.json.jobId } });
    assert.match(answer.text, /"result":9007199254740993[,}]/);
  });

  test("a failed attempt is followed by others, and each of them is seen", async () => {
    const job = await ended(await submit("flaky", { input: { n: 3 } }));

    assert.deepEqual([job.status, job.result, job.attemptsMade], ["completed", { calls: 3 }, 3]);
    assert.deepEqual(
      job.history.map(({ number, error }) => [number, error]),
      [
        [1, "the function answered 503"],
        [2, "the function answered 503"],
        [3, undefined],
      ],
    );
    assert.equal(new Set(job.history.map(({ executionId }) => executionId)).size, 3);
  });

  test("a job that fails for good is dead, and is run again on demand", async () => {
    const ids = [await submit("broken", { attempts: 2 }), await submit("broken", { attempts: 1 })];
    const [first, second] = await Promise.all(ids.map(ended));
    assert.deepEqual([first?.status, first?.attemptsMade, second?.attemptsMade], ["dead", 2, 1]);
    assert.match(first?.error ?? "", /ValueError|never/);
    const { json: listed } = await api.call("listJobs", 200, { query: { function: "broken", status: "dead" } });
    assert.deepEqual(listed.items.map(({ id }: { id: string }) => id).toSorted(), ids.toSorted());

    const { json: stored } = await api.call("readFunction", 200, { params: { id: "broken" } });
    await api.call("createVersion", 201, {
      params: { id: "broken" },
      body: { code: "def handler(e, c):\n    return 'mended'\n" },
    });
    await api.call("replayJob", 200, { params: { id: ids[0] ?? "" } });
    const mended = await ended(ids[0] ?? "");
    assert.deepEqual(
      [mended.status, mended.result, mended.attemptsMade, mended.history.length],
      ["completed", "mended", 1, 3],
    );
    await api.call("replayJob", 409, { params: { id: ids[0] ?? "" } });
    const { json: many } = await api.call("replayJobs", 200, { body: { functionId: stored.name } });
    assert.equal(many.replayed, 1);
    assert.equal((await ended(ids[1] ?? "")).status, "completed");
  });

  test("a job is cancelled while it waits, and while it runs", async () => {
    const waiting = await submit("sleep", { delayMs: 3_600_000 });
    await api.call("cancelJob", 204, { params: { id: waiting } });
    assert.deepEqual([(await read(waiting)).status, (await read(waiting)).attemptsMade], ["cancelled", 0]);

    const running = await submit("sleep", { input: { s: 60 } });
    await until("it runs", async () => ((await read(running)).status === "running" ? true : undefined));
    const startMs = Date.now();
    await api.call("cancelJob", 204, { params: { id: running } });
    assert.equal((await ended(running)).status, "cancelled");
    assert.ok(Date.now() - startMs < 10_000, "it is ended, not waited for");
    await api.call("cancelJob", 409, { params: { id: running } });
    await api.call("cancelJob", 404, { params: { id: "nobody" } });
    await api.call("readJob", 404, { params: { id: "nobody" } });
    await server.settled();
  });

  test("twenty posts with one key are one job, and another request under it is refused", async () => {
    const headers = { "Idempotency-Key": "order 4711" };
    const ids = await Promise.all(Array.from({ length: 20 }, () => submit("add", { input: { a: 2, b: 2 } }, headers)));

    assert.equal(new Set(ids).size, 1);
    assert.equal((await ended(ids[0] ?? "")).result, 4);
    assert.equal(await submit("add", { input: { a: 2, b: 2 } }, headers), ids[0]);
    const other = await api.call("invoke", 422, {
      params: { id: "add" },
      body: { input: { a: 3, b: 2 } },
      headers: { ...ASYNC, ...headers },
    });
    assert.equal(other.json.error.code, "IDEMPOTENCY_KEY_REUSED");
    const { json } = await api.call("listJobs", 200, { query: { function: "add", limit: 200 } });
    assert.equal(json.items.filter(({ id }: { id: string }) => ids.includes(id)).length, 1);
    assert.notEqual(await submit("add", { input: { a: 2, b: 2 } }, { "Idempotency-Key": "another" }), ids[0]);
  });

  test("the doors keep a request for later, whole", async () => {
    const code = `export default async (request) => Response.json({
      method: request.method, path: new URL(request.url).pathname, query: new URL(request.url).search,
      header: request.headers.get("x-mine"), bytes: (await request.arrayBuffer()).byteLength,
    }, { status: 201 });`;
    await api.call("createFunction", 201, { body: { name: "doors", language: "javascript", code } });
    const body = Buffer.alloc(100_000, 0xff);
    const answer = await fetch(`${server.url}/fn/doors/a/b?c=d`, {
      method: "PUT",
      headers: { prefer: "respond-async, wait=5", "x-mine": "yes" },
      body,
    });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.get("preference-applied"), "respond-async");
    const { jobId } = (await answer.json()) as { jobId: string };
    assert.equal(answer.headers.get("location"), `/api/jobs/${jobId}`);
    const { response } = await ended(jobId);
    assert.equal(response?.statusCode, 201);
    const seen = JSON.parse(response.body) as Record<string, unknown>;
    assert.deepEqual([seen["method"], seen["query"], seen["header"], seen["bytes"]], ["PUT", "?c=d", "yes", 100_000]);

    const large = await fetch(`${server.url}/fn/doors`, {
      method: "POST",
      headers: ASYNC,
      body: Buffer.alloc(2_000_000),
    });
    assert.equal(large.status, 413);
    assert.match(await large.text(), /JOB_INPUT_MAX_SIZE/);
    assert.equal((await fetch(`${server.url}/fn/nobody`, { headers: ASYNC })).status, 404);

    await server.upload("later", "python", "return event['n'] * 2");
    const script = await server.post("/run/later", { input: { n: 21 } }, { headers: ASYNC });
    assert.equal(script.status, 202);
    const { jobId: scriptJob } = (await script.json()) as { jobId: string };
    assert.equal((await ended(scriptJob)).result, 42);
    assert.equal((await server.post("/run/nobody", {}, { headers: ASYNC })).status, 404);
  });

  test("the execution of a request that was kept is replayed as the request that it was", async () => {
    const code = "export default async (request) => new Response(`${request.method} ${await request.text()}`);";
    await api.call("createFunction", 201, { body: { name: "again", language: "javascript", code } });
    const answer = await fetch(`${server.url}/fn/again/there`, { method: "PATCH", headers: ASYNC, body: "now" });
    const { jobId } = (await answer.json()) as { jobId: string };
    const { history, response } = await ended(jobId);
    assert.equal(response?.body, "PATCH now");
    const id = history[0]?.executionId ?? "";
    const { json } = await api.call("replayExecution", 200, { params: { id } });
    assert.equal(json.response.body, "PATCH now");
  });

  test("what makes no sense is refused", async () => {
    const params = { id: "add" };
    for (const body of [
      { attempts: 0 },
      { priority: 11 },
      { delayMs: -1 },
      { timeoutMs: 0 },
      { callbackUrl: "nonsense" },
    ]) {
      await api.call("invoke", 400, { params, body, headers: ASYNC });
    }
    const loopback = await api.call("invoke", 400, {
      params,
      body: { callbackUrl: "ftp://example.com" },
      headers: ASYNC,
    });
    assert.match(loopback.json.error.message, /^callbackUrl: /);
    const waits = await api.call("invoke", 400, { params, body: { delayMs: 10 } });
    assert.match(waits.json.error.message, /^delayMs: only with Prefer: respond-async/);
    await api.call("invoke", 404, { params: { id: "nobody" }, body: {}, headers: ASYNC });
    await api.call("invoke", 404, { params, body: { version: "no-alias" }, headers: ASYNC });
    await api.call("listJobs", 400, { query: { status: "unknown" } });
  });

  test("no more jobs of a function run at once than it says", async () => {
    await api.call("changeFunction", 200, { params: { id: "sleep" }, body: { jobConcurrency: 1 } });
    const ids = await Promise.all([1, 2, 3].map(() => submit("sleep", { input: { s: 0.3 } })));
    let most = 0;
    await until("all are over", async () => {
      const { json } = await api.call("listJobs", 200, { query: { function: "sleep", status: "running" } });
      most = Math.max(most, json.items.length);
      const all = await Promise.all(ids.map(read));
      return all.every(({ status }) => status === "completed") ? true : undefined;
    });
    assert.equal(most, 1);
  });
});

suite("a server that is killed", () => {
  test("has lost none of 200 jobs when it is back, and those that it ran are run again", async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const first = new ServerUnderTest(dataDir);
    await first.started;
    const api = await ManagementUnderTest.open(first.url);
    const code = "import time\n\ndef handler(event, context):\n    time.sleep(0.2)\n    return event['n']\n";
    await api.call("createFunction", 201, { body: { name: "work", language: "python", code } });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        api.call("invoke", 202, { params: { id: "work" }, body: { input: { n } }, headers: ASYNC }),
      ),
    );
    const ids = answers.map(({ json }) => json.jobId as string);
    await until("some run", async () => {
      const { json } = await api.call("listJobs", 200, { query: { status: "running" } });
      return json.items.length > 0 ? true : undefined;
    });
    const pids = first.boxPids();
    first.process.kill("SIGKILL");
    await first.exited;
    await first.assertGone(pids);

    const second = new ServerUnderTest(dataDir);
    await second.started;
    const again = await ManagementUnderTest.open(second.url);
    const jobs = await Promise.all(
      ids.map((id) =>
        until(`the end of ${id}`, async () => {
          const { json } = await again.call("readJob", 200, { params: { id } });
          return json.status === "completed" ? (json as JobBody) : undefined;
        }),
      ),
    );
    assert.deepEqual(
      jobs.map(({ result }) => result),
      Array.from({ length: 200 }, (_, n) => n),
    );
    const begunTwice = jobs.filter(({ attemptsMade }) => attemptsMade === 2);
    assert.ok(begunTwice.length > 0, "what ran when it was killed has a second attempt");
    for (const { history } of begunTwice) assert.match(history[0]?.error ?? "", /the server that ran it was lost/);
    await second.stop();
  });

  test("that is stopped gives back what it has not begun, and lets end what it runs", async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const first = new ServerUnderTest(dataDir, { JOBS_CONCURRENCY: "1" });
    await first.started;
    const api = await ManagementUnderTest.open(first.url);
    await api.call("createFunction", 201, { body: { name: "sleep", language: "python", code: SLEEP } });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const answer = await api.call("invoke", 202, {
        params: { id: "sleep" },
        body: { input: { s: 1 } },
        headers: ASYNC,
      });
      ids.push(answer.json.jobId as string);
    }
    await until("the first runs", async () => {
      const { json } = await api.call("readJob", 200, { params: { id: ids[0] ?? "" } });
      return json.status === "running" ? true : undefined;
    });
    await first.stop();

    const second = new ServerUnderTest(dataDir, { JOBS_CONCURRENCY: "3" });
    await second.started;
    const again = await ManagementUnderTest.open(second.url);
    const { json: done } = await again.call("readJob", 200, { params: { id: ids[0] ?? "" } });
    assert.deepEqual([done.status, done.attemptsMade], ["completed", 1]);
    for (const id of ids) {
      const job = await until(`the end of ${id}`, async () => {
        const { json } = await again.call("readJob", 200, { params: { id } });
        return json.status === "completed" ? (json as JobBody) : undefined;
      });
      assert.equal(job.attemptsMade, 1);
    }
    await second.stop();
  });
});
