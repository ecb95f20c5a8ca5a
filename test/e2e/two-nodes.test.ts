// Two servers on one Redis: whatever is changed at one is in force at the other.
import assert from "node:assert/strict";
import { after, suite, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RedisUnderTest } from "../../src/store/redis/redis-under-test.fixture.ts";
import { ADMIN_KEY, beginChanges, CHANGES } from "../faults/changes.ts";
import { inForceAfterMs } from "../in-force.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const LIMIT_MS = 30_000; // on a machine that does much else
const KEYS = { ADMIN_KEY, MASTER_KEY: "m".repeat(32), WEBHOOK_SECRET: "w".repeat(32) };
const AS_ADMIN = { authorization: `Bearer ${KEYS.ADMIN_KEY}` };

const redis = await RedisUnderTest.start();
let prefixes = 0;

/** Servers that share what nobody else has. */
async function startTwo(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<[ServerUnderTest, ServerUnderTest]> {
  const shared = { REDIS_URL: `unix://${redis.path}`, REDIS_PREFIX: `two-${++prefixes}:`, ...KEYS, ...settings };
  const servers: ServerUnderTest[] = [];
  t.after(async () => {
    for (const server of servers) await server.dispose();
  });
  for (let n = 0; n < 2; n++) servers.push(await startServer({ MAX_CONTAINERS: "4", ...shared }));
  return servers as [ServerUnderTest, ServerUnderTest];
}

/** How long it takes until `look` gives `wanted`. */
async function until<T>(wanted: T, look: () => Promise<T>): Promise<number> {
  const startedAtMs = performance.now();
  for (;;) {
    const found = await look();
    if (found === wanted) return performance.now() - startedAtMs;
    if (performance.now() - startedAtMs > LIMIT_MS) assert.equal(found, wanted);
    await delay(2);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function statusOf(server: ServerUnderTest, path: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(server.url + path, { headers: AS_ADMIN, ...init });
  await response.arrayBuffer();
  return response.status;
}

async function resultOf(server: ServerUnderTest, name: string): Promise<unknown> {
  const answer = await server.run(name); // a plain 404 until it has heard of the function
  return (answer.json as { readonly data?: unknown } | undefined)?.data;
}

async function change(server: ServerUnderTest, method: string, path: string, body?: unknown): Promise<Response> {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...AS_ADMIN, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response;
}

suite("two servers on one Redis", () => {
  after(() => redis.dispose());

  test("a deploy, a rollback, a setting and a key's revocation at one are in force at the other within 100 ms", async (t) => {
    const [a, b] = await startTwo(t, { HOST: "0.0.0.0" });
    await beginChanges(a, b);
    let takenMs: Record<string, number[]> = {};
    const isFast = (): boolean => Object.values(takenMs).every((all) => median(all) < 100);

    // Five of each; once more, and a third time, where the machine had other things to do.
    for (let n = 1; n <= 5 || (n <= 15 && !(n % 5 === 1 && isFast())); n++) {
      if (n % 5 === 1) takenMs = {};
      for (const [what, make] of Object.entries(CHANGES)) {
        (takenMs[what] ??= []).push(await inForceAfterMs(await make(a, b, n), LIMIT_MS));
      }
    }

    const medians = Object.entries(takenMs).map(
      ([what, all]) => `${what} ${median(all).toFixed(1)}, at most ${Math.max(...all).toFixed(1)} ms`,
    );
    t.diagnostic(medians.join(", "));
    for (const [what, all] of Object.entries(takenMs)) assert.ok(median(all) < 100, `${what}: ${all.join()} ms`);
  });

  test("settings, variables, aliases and deletion at one are in force at the other", async (t) => {
    const [a, b] = await startTwo(t);
    await a.upload("f", "javascript", 'return process.env.NAME ?? "none"');
    const result = (): Promise<unknown> => resultOf(b, "f");
    await until("none", result);

    await change(a, "PUT", "/api/functions/f/env", { env: { NAME: "one" } });
    await until("one", result);
    await change(a, "PATCH", "/api/functions/f", { disabled: true });
    await until(403, () => statusOf(b, "/run/f", { method: "POST", body: "{}" }));
    await change(a, "PATCH", "/api/functions/f", { disabled: false, name: "g" });
    await until(404, () => statusOf(b, "/run/f", { method: "POST", body: "{}" }));
    assert.equal(await resultOf(b, "g"), "one");
    await change(a, "DELETE", "/api/functions/g");
    await until(404, () => statusOf(b, "/run/g", { method: "POST", body: "{}" }));
  });

  test("a key that one gives opens the other, until it is revoked", async (t) => {
    const [a, b] = await startTwo(t, { HOST: "0.0.0.0" });
    const { id, key } = (await (await change(a, "POST", "/api/keys", { name: "k", scope: "read" })).json()) as {
      readonly id: string;
      readonly key: string;
    };
    const listed = async (): Promise<boolean> =>
      (await (await fetch(`${b.url}/api/keys`, { headers: AS_ADMIN })).text()).includes(id);
    const status = (): Promise<number> =>
      statusOf(b, "/api/functions", { headers: { authorization: `Bearer ${key}` } });

    await until(true, listed);
    assert.equal(await status(), 200);
    await change(a, "DELETE", `/api/keys/${id}`);
    await until(false, listed);
    assert.equal(await status(), 401);
  });

  test("what ran at one is seen at the other, and each knows of both", async (t) => {
    const [a, b] = await startTwo(t);
    await a.upload("f", "javascript", 'console.log("needle"); return 1');
    await until(200, () => statusOf(b, "/run/f", { method: "POST", body: "{}" }));
    await a.run("f");

    const found = async (): Promise<number> => {
      const response = await fetch(`${b.url}/api/executions?text=needle`, { headers: AS_ADMIN });
      return ((await response.json()) as { readonly items: readonly unknown[] }).items.length;
    };
    await until(true, async () => (await found()) >= 2);
    for (const server of [a, b]) {
      const system = (await (await fetch(`${server.url}/api/system`, { headers: AS_ADMIN })).json()) as {
        readonly nodes: readonly { readonly url: string }[];
      };
      assert.deepEqual(system.nodes.map(({ url }) => url).toSorted(), [a.url, b.url].toSorted());
    }
  });

  test("what runs at one is followed at the other, line by line, and ended from there", async (t) => {
    const [a, b] = await startTwo(t);
    const code = "for (let n = 0; ; n++) { console.log('line ' + n); await new Promise((r) => setTimeout(r, 300)); }";
    await a.upload("f", "javascript", code);
    const running = a.run("f");
    running.catch(() => {});
    const id = await runningAt(b);

    const response = await fetch(`${b.url}/api/executions/${id}/logs?follow=1`, { headers: AS_ADMIN });
    let text = "";
    const lines = (): string[] => [...text.matchAll(/"text":"(line \d+)"/g)].map(([, line = ""]) => line);
    let isCancelled = false;
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString("utf8");
      if (lines().length < 5 || isCancelled) continue;
      isCancelled = true; // the lines came while it ran
      await change(b, "DELETE", `/api/executions/${id}`);
    }

    assert.deepEqual(
      lines(),
      Array.from({ length: lines().length }, (_, n) => `line ${n}`),
      "each once, in order",
    );
    assert.match(text, /event: end\ndata: \{"status":"cancelled"/);
    await running;
  });
});

/** The one run that the server knows of. */
async function runningAt(server: ServerUnderTest): Promise<string> {
  const giveUpAtMs = performance.now() + LIMIT_MS;
  for (;;) {
    const response = await fetch(`${server.url}/api/executions?status=running`, { headers: AS_ADMIN });
    const [first] = ((await response.json()) as { readonly items: readonly { readonly id: string }[] }).items;
    if (first !== undefined) return first.id;
    assert.ok(performance.now() < giveUpAtMs, "it is listed at the other one");
    await delay(20);
  }
}
