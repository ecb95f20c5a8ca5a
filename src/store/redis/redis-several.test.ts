// Several servers on one Redis: what they hear of each other, and what is left of those that are gone.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { aFunction, eventually, T0_MS } from "../contract.fixture.ts";
import { anExecution } from "../executions.fixture.ts";
import type { RedisSettings } from "../../core/redis-settings.ts";
import { openRedisStore, type RedisStore } from "./redis-store.ts";
import { RedisUnderTest, storeFor } from "./redis-under-test.fixture.ts";

const upload = { functionName: "f", language: "javascript", source: "return 1", nowMs: T0_MS };
const MIB = 1024 * 1024;

suite("several stores on one Redis", async () => {
  const redis = await RedisUnderTest.start();
  after(() => redis.dispose());
  let prefixes = 0;
  const settings = (): RedisSettings => redis.settings({ prefix: `several-${++prefixes}:` });

  function listenTo({ changes }: RedisStore): { readonly heard: string[]; gaps: number } {
    const found = { heard: [] as string[], gaps: 0 };
    changes.subscribe({
      onChange: async ({ kind, id }) => void found.heard.push(`${kind} ${id}`),
      onGap: async () => void found.gaps++,
    });
    return found;
  }

  test("each change is told to the others, in order, and not to who made it", async (t) => {
    const same = settings();
    const [a, b] = [await storeFor(t, same), await storeFor(t, same)];
    const [atA, atB] = [listenTo(a), listenTo(b)];

    const { id } = await aFunction(a.store, "f");
    const { version } = await a.store.addVersion({ ...upload, activate: false });
    await a.store.putVariable(id, { name: "A", secret: false, value: "1" }, T0_MS);
    await a.store.deleteVersion(id, version.number, T0_MS);
    await a.changes.publish({ kind: "mine", id: "x y" });
    await a.store.deleteFunction(id);

    const own = [`version-removed ${id} ${version.number}`, `removed ${id}`];
    await eventually(async () => atB.heard.length === 6);
    const shown = [`function ${id}`, `function ${id}`, `variables ${id}`, own[0], "mine x y", own[1]];
    assert.deepEqual(atB.heard, shown);
    assert.deepEqual(atA.heard, own); // what it took away may have been read meanwhile
    assert.deepEqual([atA.gaps, atB.gaps], [0, 0]);
  });

  test("a message that is lost is noticed within seconds, and later ones are heard again", async (t) => {
    const same = settings();
    const [a, b] = [await storeFor(t, same), await storeFor(t, same)];
    const atB = listenTo(b);

    // As a message that never came: the number grows, and nobody is told.
    await redis.tell("INCR", `${same.prefix}{meta}:changes`);
    const startedAtMs = performance.now();
    await eventually(async () => atB.gaps > 0);
    const noticedMs = performance.now() - startedAtMs;
    await eventually(async () => {
      await a.changes.publish({ kind: "mine", id: "" });
      return atB.heard.length > 0;
    });

    assert.ok(noticedMs < 15_000, `${noticedMs} ms`);
  });

  test("listening goes on after its connection was cut", async (t) => {
    const same = settings();
    const [a, b] = [await storeFor(t, same), await storeFor(t, same)];
    const atB = listenTo(b);

    await redis.tell("CLIENT", "KILL", "TYPE", "pubsub");

    await eventually(async () => {
      await a.changes.publish({ kind: "mine", id: "" });
      return atB.heard.length > 0;
    });
  });

  test("a change that could not be taken in is made good later", async (t) => {
    const same = settings();
    const [a, b] = [await storeFor(t, same), await storeFor(t, same)];
    let gaps = 0;
    b.changes.subscribe({
      onChange: () => Promise.reject(new Error("not now")),
      onGap: () => (++gaps === 1 ? Promise.reject(new Error("nor now")) : Promise.resolve()),
    });

    await a.changes.publish({ kind: "mine", id: "" });

    await eventually(async () => gaps === 2);
  });

  test("what ran on a server that is gone is ended, and what runs on another is not", async (t) => {
    const same = settings();
    const [gone, other, next] = [await storeFor(t, same), await storeFor(t, same), await storeFor(t, same)];
    await gone.store.appendExecutions([anExecution(1, { status: "running" })]);
    await other.store.appendExecutions([anExecution(2, { status: "running" })]);
    await redis.tell("DEL", `${same.prefix}{exec}:node:${gone.nodes.id}`); // as when it was silent for too long

    assert.equal(await next.store.endInterrupted("interrupted"), 1);

    assert.equal((await next.store.findExecution(anExecution(1, {}).id))?.error, "interrupted");
    assert.equal((await next.store.findExecution(anExecution(2, {}).id))?.status, "running");
    assert.deepEqual(
      (await next.nodes.list()).map(({ id }) => id).toSorted(),
      [other.nodes.id, next.nodes.id].toSorted(),
    );
  });

  test("all agree on what the first one said", async (t) => {
    const same = settings();
    const [a, b] = [await storeFor(t, same), await storeFor(t, same)];

    assert.deepEqual([await a.agree("x", "1"), await b.agree("x", "2")], ["1", "1"]);
  });

  test("a store that is opened again has everything, and its Redis holds nothing of a deleted function", async (t) => {
    const same = settings();
    const { store } = await openRedisStore({ settings: same, keepExecutions: 1_000 });
    const { version } = await store.addVersion({
      ...upload,
      files: { "a.js": "1" },
      artifacts: { wasm: Buffer.from("w") },
    });
    const { functionId } = version;
    await store.putVariable(functionId, { name: "A", secret: true, sealed: "x" }, T0_MS);
    await store.putAlias(functionId, { name: "live", targets: [{ version: version.number, weight: 100 }] }, T0_MS);
    await store.kvChange({ functionId }, { kind: "set", key: "k", value: "1", expiresAtMs: T0_MS + 1 }, MIB, T0_MS);
    await store.appendExecutions(Array.from({ length: 900 }, (_, n) => anExecution(n, { functionId, error: "boom" })));
    await store.close();
    await assert.rejects(store.listKeys(), { code: "STORE_UNAVAILABLE" });

    const again = await storeFor(t, same);
    assert.deepEqual(await again.store.findVersion(functionId, undefined), version);
    await again.store.deleteFunction(functionId);
    const left = async (): Promise<string[]> => ((await redis.tell("KEYS", `${same.prefix}*`)) as string[]).toSorted();
    const expected = [
      ...["{exec}:blocks", "{exec}:deleted", "{exec}:last", `{exec}:node:${again.nodes.id}`, "{exec}:nodes"],
      "{meta}:changes",
    ].map((key) => same.prefix + key);
    await eventually(async () => (await left()).length === expected.length);
    assert.deepEqual(await left(), expected);
  });
});
