// What happens when Redis is not as it should be: every call says so, soon, and all goes on when it is well again.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually, T0_MS } from "../contract.fixture.ts";
import { anExecution } from "../executions.fixture.ts";
import type { RedisSettings } from "../../core/redis-settings.ts";
import { openRedisStore } from "./redis-store.ts";
import { redisFor, storeFor } from "./redis-under-test.fixture.ts";

const upload = { functionName: "f", language: "javascript", source: "return 1", nowMs: T0_MS };
const MIB = 1024 * 1024;

suite("a store in Redis does not open, and says where and why,", () => {
  const refuses = async (settings: RedisSettings, message: RegExp): Promise<void> => {
    const startedAtMs = performance.now();
    const opening = openRedisStore({ settings, keepExecutions: 10 });
    await assert.rejects(opening, { name: "PlatformError", code: "STORE_UNAVAILABLE", message });
    assert.ok(performance.now() - startedAtMs < settings.timeoutMs + 5_000);
  };

  test("where nothing listens, or the host is none", async (t) => {
    const redis = await redisFor(t);
    const path = `${redis.path}-other`;
    const settings = redis.settings({ timeoutMs: 500 });
    await refuses({ ...settings, path }, /^Redis at \S+-other, database 0: there is no such socket$/);
    const elsewhere = { ...settings, path: undefined, host: "127.0.0.1", port: 1, db: 3 };
    await refuses(elsewhere, /^Redis at 127\.0\.0\.1:1, database 3: nothing listens there$/);
    await refuses({ ...elsewhere, host: "nobody.invalid" }, /^Redis at nobody\.invalid:1, database 3: .*host/);
  });

  test("where the password is wrong or missing", async (t) => {
    const redis = await redisFor(t, "--requirepass", "right");

    await refuses(redis.settings({ password: "wrong" }), /password or user name is wrong/);
    await refuses(redis.settings(), /it wants a password/);
    await storeFor(t, redis.settings({ password: "right" }));
  });

  test("where there is no such database", async (t) => {
    const redis = await redisFor(t);

    await refuses(redis.settings({ db: 99 }), /database 99: there is no such database \(REDIS_DB\)/);
  });

  test("where it is a read-only replica", async (t) => {
    const redis = await redisFor(t);
    await redis.tell("REPLICAOF", "127.0.0.1", "1");

    await refuses(redis.settings(), /read-only replica; name the primary/);
  });

  test("where it does not answer", async (t) => {
    const redis = await redisFor(t);
    redis.freeze();

    await refuses(redis.settings({ timeoutMs: 500 }), /500 ms|connection/i);
  });
});

suite("a store whose Redis", () => {
  test("was killed refuses each call at once, and goes on with all there was when Redis is back", async (t) => {
    const redis = await redisFor(t);
    const { store } = await storeFor(t, redis.settings({ timeoutMs: 5_000 }));
    const { version } = await store.addVersion(upload);
    await store.kvChange("global", { kind: "set", key: "k", value: "1" }, MIB, T0_MS);
    await redis.kill();

    for (const call of [
      () => store.findFunction({ name: "f" }),
      () => store.addVersion(upload),
      () => store.kvGet("global", "k", T0_MS),
      () => store.appendExecutions([anExecution(1, {})]),
      () => store.listExecutions({ limit: 1 }),
      () => store.listKeys(),
    ]) {
      const startedAtMs = performance.now();
      await assert.rejects(call(), { code: "STORE_UNAVAILABLE", message: /^Redis at .*: .*connection/ });
      assert.ok(performance.now() - startedAtMs < 4_000);
    }
    await redis.start();

    await eventually(
      async () =>
        await store.listKeys().then(
          () => true,
          () => false,
        ),
    );
    assert.deepEqual(await store.findVersion(version.functionId, undefined), version);
    assert.equal(await store.kvGet("global", "k", T0_MS), "1");
    await store.appendExecutions([anExecution(1, {})]);
    assert.equal((await store.listExecutions({ limit: 9 })).items.length, 1);
  });

  test("does not answer refuses calls within the timeout, and goes on when Redis does", async (t) => {
    const redis = await redisFor(t);
    const { store } = await storeFor(t, redis.settings({ timeoutMs: 300 }));
    await store.addVersion(upload);
    redis.freeze();

    const startedAtMs = performance.now();
    const calls = Array.from({ length: 50 }, () => store.findFunction({ name: "f" }));
    const ends = await Promise.allSettled(calls);
    assert.ok(performance.now() - startedAtMs < 5_000);
    for (const end of ends) {
      assert.ok(end.status === "rejected" && (end.reason as { code: string }).code === "STORE_UNAVAILABLE");
    }
    redis.resume();

    await eventually(
      async () =>
        await store.findFunction({ name: "f" }).then(
          (found) => found?.name === "f",
          () => false,
        ),
    );
  });

  test("is full refuses what needs room and says so, stores nothing by halves, and still reads and deletes", async (t) => {
    const redis = await redisFor(t);
    const { store } = await storeFor(t, redis.settings());
    const { version } = await store.addVersion(upload);
    await redis.tell("CONFIG", "SET", "maxmemory", String(3 * MIB));

    const ends: PromiseSettledResult<unknown>[] = [];
    for (let n = 0; n < 400; n++) {
      const value = JSON.stringify("x".repeat(n < 20 ? 256 * 1024 : 1024));
      const set = store.kvChange("global", { kind: "set", key: `k${n}`, value }, 1_000 * MIB, T0_MS);
      ends.push(...(await Promise.allSettled([set])));
    }
    const refused = ends.find((end) => end.status === "rejected");

    assert.match(String(refused?.reason), /Redis is full \(maxmemory 3\.00M, \S+ in use\)/);
    await redis.tell("CONFIG", "SET", "maxmemory", String(MIB)); // buffers that shrink by themselves make no room for less
    const uploads = { ...upload, functionName: "g", source: "/".repeat(100_000) };
    await assert.rejects(store.addVersion(uploads), { code: "STORE_UNAVAILABLE" });
    await assert.rejects(store.appendExecutions([anExecution(1, {}), anExecution(2, {})]), {
      code: "STORE_UNAVAILABLE",
    });
    assert.equal(await store.findFunction({ name: "g" }), undefined);
    assert.deepEqual((await store.listExecutions({ limit: 9 })).items, []);
    assert.deepEqual(await store.findVersion(version.functionId, undefined), version);
    const { items } = await store.kvList("global", { limit: 999, nowMs: T0_MS });
    assert.equal(items.length, ends.filter(({ status }) => status === "fulfilled").length);
    for (const { key } of items) await store.kvChange("global", { kind: "delete", key }, MIB, T0_MS);
    await redis.tell("CONFIG", "SET", "maxmemory", String(3 * MIB));
    await store.addVersion(uploads);
  });

  test("has become a replica says so, and takes changes again when it is none", async (t) => {
    const redis = await redisFor(t);
    const { store } = await storeFor(t, redis.settings());
    await store.addVersion(upload);
    await redis.tell("REPLICAOF", "127.0.0.1", "1");

    await assert.rejects(store.addVersion(upload), { code: "STORE_UNAVAILABLE", message: /read-only replica/ });
    assert.equal((await store.findFunction({ name: "f" }))?.name, "f");
    await redis.tell("REPLICAOF", "NO", "ONE");
    await store.addVersion(upload);
  });
});

test("a store needs only the rights that its page names, and says where one is missing", async (t) => {
  const redis = await redisFor(t);
  const rights = ["~cloche:*", "&cloche:*", "+@all", "-@admin", "-@dangerous"]; // as in docs/redis.md
  await redis.tell("ACL", "SETUSER", "cloche", "on", ">word", ...rights, "+info");
  await redis.tell("ACL", "SETUSER", "blind", "on", ">word", ...rights);
  await redis.tell("ACL", "SETUSER", "other", "on", ">word", "~other:*", "&*", "+@all");

  for (const [n, username] of ["cloche", "blind"].entries()) {
    const { store } = await storeFor(t, redis.settings({ username, password: "word" }));
    const { version } = await store.addVersion({ ...upload, functionName: username });
    const scope = { functionId: version.functionId };
    await store.kvChange(scope, { kind: "set", key: "k", value: "1" }, MIB, T0_MS);
    await store.appendExecutions([anExecution(n, scope)]);
    assert.equal((await store.listExecutions({ ...scope, limit: 9 })).items.length, 1);
    await store.deleteFunction(version.functionId);
  }
  await assert.rejects(storeFor(t, redis.settings({ username: "other", password: "word" })), {
    message: /the user may not do this .*REDIS_PREFIX/,
  });
});

test("a store says what the operator should know of its Redis", async (t) => {
  const redis = await redisFor(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
  assert.match((await storeFor(t, redis.settings())).warnings.join("\n"), /maxmemory-policy allkeys-lru/);
  await redis.tell("CONFIG", "SET", "appendonly", "no");
  assert.match((await storeFor(t, redis.settings())).warnings.join("\n"), /appendonly no/);
});
