import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { systemClock } from "../core/clock.ts";
import { DEFAULT_SETTINGS } from "../core/function.ts";
import { eventually } from "../store/contract.fixture.ts";
import { openRedisStore } from "../store/redis/redis-store.ts";
import { RedisUnderTest } from "../store/redis/redis-under-test.fixture.ts";
import { Catalog } from "./catalog.ts";
import { followChanges } from "./cluster-changes.ts";
import { FakeRuntime } from "./fake-runtime.fixture.ts";
import { Keys } from "./keys.ts";
import { Programs } from "./programs.ts";
import { SecretBox } from "./secret-box.ts";
import { Sessions } from "./sessions.ts";
import { Variables } from "./variables.ts";

const NOTICED_WITHIN_MS = 15_000; // four on a machine that does nothing else

/** What a server holds in memory. */
async function aServer(t: TestContext, redis: RedisUnderTest) {
  const { store, changes } = await openRedisStore({ settings: redis.settings(), keepExecutions: 10 });
  t.after(() => store.close());
  const clock = systemClock;
  const keys = await Keys.open(store, clock, undefined);
  const sessions = await Sessions.open(store, keys, clock);
  const variables = new Variables(store, new SecretBox(Buffer.alloc(32)), clock);
  const programs = new Programs([{ found: true, runtime: new FakeRuntime() }]);
  const stale: string[] = [];
  const onStale = (id: string): void => void stale.push(id);
  const catalog = await Catalog.open({ store, programs, variables, egress: "public", onStale });
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  t.after(await followChanges({ changes, catalog, keys, sessions, log }));
  return { store, catalog, keys, sessions, variables, stale, logged };
}

async function setUp(t: TestContext) {
  const redis = await RedisUnderTest.start();
  t.after(() => redis.dispose());
  return { redis, a: await aServer(t, redis), b: await aServer(t, redis) };
}

const upload = { functionName: "f", language: "javascript", source: "1", nowMs: 1_000 };

suite("what another server changes", () => {
  test("is in force here: functions, versions, variables, aliases, keys and sessions", async (t) => {
    const { a, b } = await setUp(t);
    const { version: first } = await a.store.addVersion(upload);
    const { functionId } = first;
    await eventually(async () => b.catalog.function("f")?.activeVersion === first.number);
    const bound = await b.catalog.find("f", undefined);

    await a.variables.put(functionId, "A", "1");
    await eventually(async () => b.stale.includes(bound.id));
    assert.deepEqual((await b.catalog.find("f", undefined)).env, { A: "1" });

    const { version: second } = await a.store.addVersion({ ...upload, source: "2", activate: false });
    assert.deepEqual(await b.catalog.aliases(functionId), []);
    await a.store.putAlias(functionId, { name: "new", targets: [{ version: second.number, weight: 100 }] }, 2_000);
    await eventually(async () => (await b.catalog.aliases(functionId)).length === 1);
    assert.equal((await b.catalog.find("f", second.number)).function?.number, second.number);
    await a.store.deleteAlias(functionId, "new");
    await a.store.deleteVersion(functionId, second.number, 3_000);
    await eventually(
      async () =>
        await b.catalog.find("f", second.number).then(
          () => false,
          () => true,
        ),
    );

    const { secret, record } = await a.keys.create("k", "read");
    await eventually(async () => b.keys.find(secret) !== undefined);
    const session = await a.sessions.open(secret);
    await eventually(async () => b.sessions.find(session?.cookie ?? "") !== undefined);
    await a.keys.remove(record.id);
    await eventually(async () => b.keys.find(secret) === undefined);
    assert.equal(b.sessions.find(session?.cookie ?? ""), undefined);

    await a.store.deleteFunction(functionId);
    await eventually(async () => b.catalog.function("f") === undefined);
    assert.deepEqual(b.logged, []);
  });

  test("is in force within seconds where nobody has heard of it", async (t) => {
    const { redis, a, b } = await setUp(t);
    const gone = await a.store.addVersion({ ...upload, functionName: "gone" });
    await a.store.addVersion(upload);
    const { secret: old, record } = await a.keys.create("old", "read");
    await eventually(async () => b.keys.find(old) !== undefined && b.catalog.size === 2);
    const bound = await b.catalog.find("f", undefined);

    await redis.tell("CLIENT", "KILL", "TYPE", "pubsub"); // as a short loss of the network: what is told just then is not heard
    const startedAtMs = performance.now();
    await a.store.deleteFunction(gone.version.functionId);
    await a.store.addVersion({ ...upload, source: "2", nowMs: 9_000 });
    await a.store.createFunction({ name: "new", settings: DEFAULT_SETTINGS, nowMs: 9_000 });
    await a.variables.put(bound.function?.id ?? "", "A", "1");
    await a.keys.remove(record.id);

    await eventually(async () => b.keys.find(old) === undefined && b.catalog.function("new") !== undefined);
    assert.equal(b.catalog.function("gone"), undefined);
    assert.equal(b.catalog.function("f")?.activeVersion, 9);
    await eventually(async () => b.stale.includes(bound.id));
    assert.deepEqual((await b.catalog.find("f", undefined)).env, { A: "1" });
    assert.ok(performance.now() - startedAtMs < NOTICED_WITHIN_MS);
  });

  test("comes into force when Redis is back, where it went away meanwhile", async (t) => {
    const { redis, a, b } = await setUp(t);
    await redis.kill();
    await redis.start();

    await eventually(
      async () =>
        await a.store.addVersion(upload).then(
          () => true,
          () => false,
        ),
    );

    await eventually(async () => b.catalog.function("f") !== undefined);
  });
});
