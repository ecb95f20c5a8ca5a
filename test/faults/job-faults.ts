// Servers and Redis are killed, stopped and split from each other while jobs come and run.
import { setTimeout as delay } from "node:timers/promises";
import { Cluster, type ClusterOptions, type Node } from "./cluster.ts";
import { type Fault, type FaultReport, ofJobs } from "./faults.ts";
import { JobLoad } from "./job-load.ts";
import { read } from "./requests.ts";
import { randomBelow, soon } from "./soon.ts";

const BETWEEN_MS = 1_500;

/** Does something to a cluster under load, `times` times at random points, and accounts for every job. */
async function underLoad(
  options: ClusterOptions,
  times: number,
  /** Resolves when what was broken is whole again. */
  strike: (cluster: Cluster, load: JobLoad, n: number) => Promise<void>,
): Promise<FaultReport> {
  const cluster = await Cluster.start(options);
  let load: JobLoad | undefined;
  try {
    load = await JobLoad.start(cluster.url);
    const recoveriesMs: number[] = [];
    for (let n = 0; n < times; n++) {
      await load.accepts(10);
      await delay(randomBelow(BETWEEN_MS));
      const startedAtMs = performance.now();
      await strike(cluster, load, n);
      await load.settled(); // all that was accepted before, during and just after it
      recoveriesMs.push(performance.now() - startedAtMs);
    }
    await load.stop();
    await load.settled();
    return ofJobs(await load.ledger(), recoveriesMs);
  } finally {
    load?.abandon();
    await cluster.dispose();
  }
}

/** Resolves at a random point of a run there. */
async function runsSome({ url }: Node): Promise<void> {
  await soon(
    "a job runs there",
    async () => {
      const { jobs } = (await read(url, "/api/system")) as { readonly jobs: { readonly runningHere: number } };
      return jobs.runningHere > 0 || undefined;
    },
    120_000,
    5,
  );
  await delay(randomBelow(100));
}

function several(nodes = 3): ClusterOptions {
  return { nodes, store: "redis" };
}

export const JOB_FAULTS: readonly Fault[] = [
  {
    id: "sqlite-kill",
    title: "kill -9 of the only server (SQLite), start",
    run: (times) =>
      underLoad({ nodes: 1, store: "sqlite" }, times, async (cluster) => {
        await runsSome(cluster.node(0));
        await cluster.node(0).kill();
        await cluster.startNode(cluster.node(0));
      }),
  },
  {
    id: "node-kill",
    title: "kill -9 of one of three servers, start",
    run: (times, nodes) =>
      underLoad(several(nodes), times, async (cluster, _load, n) => {
        await runsSome(cluster.node(n));
        await cluster.node(n).kill();
        await cluster.startNode(cluster.node(n));
      }),
  },
  {
    id: "redis-kill",
    title: "kill -9 of Redis (AOF, always), start",
    run: (times, nodes) =>
      underLoad(several(nodes), times, async (cluster) => {
        await cluster.redis.kill();
        await delay(randomBelow(2_000));
        await cluster.redis.start();
      }),
  },
  {
    id: "redis-kill-everysec",
    title: "kill -9 of Redis (AOF, everysec), start",
    run: (times, nodes) =>
      underLoad({ ...several(nodes), redisArgs: ["--appendfsync", "everysec"] }, times, async (cluster) => {
        await cluster.redis.kill();
        await cluster.redis.start();
      }),
  },
  {
    id: "redis-pause",
    title: "Redis stands still for 10 s",
    mostTimes: 5,
    run: (times, nodes) =>
      underLoad(several(nodes), times, async (cluster) => {
        cluster.redis.freeze();
        await delay(10_000);
        cluster.redis.resume();
      }),
  },
  {
    id: "split",
    title: "split between one server and Redis, 8 s",
    mostTimes: 5,
    run: (times, nodes) =>
      underLoad(several(nodes), times, async (cluster, _load, n) => {
        const { line } = cluster.node(n);
        await runsSome(cluster.node(n));
        line?.silence();
        await delay(8_000); // longer than a lease
        line?.restore();
      }),
  },
  {
    id: "reset",
    title: "connections of one server to Redis are cut, 3 s",
    mostTimes: 10,
    run: (times, nodes) =>
      underLoad(several(nodes), times, async (cluster, _load, n) => {
        const { line } = cluster.node(n);
        await runsSome(cluster.node(n));
        line?.cut();
        await delay(3_000);
        line?.restore();
      }),
  },
];
