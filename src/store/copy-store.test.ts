import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { aFunction, T0_MS } from "./contract.fixture.ts";
import { copyStore } from "./copy-store.ts";
import { anExecution } from "./executions.fixture.ts";
import { openRedisStore } from "./redis/redis-store.ts";
import { RedisUnderTest } from "./redis/redis-under-test.fixture.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import type { Store } from "./store.ts";

const NOW_MS = T0_MS + 1_000_000;
const SCRIPT = join(import.meta.dirname, "../../scripts/copy-store.mjs");
const upload = { functionName: "f", language: "javascript", source: "return 1", nowMs: T0_MS };

async function setUp(t: TestContext): Promise<{ redis: RedisUnderTest; folder: string }> {
  const redis = await RedisUnderTest.start();
  const folder = mkdtempSync(join(tmpdir(), "cloche-test-"));
  t.after(async () => {
    await redis.dispose();
    rmSync(folder, { recursive: true, force: true });
  });
  return { redis, folder };
}

const sqliteIn = async (folder: string): Promise<Store> =>
  await openSqliteStore({ file: join(folder, "cloche.db"), keepExecutions: 1_000_000 });
const storeIn = async (redis: RedisUnderTest): Promise<Store> =>
  (await openRedisStore({ settings: redis.settings(), keepExecutions: 1_000_000 })).store;

/** Something of all that there is. */
async function fill(store: Store): Promise<void> {
  const { id } = await aFunction(store, "f", { retentionCount: 2, description: "é" });
  const first = (await store.addVersion({ ...upload, files: { "a.js": "\0" }, egress: "none", createdBy: "ci" }))
    .version;
  const artifacts = { native: Buffer.from("\x7fELF\xff", "latin1"), wasm: Buffer.from("\0asm") };
  const native = { id: "a9b1c1a0-0000-4000-8000-000000000001", label: "v1", description: "d" };
  const gone = await store.addVersion({ ...upload, activate: false });
  const last = (await store.addVersion({ ...upload, artifacts, mode: "wasm", upload: native, activate: false }))
    .version;
  await store.deleteVersion(id, gone.version.number, T0_MS); // whose number is not given again
  const targets = [first, last].map(({ number: version }) => ({ version, weight: 50 }));
  await store.putAlias(id, { name: "live", targets }, T0_MS + 5);
  await store.putVariable(id, { name: "A", secret: true, sealed: "sealed" }, T0_MS + 6);
  await store.putVariable(id, { name: "B", secret: false, value: "" }, T0_MS + 7);
  await store.kvChange({ functionId: id }, { kind: "set", key: "k", value: "1" }, 1_000, T0_MS);
  await store.kvChange("global", { kind: "set", key: "k", value: "2", expiresAtMs: NOW_MS + 1 }, 1_000, T0_MS);
  await store.kvChange("global", { kind: "set", key: "old", value: "2", expiresAtMs: NOW_MS }, 1_000, T0_MS);
  await aFunction(store, "empty/one");
  const lines = [{ stream: "stdout", level: "info", atMs: T0_MS, text: "needle" }] as const;
  await store.appendExecutions([
    ...Array.from({ length: 450 }, (_, n) => anExecution(n, { error: n % 2 === 0 ? "boom" : undefined, logs: lines })),
    ...[500, 501].map((n) => anExecution(n, { functionId: id, response: '{"a":1}', runMs: 0.1 + n })),
  ]);
  const key = { name: "k", scope: "deploy", hash: "h", hint: "clo_1234", createdAtMs: T0_MS } as const;
  await store.addKey({ id: "one", ...key });
  await store.addSession({ hash: "s", keyId: "one", scope: "read", expiresAtMs: NOW_MS + 1 });
}

async function runScript(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { env, cwd: env["DATA_DIR"] });
  const found = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (found.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (found.stderr += text));
  const [code] = (await once(child, "close")) as [number];
  return { code, ...found };
}

suite("a copy of a store", () => {
  test("has all that was there, from SQLite to Redis and back", async (t) => {
    const { redis, folder } = await setUp(t);
    const [from, middle, to] = [
      await sqliteIn(folder),
      await storeIn(redis),
      await sqliteIn(mkdtempSync(`${folder}/`)),
    ];
    t.after(() => Promise.all([from, middle, to].map((store) => store.close())));
    await fill(from);

    const there = await copyStore(from, middle, NOW_MS);
    const back = await copyStore(middle, to, NOW_MS);

    assert.deepEqual(back, there);
    const counts = Object.fromEntries([...there].map(([kind, { count }]) => [kind, count]));
    assert.deepEqual(counts, {
      ...{ functions: 2, versions: 2, aliases: 1, variables: 2, "keys and values": 2 },
      ...{ executions: 452, keys: 1, sessions: 1 },
    });
    for (const store of [middle, to]) {
      const f = await store.findFunction({ name: "f" });
      assert.deepEqual(f, await from.findFunction({ name: "f" }));
      assert.equal((await store.listExecutions({ text: "needle boom", limit: 999 })).items.length, 225);
      assert.equal((await store.findUpload("a9b1c1a0-0000-4000-8000-000000000001"))?.upload?.label, "v1");
      const metrics = await store.metrics(f?.id ?? "", { fromMs: 0, toMs: 2 * T0_MS, stepMs: 60_000 });
      assert.deepEqual(
        metrics.map(({ calls }) => calls),
        [2],
      );
    }
  });

  test("is not made over what is there already", async (t) => {
    const { redis, folder } = await setUp(t);
    const [from, to] = [await sqliteIn(folder), await storeIn(redis)];
    t.after(() => Promise.all([from, to].map((store) => store.close())));
    await aFunction(to, "mine");

    await assert.rejects(copyStore(from, to, NOW_MS), { message: /not empty: it has functions$/ });
  });

  test("that is not the same is told", async (t) => {
    const { redis, folder } = await setUp(t);
    const [from, to] = [await sqliteIn(folder), await storeIn(redis)];
    t.after(() => Promise.all([from, to].map((store) => store.close())));
    await fill(from);
    const lossy: Store = { ...to, appendExecutions: (batch) => to.appendExecutions(batch.slice(1)) };

    await assert.rejects(copyStore(from, lossy, NOW_MS), { message: /^executions: 452 were read, 449 are there/ });
  });

  test("is made by a command, while no server runs", async (t) => {
    const { redis, folder } = await setUp(t);
    const store = await sqliteIn(folder);
    await fill(store);
    await store.close();
    const env = { DATA_DIR: folder, REDIS_URL: `unix://${redis.path}` };

    assert.match((await runScript([], env)).stderr, /say where to/);
    assert.match((await runScript(["to-redis"], { DATA_DIR: folder })).stderr, /set REDIS_URL/);
    const there = await runScript(["to-redis"], env);
    assert.equal(there.code, 0, there.stderr);
    assert.match(there.stdout, /452 executions +sha256 [\da-f]{16}… the same in both/);
    const again = await runScript(["to-redis"], env);
    assert.deepEqual([again.code, /not empty/.test(again.stderr)], [1, true]);
    const back = await runScript(["to-sqlite"], { ...env, DATA_DIR: mkdtempSync(`${folder}/`) });
    assert.deepEqual([back.code, back.stdout], [0, there.stdout]);

    const running = await storeIn(redis);
    t.after(() => running.close());
    assert.match((await runScript(["to-sqlite"], env)).stderr, /stop the servers that use this Redis first/);
  });
});
