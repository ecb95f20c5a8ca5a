// What a function, an execution, a job and a server cost in Redis, and a function in each server: the figures of docs/scaling.md.
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemClock } from "../src/core/clock.ts";
import type { Execution } from "../src/core/execution.ts";
import { DEFAULT_SETTINGS } from "../src/core/function.ts";
import { newId } from "../src/core/id.ts";
import type { NewJob } from "../src/queue/queue.ts";
import { openBullmqQueue } from "../src/queue/bullmq/bullmq-queue.ts";
import { RedisUnderTest } from "../src/store/redis/redis-under-test.fixture.ts";
import { openRedisStore } from "../src/store/redis/redis-store.ts";
import { Catalog } from "../src/services/catalog.ts";
import { post, postOk } from "./client.ts";
import { memoryOf, onStop } from "./processes.ts";
import { startOurs } from "./rivals.ts";
import { type Row, type Table, us } from "./table.ts";

const FUNCTIONS = 10_000;
const EXECUTIONS = 20_000;
const JOBS = 5_000;
const CATALOGS = 5;
const AT_ONCE = 100;
const CALLS = 500;
const IDLE_MS = 10_000;
const SETTLE_MS = 3_000;
const CALLED = Array.from({ length: 100 }, newId);
const SOURCE = "export default (request) => new Response('a line of code, of which there are not many');";

export async function bytes(): Promise<Table[]> {
  const redis = await RedisUnderTest.start("--appendfsync", "no");
  const stopRedis = onStop(() => redis.dispose());
  const empty = await serverOn(redis);
  const ofFunctions = await growth(redis, "a function with one short version", FUNCTIONS, () => addFunctions(redis));
  const catalog = await loadCatalog(redis);
  const full = await serverOn(redis);
  const rows = [
    ofFunctions,
    await growth(redis, "an execution with one line of log", EXECUTIONS, () => addExecutions(redis)),
    await growth(redis, "a job that waits, its input 20 bytes", JOBS, () => addJobs(redis)),
  ];
  await stopRedis();
  return [
    { title: "Memory of Redis", rows },
    {
      title: `A server on a Redis with ${FUNCTIONS} functions, and one on an empty one`,
      rows: [
        { what: "a function in the catalog, its heap", ours: each(catalog.heapBytes) },
        { what: "  resident, with what loading left", ours: each((full.rssBytes - empty.rssBytes) / FUNCTIONS) },
        { what: "a function, loaded at the start", ours: us(catalog.loadUs) },
        ...empty.commands,
      ],
    },
  ];
}

function each(bytesEach: number): string {
  return `${Math.round(bytesEach)} bytes`;
}

async function growth(redis: RedisUnderTest, what: string, count: number, add: () => Promise<void>): Promise<Row> {
  const before = await infoOf(redis, "memory", "used_memory");
  await add();
  return { what, ours: each(((await infoOf(redis, "memory", "used_memory")) - before) / count) };
}

async function infoOf(redis: RedisUnderTest, section: string, name: string): Promise<number> {
  const text = String(await redis.tell("INFO", section));
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(text)?.[1]);
}

async function addFunctions(redis: RedisUnderTest): Promise<void> {
  const { store } = await openRedisStore({ settings: redis.settings(), keepExecutions: 1_000_000 });
  const nowMs = Date.now();
  await manyAtOnce(FUNCTIONS, async (index) => {
    const functionName = `team-${index % 100}/function-${index}`;
    await store.createFunction({ name: functionName, settings: DEFAULT_SETTINGS, nowMs });
    await store.addVersion({ functionName, language: "javascript", source: `${SOURCE} // ${index}`, nowMs });
  });
  await store.close();
}

async function addExecutions(redis: RedisUnderTest): Promise<void> {
  const { store } = await openRedisStore({ settings: redis.settings(), keepExecutions: 1_000_000 });
  for (let at = 0; at < EXECUTIONS; at += AT_ONCE) {
    await store.appendExecutions(Array.from({ length: AT_ONCE }, (_, index) => execution(at + index)));
  }
  await store.close();
}

async function addJobs(redis: RedisUnderTest): Promise<void> {
  const keep = { count: 1_000, ageMs: 3_600_000 };
  const queue = await openBullmqQueue({
    ...{ settings: redis.settings(), keep: { completed: keep, dead: keep }, clock: systemClock, log: () => {} },
  });
  const functionId = newId();
  await manyAtOnce(JOBS, async () => {
    const job: NewJob = {
      ...{ id: newId(), kind: "invocation", functionId, limitedBy: functionId, priority: 0, attempts: 3 },
      ...{ payload: JSON.stringify({ input: { kind: "value", json: '{"order":123456789}' } }), runAtMs: Date.now() },
    };
    await queue.enqueue(job);
  });
  await queue.close();
}

async function manyAtOnce(count: number, add: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await add(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** For each function, in a process that does nothing else. */
async function loadCatalog(redis: RedisUnderTest): Promise<{ readonly heapBytes: number; readonly loadUs: number }> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const { store } = await openRedisStore({ settings: redis.settings(), keepExecutions: 1_000_000 });
  // Nothing but names and settings is read, so what prepares code is never asked.
  const unused = {} as never;
  const load = async (): Promise<Catalog> =>
    await Catalog.open({ store, programs: unused, variables: unused, egress: unused, onStale: () => {} });
  // All are held to the end, and the first is not counted: it also brings what every one needs.
  const catalogs = [await load()];
  const beforeBytes = await settledHeap(collect);
  const startedMs = performance.now();
  for (let more = 0; more < CATALOGS; more++) catalogs.push(await load());
  const loadUs = ((performance.now() - startedMs) * 1000) / (CATALOGS * FUNCTIONS);
  const heapBytes = ((await settledHeap(collect)) - beforeBytes) / (CATALOGS * FUNCTIONS);
  for (const { size } of catalogs) if (size !== FUNCTIONS) throw new Error(`${size} functions were loaded`);
  await store.close();
  return { heapBytes, loadUs };
}

async function settledHeap(collect: () => void): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await delay(SETTLE_MS / 3);
    collect();
  }
  return process.memoryUsage().heapUsed;
}

interface Server {
  readonly rssBytes: number;
  /** What it asks of Redis. */
  readonly commands: readonly Row[];
}

/** Leaves Redis empty. */
async function serverOn(redis: RedisUnderTest): Promise<Server> {
  const settings = { REDIS_URL: `unix://${redis.path}`, MASTER_KEY: "m".repeat(32), JOBS_CONCURRENCY: "1" };
  const clientsBefore = await infoOf(redis, "clients", "connected_clients");
  const server = await startOurs(undefined, settings);
  const { url, pid } = server;
  await delay(SETTLE_MS);
  const { rssBytes } = memoryOf(pid);
  const connections = (await infoOf(redis, "clients", "connected_clients")) - clientsBefore;
  const commands: Row[] = [{ what: "connections to Redis", ours: String(connections) }];
  const count = async (what: string, times: number, work: () => Promise<unknown>): Promise<void> => {
    const before = await infoOf(redis, "stats", "total_commands_processed");
    await work();
    const used = (await infoOf(redis, "stats", "total_commands_processed")) - before;
    commands.push({ what: `commands, those within scripts included: ${what}`, ours: (used / times).toFixed(2) });
  };
  await count("a second of a server that does nothing", IDLE_MS / 1000, () => delay(IDLE_MS));
  await post(`${url}/api/functions`, { name: "called", language: "javascript", code: SOURCE });
  await postOk(`${url}/fn/called`, {});
  await count("a warm call", CALLS, async () => {
    for (let call = 0; call < CALLS; call++) await postOk(`${url}/fn/called`, {});
    await delay(SETTLE_MS); // until its records are written
  });
  await count("a deploy", 100, async () => {
    for (let call = 0; call < 100; call++)
      await post(`${url}/api/functions/called/versions`, { code: `${SOURCE} // ${call}` });
  });
  await count("a job", CALLS, async () => {
    for (let call = 0; call < CALLS; call++)
      await post(`${url}/api/functions/called/invocations`, { input: {} }, { Prefer: "respond-async" });
    await delay(SETTLE_MS);
  });
  await server.stop();
  await redis.tell("FLUSHALL");
  return { rssBytes, commands };
}

function execution(index: number): Execution {
  const atMs = Date.now();
  return {
    ...{
      id: newId(),
      trigger: "http",
      functionId: CALLED[index % CALLED.length],
      functionName: `team-1/function-${index % 100}`,
      version: 1,
    },
    ...{ language: "javascript", status: "success", error: undefined, errorLine: undefined, errorTip: undefined },
    ...{
      queuedAtMs: atMs,
      waitMs: 0.1,
      runMs: 1.5,
      cpuMs: 1,
      peakMemoryBytes: undefined,
      coldStart: false,
      event: undefined,
      response: undefined,
    },
    ...{ httpStatus: 200, logsTruncated: false },
    logs: [{ stream: "stdout", level: "info", atMs, text: "one line of what it does" }],
  };
}
