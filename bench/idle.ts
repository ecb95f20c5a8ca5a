// P7: what does a server cost that does nothing, and how soon is it ready?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SystemReport } from "../test/server-under-test.ts";
import { postOk } from "./client.ts";
import { INPUT, LANGUAGES, newHello } from "./languages.ts";
import { childrenOf, type Memory, jointRssBytes, memoryOf, onStop } from "./processes.ts";
import { type Ours, startNodeRival, startOurs } from "./rivals.ts";
import { median } from "./stats.ts";
import { mib, ms, type Row, type Table } from "./table.ts";

const STARTS = 5;
const SETTLE_MS = 6000; // src/core/settle-heap.ts looks every two seconds
const MIB = 1_048_576;
const MOST_READY_MS = 1000; // P7, as the two below
const MOST_SERVER_BYTES = 120e6;
const MOST_WORKER_BYTES: Readonly<Record<string, number>> = { node: 10 * MIB, python: 5 * MIB, lua: MIB };

export async function idle(): Promise<Table[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  const remove = onStop(async () => rmSync(dataDir, { recursive: true, force: true }));
  const { readyMs: firstMs } = await startAndStop(dataDir);
  const later: Start[] = [];
  for (let start = 0; start < STARTS; start++) later.push(await startAndStop(dataDir));
  const readyMs = median(later.map((start) => start.readyMs));
  const ours = await startOurs(dataDir);
  const bare = await startNodeRival("bare-http.mjs");
  await delay(SETTLE_MS);
  const fresh = memoryRows(ours, "at rest after the start", true);
  const workers = workerRows(later.map(({ system }) => system));
  for (const language of LANGUAGES) {
    for (let call = 0; call < 20; call++) {
      await postOk(`${ours.url}/run-now`, { language, code: newHello(language), input: INPUT });
    }
  }
  await delay(SETTLE_MS);
  const used = memoryRows(ours, "at rest after 80 ad-hoc runs", false);
  const bareMemory = memoryOf(bare.pid);
  await bare.stop();
  await ours.stop();
  await remove();
  const rows: Row[] = [
    { what: "first start to ready", ours: ms(firstMs) },
    {
      what: `later start to ready, median of ${STARTS}`,
      ours: ms(readyMs),
      target: `≤ ${ms(MOST_READY_MS)}`,
      ok: readyMs <= MOST_READY_MS,
    },
    ...fresh,
    ...used,
    { what: "bare node:http, RSS / PSS", ours: "", limit: show(bareMemory) },
    ...workers,
  ];
  return [{ title: "An idle server (P7)", rows }];
}

interface Start {
  /** From starting the process until it says that it listens, its sandboxes booted. */
  readonly readyMs: number;
  /** When all has come to rest. */
  readonly system: SystemReport;
}

async function startAndStop(dataDir: string): Promise<Start> {
  const startedMs = performance.now();
  const ours = await startOurs(dataDir);
  const readyMs = performance.now() - startedMs;
  await delay(SETTLE_MS);
  const system = await ours.server.system();
  await ours.stop();
  return { readyMs, system };
}

/** Each process of the server; not the sandboxes, which are the nursery's children. */
function memoryRows({ pid }: Ours, when: string, judged: boolean): Row[] {
  const processes = [
    { pid, name: "gateway" },
    ...childrenOf(pid).map((child) => ({ pid: child.pid, name: nameOf(child.command) })),
  ].map((entry) => ({ pid: entry.pid, name: entry.name, memory: memoryOf(entry.pid) }));
  const rssBytes = processes.reduce((sum, { memory }) => sum + memory.rssBytes, 0);
  const pssBytes = processes.reduce((sum, { memory }) => sum + memory.pssBytes, 0);
  const jointBytes = jointRssBytes(processes.map((entry) => entry.pid));
  return [
    {
      what: `server without sandboxes, RSS with shared pages once, ${when}`,
      ours: mib(jointBytes),
      ...(judged ? { target: `≤ ${mib(MOST_SERVER_BYTES)} (120 MB)`, ok: jointBytes <= MOST_SERVER_BYTES } : {}),
    },
    { what: "  sum over its processes, RSS / PSS", ours: show({ rssBytes, pssBytes }) },
    ...processes.map((entry) => ({ what: `  ${entry.name}`, ours: show(entry.memory) })),
  ];
}

function nameOf(command: string): string {
  return ["nursery", "esbuild"].find((name) => command.includes(name)) ?? command.slice(0, 40);
}

function show({ rssBytes, pssBytes }: Memory): string {
  return `${mib(rssBytes)} / ${mib(pssBytes)}`;
}

/** Medians of all starts: the kernel charges pages to a cgroup by the dozen, ahead of their use. */
function workerRows(systems: readonly SystemReport[]): Row[] {
  return Object.entries(MOST_WORKER_BYTES).map(([base, mostBytes]) => {
    const bytes = systems
      .flatMap(({ pool }) => pool.workers)
      .filter((worker) => worker.base === base && worker.state === "idle")
      .flatMap((worker) => worker.memoryBytes ?? []);
    const each = median(bytes);
    return {
      what: `an idle ${base} worker, by its cgroup`,
      ours: bytes.length === 0 ? "not counted here" : `${mib(each)} (of ${bytes.length})`,
      target: `≤ ${mib(mostBytes)}`,
      ok: each <= mostBytes,
    };
  });
}
