// P12: how many jobs a second, on SQLite and on Redis, by one, two and four servers; beside BullMQ alone.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RedisUnderTest } from "../src/store/redis/redis-under-test.fixture.ts";
import { post } from "./client.ts";
import { onStop, outputOf, start, stopChild } from "./processes.ts";
import { type Ours, startOurs } from "./rivals.ts";
import { median } from "./stats.ts";
import { perS, ratio, type Row, type Table } from "./table.ts";

const ROUNDS = 5;
const SERVERS = [1, 2, 4];
/** Of each server, and of each of BullMQ's workers. */
const CONCURRENCY = 8;
const ADDED_AT_ONCE = 32;
const LOOK_MS = 20;
const WARM_UP_JOBS = 50;
const LEAST_GROWTH = 1.8; // P12
/** With fewer cores, two servers that compute have no more of them than one. */
const CORES_FOR_TWO = 6;
const BULLMQ = join(import.meta.dirname, "rivals/bullmq.mjs");

interface Kind {
  readonly what: string;
  readonly code: string;
  readonly eachMs: number;
  /** For each server. */
  readonly jobs: number;
}

const EMPTY: Kind = { what: "empty jobs", code: "export const handler = async () => 1;", eachMs: 0, jobs: 1000 };
const WAITING: Kind = {
  what: "jobs of 50 ms",
  code: "export const handler = () => new Promise((resolve) => setTimeout(resolve, 50));",
  eachMs: 50,
  jobs: 240,
};

/** Jobs a second. */
interface Rate {
  readonly accepted: number;
  readonly done: number;
}

type Measure = () => Promise<Rate>;

export async function jobs(): Promise<Table[]> {
  // As a production Redis has it; with `always` each batch of commands waits for the disk.
  const redis = await RedisUnderTest.start("--appendfsync", "everysec");
  const stopRedis = onStop(() => redis.dispose());
  const tables: Table[] = [];
  for (const kind of [EMPTY, WAITING]) {
    const measures = new Map<string, Measure>([["sqlite 1", () => measureOurs(1, kind)]]);
    for (const servers of SERVERS) {
      measures.set(`redis ${servers}`, () => measureOurs(servers, kind, redis));
      measures.set(`bullmq ${servers}`, () => measureBullmq(servers, kind, redis));
    }
    tables.push(tableOf(kind, await inTurns(measures)));
  }
  await stopRedis();
  return tables;
}

/** Each round in another order, so that what the machine does meanwhile meets all alike; medians. */
async function inTurns(measures: ReadonlyMap<string, Measure>): Promise<(name: string) => Rate> {
  const rates = new Map<string, Rate[]>([...measures.keys()].map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    const names = [...measures.keys()];
    for (const name of [...names.slice(round), ...names.slice(0, round)]) {
      const rate = await measures.get(name)?.();
      if (rate !== undefined) rates.get(name)?.push(rate);
    }
  }
  return (name) => {
    const found = rates.get(name) ?? [];
    return { accepted: median(found.map((rate) => rate.accepted)), done: median(found.map((rate) => rate.done)) };
  };
}

function tableOf(kind: Kind, rateOf: (name: string) => Rate): Table {
  const show = ({ accepted, done }: Rate): string => `accepted ${perS(accepted)}, done ${perS(done)}`;
  const one = rateOf("redis 1").done;
  const oneOfBullmq = rateOf("bullmq 1").done;
  const rows = SERVERS.map((servers): Row => {
    const ours = rateOf(`redis ${servers}`);
    const rival = rateOf(`bullmq ${servers}`);
    const growth = ours.done / one;
    const row = {
      what: `${servers} on Redis`,
      ours: `${show(ours)} (${ratio(growth)})`,
      rivals: `BullMQ, ${servers} of its workers: ${show(rival)} (${ratio(rival.done / oneOfBullmq)})`,
    };
    const isJudged = servers === 2 && (kind.eachMs > 0 || availableParallelism() >= CORES_FOR_TWO);
    return isJudged ? { ...row, target: `≥ ×${LEAST_GROWTH}`, ok: growth >= LEAST_GROWTH } : row;
  });
  return {
    title: `Async ${kind.what}, ${CONCURRENCY} at once on each server (P12): jobs a second`,
    rows: [{ what: "1 on SQLite", ours: show(rateOf("sqlite 1")) }, ...rows],
  };
}

let prefixes = 0;

/** From the first call to the last 202, and to the end of the last job. */
async function measureOurs(count: number, kind: Kind, redis?: RedisUnderTest): Promise<Rate> {
  const shared: Record<string, string> =
    redis === undefined
      ? {}
      : {
          ...{ REDIS_URL: `unix://${redis.path}`, REDIS_PREFIX: `bench-${++prefixes}:`, MASTER_KEY: "m".repeat(32) },
        };
  const limits = {
    MAX_CONTAINERS: String(2 * CONCURRENCY),
    JOBS_CONCURRENCY: String(CONCURRENCY),
    KEEP_JOBS: "1000000",
  };
  const servers = await Promise.all(
    Array.from({ length: count }, () => startOurs(undefined, { ...shared, ...limits })),
  );
  const [first] = servers;
  if (first === undefined) throw new Error("no server");
  const created = await post(`${first.url}/api/functions`, { name: "work", language: "javascript", code: kind.code });
  if (created.status !== 201) throw new Error(`the function was not made: ${created.text}`);
  for (const server of servers) await known(server);
  await addAll(servers, WARM_UP_JOBS * count);
  await completed(first, WARM_UP_JOBS * count);

  const jobCount = kind.jobs * count;
  const startedMs = performance.now();
  await addAll(servers, jobCount);
  const acceptedMs = performance.now() - startedMs;
  await completed(first, WARM_UP_JOBS * count + jobCount);
  const doneMs = performance.now() - startedMs;
  await Promise.all(servers.map((server) => server.stop()));
  return { accepted: (jobCount / acceptedMs) * 1000, done: (jobCount / doneMs) * 1000 };
}

/** A deploy is in force at the other servers some milliseconds later. */
async function known({ url }: Ours): Promise<void> {
  for (;;) {
    if ((await post(`${url}/run/work`, {})).status !== 404) return;
    await delay(LOOK_MS);
  }
}

async function addAll(servers: readonly Ours[], count: number): Promise<void> {
  let added = 0;
  await Promise.all(
    Array.from({ length: ADDED_AT_ONCE }, async () => {
      while (added < count) {
        const server = servers[added++ % servers.length];
        const url = `${server?.url ?? ""}/api/functions/work/invocations`;
        const { status, text } = await post(url, { input: {} }, { Prefer: "respond-async" });
        if (status !== 202) throw new Error(`a job was not accepted: ${status} ${text}`);
      }
    }),
  );
}

async function completed({ url, server }: Ours, count: number): Promise<void> {
  for (;;) {
    const { jobs: counts } = (await (await fetch(`${url}/api/system`)).json()) as {
      readonly jobs: Readonly<Record<"queued" | "running" | "completed" | "dead", number>>;
    };
    if (counts.dead > 0) throw new Error(`${counts.dead} jobs are dead: ${server.stderr}`);
    if (counts.completed >= count) return;
    await delay(LOOK_MS);
  }
}

async function measureBullmq(count: number, kind: Kind, redis: RedisUnderTest): Promise<Rate> {
  const prefix = `rival-${++prefixes}`;
  const workers = await Promise.all(
    Array.from({ length: count }, async () => {
      const args = [BULLMQ, "work", redis.path, prefix, String(CONCURRENCY), String(kind.eachMs)];
      const worker = start(process.execPath, args);
      await new Promise((resolve, reject) => {
        worker.stdout?.once("data", resolve);
        worker.once("close", () => reject(new Error("BullMQ's worker ended at start")));
      });
      return worker;
    }),
  );
  const add = async (jobCount: number): Promise<{ acceptedMs: number; doneMs: number }> => {
    const args = [BULLMQ, "add", redis.path, prefix, String(jobCount), String(ADDED_AT_ONCE)];
    return JSON.parse(await outputOf(process.execPath, args)) as { acceptedMs: number; doneMs: number };
  };
  await add(WARM_UP_JOBS * count);
  const jobCount = kind.jobs * count;
  const { acceptedMs, doneMs } = await add(jobCount);
  await Promise.all(workers.map(stopChild));
  return { accepted: (jobCount / acceptedMs) * 1000, done: (jobCount / doneMs) * 1000 };
}
