// P10: what does the record of an execution cost the server, and how does reading it grow with the table?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Execution } from "../src/core/execution.ts";
import { newId } from "../src/core/id.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { type Target, load } from "./load.ts";
import { cpuUsOfTree, onStop } from "./processes.ts";
import { startOurs } from "./rivals.ts";
import { median } from "./stats.ts";
import { ms, type Row, type Table, us } from "./table.ts";

const LOG_LINES = 10;
const MOST_RECORD_US = 30; // P10
const ROUNDS = 5;
const SIZES = [1_000, 100_000, 1_000_000];
const BATCH = 5_000;
const MOST_LIST_MS = 50;
const FUNCTIONS = 100;

export async function history(): Promise<Table[]> {
  const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  const remove = onStop(async () => rmSync(dir, { recursive: true, force: true }));
  const record = await recordRows(dir);
  const lists = await listRows(dir);
  await remove();
  return [
    { title: `One execution with ${LOG_LINES} log lines, stored (P10)`, rows: record },
    { title: "Lists of executions, p50 by rows in the table", rows: lists },
  ];
}

/** CPU of the process that stores them, both threads of it, without any call. */
async function recordRows(dir: string): Promise<Row[]> {
  const store = await openSqliteStore({ file: join(dir, "record.db"), keepExecutions: 100_000 });
  const rows: Row[] = [];
  for (const lines of [0, LOG_LINES, 100]) {
    const tookUs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const batch = Array.from({ length: BATCH }, (_, index) => execution(index, lines));
      const before = process.cpuUsage();
      for (let at = 0; at < batch.length; at += 500) await store.appendExecutions(batch.slice(at, at + 500));
      const { user, system } = process.cpuUsage(before);
      tookUs.push((user + system) / BATCH);
    }
    const eachUs = median(tookUs);
    rows.push({
      what: `${lines} lines`,
      ours: `${us(eachUs)} of CPU`,
      ...(lines === LOG_LINES ? { target: `≤ ${us(MOST_RECORD_US)}`, ok: eachUs <= MOST_RECORD_US } : {}),
    });
  }
  await store.close();
  return [...rows, await callRow()];
}

/** The same within a server: the CPU of a call that prints, less that of one that does not. */
async function callRow(): Promise<Row> {
  const ours = await startOurs();
  const cost = async (path: string, code: string): Promise<number> => {
    await ours.server.upload(path, "javascript", code);
    const target: Target = { name: path, url: `${ours.url}/run/${path}`, body: "{}", pid: ours.pid };
    await load(target, 8, 1);
    const before = cpuUsOfTree(ours.pid);
    const { requestsPerS } = await load(target, 8, 2);
    return (cpuUsOfTree(ours.pid) - before) / (requestsPerS * 2);
  };
  const plainUs = await cost("plain", "return 1");
  const text = "x".repeat(40);
  const printingUs = await cost("printing", `for (let i = 0; i < ${LOG_LINES}; i++) console.log("${text}");\nreturn 1`);
  await ours.stop();
  return {
    what: "a whole call, sandbox included: with the lines less without",
    ours: `${us(printingUs)} - ${us(plainUs)} = ${us(printingUs - plainUs)}`,
  };
}

async function listRows(dir: string): Promise<Row[]> {
  const store = await openSqliteStore({ file: join(dir, "lists.db"), keepExecutions: 10_000_000 });
  const rows: Row[] = [];
  let stored = 0;
  for (const size of SIZES) {
    for (; stored < size; stored += BATCH) {
      const count = Math.min(BATCH, size - stored);
      await store.appendExecutions(Array.from({ length: count }, (_, index) => execution(stored + index, 1)));
    }
    const timed = async (query: Partial<Parameters<typeof store.listExecutions>[0]>): Promise<number> => {
      const tookMs: number[] = [];
      for (let round = 0; round < ROUNDS * 2; round++) {
        const startedMs = performance.now();
        await store.listExecutions({ limit: 50, ...query });
        tookMs.push(performance.now() - startedMs);
      }
      return median(tookMs);
    };
    const queries = {
      all: await timed({}),
      function: await timed({ functionName: "function-7" }),
      "function and errors": await timed({ functionName: "function-7", status: "error" }),
      timeouts: await timed({ status: "timeout" }),
      time: await timed({ fromMs: 1_700_000_000_000, toMs: 1_700_000_000_000 + 1000 }),
      text: await timed({ text: "needle" }),
    };
    const slowestMs = Math.max(...Object.values(queries));
    rows.push({
      what: `${size} executions`,
      ours: Object.entries(queries)
        .map(([name, tookMs]) => `${name} ${ms(tookMs)}`)
        .join(", "),
      ...(size === SIZES.at(-1) ? { target: `each ≤ ${ms(MOST_LIST_MS)}`, ok: slowestMs <= MOST_LIST_MS } : {}),
    });
  }
  await store.close();
  return rows;
}

function execution(index: number, lines: number): Execution {
  const failed = index % 50 === 0;
  const atMs = 1_700_000_000_000 + index;
  return {
    ...{
      id: newId(),
      trigger: "http",
      functionId: undefined,
      functionName: `function-${index % FUNCTIONS}`,
      version: 1,
    },
    ...{ language: "javascript", status: failed ? (index % 5000 === 0 ? "timeout" : "error") : "success" },
    ...{ error: failed ? "TypeError: it broke" : undefined, errorLine: undefined, errorTip: undefined },
    ...{ queuedAtMs: atMs, waitMs: 0.1, runMs: 1.5, cpuMs: 1.2, peakMemoryBytes: 45e6, coldStart: false },
    ...{ event: undefined, response: undefined },
    ...{ httpStatus: failed ? 500 : 200, logsTruncated: false },
    logs: Array.from({ length: lines }, (_, line) => ({
      ...({ stream: "stdout", level: "info", atMs } as const),
      text: index % 10_000 === 0 ? "a needle in it" : `line ${line} of a call that says what it does`,
    })),
  };
}
