// A function that is due every second, while the servers are killed one after the other: each second has one run.
import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "./cluster.ts";
import type { Fault, FaultReport } from "./faults.ts";
import { deploy, countsOf, read, readAll } from "./requests.ts";
import { randomBelow, soon } from "./soon.ts";

const PERIOD_MS = 1_000;
const BETWEEN_MS = 3_000;
const RUN_MS = 200;
const CODE = `
  import { kv } from "cloche";
  export const handler = async ({ scheduledAt }) => {
    await kv.incr("run:" + Date.parse(scheduledAt));
    await new Promise((resolve) => setTimeout(resolve, ${RUN_MS}));
  };
`;

interface FireJob {
  readonly id: string;
  readonly status: string;
  readonly error?: string;
}

async function run(nodes: number, times: number): Promise<FaultReport> {
  const cluster = await Cluster.start({ nodes, store: nodes === 1 ? "sqlite" : "redis" });
  try {
    const schedule = { cron: "@every 1s", overlap: "allow", missed: "all" };
    const retry = { attempts: 10, backoffMs: 200, maxBackoffMs: 1_000 };
    await deploy(cluster.url, { name: "ticks", language: "javascript", code: CODE, schedule, retry });
    const recoveriesMs: number[] = [];
    for (let n = 0; n < times; n++) {
      await delay(500 + randomBelow(BETWEEN_MS));
      await delay(PERIOD_MS - (Date.now() % PERIOD_MS) + randomBelow(2 * RUN_MS)); // while one fires, or has just fired
      const startedAtMs = performance.now();
      await cluster.node(n).kill();
      await cluster.startNode(cluster.node(n));
      const now = Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS;
      await hasRun(cluster.url, now); // and all before it, see below
      recoveriesMs.push(performance.now() - startedAtMs);
    }
    const endMs = Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS;
    await hasRun(cluster.url, endMs);
    return await account(cluster.url, endMs, recoveriesMs);
  } finally {
    await cluster.dispose();
  }
}

/** Resolves when no fire up to that time waits or runs any more. */
async function hasRun(url: string, upToMs: number): Promise<void> {
  await soon(
    `the fires up to ${new Date(upToMs).toISOString()} are over`,
    async () => {
      const jobs = await fires(url);
      const waiting = jobs.filter(({ id, status }) => timeOf(id) <= upToMs && status !== "completed");
      return jobs.some(({ id }) => timeOf(id) > upToMs) && waiting.length === 0 ? true : undefined;
    },
    120_000,
    250,
  );
}

async function account(url: string, endMs: number, recoveriesMs: readonly number[]): Promise<FaultReport> {
  const jobs = new Map((await fires(url)).map((job) => [timeOf(job.id), job]));
  const runs = new Map((await countsOf(url, "ticks", "run:")).map(({ key, value }) => [key, value]));
  const lost: string[] = [];
  const doubled: string[] = [];
  let repeated = 0;
  const firstMs = Math.min(...jobs.keys());
  for (let atMs = firstMs; atMs <= endMs; atMs += PERIOD_MS) {
    const job = jobs.get(atMs);
    if (job?.status !== "completed") {
      lost.push(`the fire at ${new Date(atMs).toISOString()}: ${job?.status ?? "missing"} ${job?.error ?? ""}`);
      continue;
    }
    const { history } = (await read(url, `/api/jobs/${job.id}`)) as unknown as { readonly history: readonly unknown[] };
    const ran = runs.get(`run:${atMs}`) ?? 0;
    if (ran > history.length) doubled.push(`${job.id} ran ${ran} times and shows ${history.length}`);
    if (history.length > 1) repeated++;
  }
  const accepted = (endMs - firstMs) / PERIOD_MS + 1;
  return { accepted, lost, doubled, recoveriesMs, note: `fires, one a second; ${repeated} ran again` };
}

async function fires(url: string): Promise<FireJob[]> {
  return await readAll<FireJob>(url, "/api/jobs?function=ticks&kind=cron");
}

function timeOf(id: string): number {
  return Number(id.split(":")[2]);
}

export const SCHEDULE_FAULTS: readonly Fault[] = [
  { id: "schedules", title: "kill -9 of one of three servers, schedules", run: (times) => run(3, times) },
  { id: "schedules-sqlite", title: "kill -9 of the only server, schedules", run: (times) => run(1, times) },
];
