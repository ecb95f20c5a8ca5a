// A server whose Redis goes away: what is in memory goes on, what needs the store says so, and nobody has to start anything again.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RedisUnderTest } from "../../src/store/redis/redis-under-test.fixture.ts";
import { ServerUnderTest, startServer } from "../server-under-test.ts";

const LIMIT_MS = 20_000;

async function redisFor(t: TestContext): Promise<RedisUnderTest> {
  const redis = await RedisUnderTest.start();
  t.after(() => redis.dispose());
  return redis;
}

async function refusedStart(t: TestContext, settings: Record<string, string>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "cloche-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = new ServerUnderTest(folder, settings);
  await assert.rejects(server.started);
  assert.notEqual((await server.exited).code, 0);
  return server.stderr;
}

suite("a server with Redis", () => {
  test("answers from memory while Redis is down, refuses the rest with 503, and goes on when it is back", async (t) => {
    const redis = await redisFor(t);
    const settings = { REDIS_URL: `unix://${redis.path}`, REDIS_TIMEOUT_SECONDS: "2", MAX_CONTAINERS: "4" };
    const server = await startServer(settings);
    t.after(() => server.dispose());
    await server.upload("f", "javascript", "return 42");
    assert.deepEqual((await server.run("f")).json, { data: 42, type: "number" });
    const upload = (): Promise<Response> =>
      server.post("/upload", { path: "g", language: "javascript", code: "return 1" });

    await redis.kill();
    for (let n = 0; n < 5; n++) assert.deepEqual((await server.run("f")).json, { data: 42, type: "number" });
    assert.equal((await server.runNow({ language: "javascript", code: "return 7" })).status, 200);
    for (const ask of [
      upload,
      () => fetch(`${server.url}/api/executions`),
      () => fetch(`${server.url}/api/functions`),
    ]) {
      const response = await ask();
      const text = await response.text();
      assert.equal(response.status, 503, text);
      assert.match(response.headers.get("retry-after") ?? "", /^\d+$/);
      assert.match(text, /Redis at/);
    }
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);

    await redis.start();
    const giveUpAtMs = performance.now() + LIMIT_MS;
    for (;;) {
      const response = await upload();
      await response.arrayBuffer();
      if (response.status === 200) break;
      assert.ok(performance.now() < giveUpAtMs, "it does not come back");
      await delay(50);
    }
    assert.deepEqual((await server.run("g")).json, { data: 1, type: "number" });
    assert.deepEqual((await server.run("f")).json, { data: 42, type: "number" });
  });

  test("that starts again in an empty folder has all there was", async (t) => {
    const redis = await redisFor(t);
    const settings = { REDIS_URL: `unix://${redis.path}`, MASTER_KEY: "m".repeat(32), MAX_CONTAINERS: "4" };
    const first = await startServer(settings);
    await first.upload("f", "javascript", "return 42");
    await first.dispose();

    const second = await startServer(settings);
    t.after(() => second.dispose());
    assert.deepEqual((await second.run("f")).json, { data: 42, type: "number" });
  });

  test("does not start without it, or with another master key than the others, and says why", async (t) => {
    const redis = await redisFor(t);
    const url = `unix://${redis.path}`;
    const server = await startServer({ REDIS_URL: url, MASTER_KEY: "m".repeat(32), MAX_CONTAINERS: "4" });
    t.after(() => server.dispose());

    assert.match(await refusedStart(t, { REDIS_URL: url, MASTER_KEY: "n".repeat(32) }), /the same MASTER_KEY/);
    assert.match(
      await refusedStart(t, { REDIS_URL: "redis://:word@127.0.0.1:1/2", REDIS_TIMEOUT_SECONDS: "1" }),
      /Redis at 127\.0\.0\.1:1, database 2: nothing listens there/,
    );
    assert.equal((await server.runNow({ language: "javascript", code: "return 7" })).status, 200);
  });
});
