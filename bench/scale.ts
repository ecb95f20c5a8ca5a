// P8: what do many deployed functions cost: the start, the memory, a warm call?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DEFAULT_SETTINGS } from "../src/core/function.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { postOk } from "./client.ts";
import { memoryOf, onStop } from "./processes.ts";
import { startOurs } from "./rivals.ts";
import { median } from "./stats.ts";
import { mib, ms, type Row, type Table } from "./table.ts";

const SIZES = [0, 1_000, 10_000];
const CALLS = 2_000;
const ROUNDS = 5;
const SETTLE_MS = 6000; // src/core/settle-heap.ts looks every two seconds
const MOST_START_MS = 2000; // P8, as the two below
const MOST_MORE_BYTES = 20 * 1024 * 1024;
const MOST_SLOWER = 1.1;

interface Measured {
  readonly readyMs: number;
  readonly memoryBytes: number;
  readonly p50Ms: number;
}

export async function scale(): Promise<Table[]> {
  const measured: Measured[] = [];
  for (const size of SIZES) measured.push(await measure(size));
  const [none] = measured;
  const rows = measured.map(({ readyMs, memoryBytes, p50Ms }, index): Row => {
    const more = memoryBytes - (none?.memoryBytes ?? 0);
    const slower = p50Ms / (none?.p50Ms ?? NaN);
    const what = `${SIZES[index]} functions`;
    const ours = `ready in ${ms(readyMs)}, gateway ${mib(memoryBytes)} (+ ${mib(more)}), warm p50 ${p50Ms.toFixed(3)} ms (×${slower.toFixed(2)})`;
    if (index < SIZES.length - 1) return { what, ours };
    const target = `≤ ${ms(MOST_START_MS)}, + ≤ ${mib(MOST_MORE_BYTES)}, ≤ ×${MOST_SLOWER}`;
    const ok = readyMs <= MOST_START_MS && more <= MOST_MORE_BYTES && slower <= MOST_SLOWER;
    return { what, ours, target, ok };
  });
  return [{ title: "Many functions (P8): start, memory, and a warm call of one of them", rows }];
}

async function measure(size: number): Promise<Measured> {
  const dataDir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  const remove = onStop(async () => rmSync(dataDir, { recursive: true, force: true }));
  await fill(join(dataDir, "cloche.db"), size);
  await (await startOurs(dataDir)).stop(); // the first start of a data folder makes what later ones find
  const startedMs = performance.now();
  const ours = await startOurs(dataDir);
  const readyMs = performance.now() - startedMs;
  await ours.server.upload("called", "javascript", "return {hello: event.name}");
  const p50s: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const tookMs: number[] = [];
    for (let call = 0; call < CALLS / ROUNDS; call++) tookMs.push((await postOk(`${ours.url}/run/called`, {})).ms);
    p50s.push(median(tookMs));
  }
  await delay(SETTLE_MS);
  const memoryBytes = memoryOf(ours.pid).rssBytes;
  await ours.stop();
  await remove();
  return { readyMs, memoryBytes, p50Ms: median(p50s) };
}

async function fill(file: string, size: number): Promise<void> {
  const store = await openSqliteStore({ file, keepExecutions: 0 });
  const nowMs = Date.now();
  for (let index = 0; index < size; index++) {
    const functionName = `team-${index % 100}/function-${index}`;
    await store.createFunction({ name: functionName, settings: DEFAULT_SETTINGS, nowMs });
    await store.addVersion({ functionName, language: "javascript", source: `return ${index}`, nowMs });
  }
  await store.close();
}
