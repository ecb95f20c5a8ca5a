// Jobs and schedules of two servers on one Redis.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RedisUnderTest } from "../../src/store/redis/redis-under-test.fixture.ts";
import { ManagementUnderTest } from "../management-under-test.ts";
import { ServerUnderTest } from "../server-under-test.ts";

const SOON_MS = 120_000; // a lost server is missed after its lease
const ASYNC = { Prefer: "respond-async" };

const redis = await RedisUnderTest.start();
let prefixes = 0;

interface Node {
  readonly server: ServerUnderTest;
  readonly api: ManagementUnderTest;
}

async function startTwo(t: TestContext): Promise<[Node, Node]> {
  const settings = {
    ...{ REDIS_URL: `unix://${redis.path}`, REDIS_PREFIX: `jobs-${++prefixes}:`, MASTER_KEY: "m".repeat(32) },
    ...{ MAX_CONTAINERS: "4", JOBS_CONCURRENCY: "2", JOBS_LEASE_SECONDS: "10" },
  };
  const nodes: Node[] = [];
  for (let n = 0; n < 2; n++) {
    const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
    const server = new ServerUnderTest(dataDir, settings);
    t.after(async () => {
      if (server.process.exitCode === null && server.process.signalCode === null) await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    await server.started;
    nodes.push({ server, api: await ManagementUnderTest.open(server.url) });
  }
  return nodes as [Node, Node];
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const giveUpAtMs = Date.now() + SOON_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert.ok(Date.now() < giveUpAtMs, `${what} within ${SOON_MS} ms`);
    await delay(100);
  }
}

suite("the jobs of two servers on one Redis", () => {
  after(() => redis.dispose());

  test("a schedule fires once for both of them", async (t) => {
    const [a, b] = await startTwo(t);
    const code = "from cloche import kv\n\ndef handler(event, context):\n    return kv.incr(event['scheduledAt'])\n";
    const body = { name: "ticks", language: "python", code, schedule: { cron: "@every 1s", overlap: "allow" } };
    await a.api.call("createFunction", 201, { body });

    const items = await until("six runs", async () => {
      const { json } = await b.api.call("listJobs", 200, { query: { kind: "cron", status: "completed", limit: 200 } });
      return json.items.length >= 6 ? (json.items as { id: string }[]) : undefined;
    });
    for (const { id } of items) {
      const { json } = await b.api.call("readJob", 200, { params: { id } });
      assert.deepEqual([json.result, json.attemptsMade], [1, 1], id);
    }
    const { json } = await b.api.call("listExecutions", 200, { query: { trigger: "cron", limit: 200 } });
    assert.ok(json.items.length >= items.length);
  });

  test("what is enqueued at one is run by both, and what a killed one had begun by the other", async (t) => {
    const [a, b] = await startTwo(t);
    const code = "import time\n\ndef handler(event, context):\n    time.sleep(0.3)\n    return event['n']\n";
    await a.api.call("createFunction", 201, { body: { name: "work", language: "python", code } });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        a.api.call("invoke", 202, { params: { id: "work" }, body: { input: { n } }, headers: ASYNC }),
      ),
    );
    const ids = answers.map(({ json }) => json.jobId as string);
    await until("both run some", async () => {
      const { json } = await b.api.call("listJobs", 200, { query: { status: "running" } });
      return json.items.length === 4 ? true : undefined;
    });
    const pids = a.server.boxPids();
    a.server.process.kill("SIGKILL");
    await a.server.exited;
    await a.server.assertGone(pids);

    const attempts: number[] = [];
    for (const [n, id] of ids.entries()) {
      const job = await until(`the end of ${id}`, async () => {
        const { json } = await b.api.call("readJob", 200, { params: { id } });
        return json.status === "completed" ? (json as { result: unknown; attemptsMade: number }) : undefined;
      });
      assert.equal(job.result, n);
      attempts.push(job.attemptsMade);
    }
    assert.ok(attempts.includes(2), "what the killed one ran was begun again");
    assert.ok(attempts.every((made) => made <= 2));
  });
});
