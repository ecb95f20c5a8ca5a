// As docs/scaling.md says to do it, with time for the load balancer to notice: every server is stopped and started again, one after the other, while requests come: none may fail, and none may be run twice.
import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "./cluster.ts";
import type { Fault, FaultReport } from "./faults.ts";
import { countsOf, deploy } from "./requests.ts";
import { soon } from "./soon.ts";

const CODE = `
  import { kv } from "cloche";
  export default async (request) => {
    const { n, ms } = await request.json();
    await kv.incr("run:" + n);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return Response.json({ n });
  };
`;
const CLIENTS = 4;
const PAUSE_MS = 30;
const LONGEST_RUN_MS = 300;
const REQUEST_TIMEOUT_MS = 30_000;
const BETWEEN_MS = 500;

async function run(times: number, nodes = 3): Promise<FaultReport> {
  const cluster = await Cluster.start({ nodes, store: "redis", settings: { DRAIN_SECONDS: "1" } });
  try {
    await deploy(cluster.url, { name: "served", language: "javascript", code: CODE });
    // The others hear of it some milliseconds later.
    for (const { url } of cluster.nodes) {
      await soon("every server serves it", async () => ((await ask(url, -1)) === undefined ? true : undefined));
    }
    const lost: string[] = [];
    let asked = 0;
    const over = new AbortController();
    async function client(): Promise<void> {
      while (!over.signal.aborted) {
        const n = asked++;
        const fault = await ask(cluster.url, n);
        if (fault !== undefined) lost.push(`request ${n}: ${fault}`);
        await delay(PAUSE_MS);
      }
    }
    const clients = Array.from({ length: CLIENTS }, client);
    const recoveriesMs: number[] = [];
    for (let n = 0; n < times; n++) {
      for (const node of cluster.nodes) {
        const startedAtMs = performance.now();
        await node.stop();
        await cluster.startNode(node);
        recoveriesMs.push(performance.now() - startedAtMs);
        await delay(BETWEEN_MS);
      }
    }
    over.abort();
    await Promise.all(clients);
    const entries = await countsOf(cluster.url, "served", "run:");
    const doubled = entries
      .filter(({ key, value }) => key !== "run:-1" && value > 1)
      .map(({ key, value }) => `${key} was run ${value} times`);
    return { accepted: asked, lost, doubled, recoveriesMs, note: "requests; each server's stop and start" };
  } finally {
    await cluster.dispose();
  }
}

/** What went wrong; undefined: nothing. */
async function ask(url: string, n: number): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/fn/served`, {
      ...{ method: "POST", signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) },
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ n, ms: Math.floor(Math.random() * LONGEST_RUN_MS) }),
    });
    const text = await response.text();
    if (response.status !== 200) return `${response.status} ${text.slice(0, 200)}`;
    return (JSON.parse(text) as { readonly n?: number }).n === n ? undefined : `answered ${text.slice(0, 200)}`;
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
}

export const ROLLING_RESTART: Fault = {
  id: "rolling-restart",
  title: "rolling restart of three servers under load",
  mostTimes: 10,
  run,
};
