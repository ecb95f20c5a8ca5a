// P11: how soon is a printed line at the client, and what does a long body cost?
import { request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { sendThrough } from "../test/send-through.ts";
import { postOk } from "./client.ts";
import { memoryOf } from "./processes.ts";
import { type Ours, startNodeRival, startOurs } from "./rivals.ts";
import { median, percentile } from "./stats.ts";
import { mib, ms, type Row, type Table } from "./table.ts";

const MIB = 1024 * 1024;
const LINES = 60;
const MOST_FIRST_BYTE_MS = 2; // P11
const SIZES_MIB = [1, 10, 100];
const PASSES = 3;
const MOST_GROWTH_BYTES = 64 * MIB;

export async function streams(): Promise<Table[]> {
  const ours = await startOurs();
  const bare = await startNodeRival("bare-http.mjs");
  const logs = [await lineRow(ours, "javascript"), await lineRow(ours, "python")];
  const code = "export default (request) => new Response(request.body)";
  await ours.server.upload("through", "javascript", code);
  const bodies: Row[] = [];
  for (const sizeMib of SIZES_MIB) bodies.push(await bodyRow(ours, sizeMib));
  await bare.stop();
  await ours.stop();
  return [
    { title: "A printed line at the client (P11), p50 / p99", rows: logs },
    { title: "A body through a function and back (P11)", rows: bodies },
  ];
}

/** The code prints the time; both clocks are the machine's. */
async function lineRow(ours: Ours, language: "javascript" | "python"): Promise<Row> {
  const code = {
    javascript: `for (let i = 0; i < ${LINES}; i++) { console.log(performance.timeOrigin + performance.now()); await new Promise((r) => setTimeout(r, 10)); }\nreturn 1;`,
    python: `import time\nfor i in range(${LINES}):\n    print(time.time() * 1000, flush=True)\n    time.sleep(0.01)\nreturn 1`,
  }[language];
  await postOk(`${ours.url}/upload`, { path: `lines-${language}`, language, code });
  const outgoing = request(`${ours.url}/run/lines-${language}`, { method: "POST" });
  outgoing.end('{"stream":true}');
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const lateMs: number[] = [];
  for await (const chunk of response) {
    const nowMs = performance.timeOrigin + performance.now();
    for (const [, printed] of String(chunk).matchAll(/"log","data":"([\d.]+)"/g)) lateMs.push(nowMs - Number(printed));
  }
  const p50Ms = median(lateMs);
  return {
    what: language,
    ours: `${ms(p50Ms)} / ${ms(percentile(lateMs, 0.99))} (of ${lateMs.length})`,
    target: `p50 ≤ ${ms(MOST_FIRST_BYTE_MS)}`,
    ok: p50Ms <= MOST_FIRST_BYTE_MS,
  };
}

async function bodyRow(ours: Ours, sizeMib: number): Promise<Row> {
  const tookMs: number[] = [];
  const memoryBytes: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const startedMs = performance.now();
    const received = await sendThrough(`${ours.url}/fn/through`, sizeMib * MIB);
    if (received !== sizeMib * MIB) throw new Error(`${received} bytes came back, ${sizeMib} MiB were sent`);
    tookMs.push(performance.now() - startedMs);
    memoryBytes.push(memoryOf(ours.pid).rssBytes);
  }
  const growthBytes = (memoryBytes.at(-1) ?? 0) - (memoryBytes[0] ?? 0);
  return {
    what: `${sizeMib} MiB`,
    ours: `${ms(median(tookMs))}, gateway after each pass ${memoryBytes.map(mib).join(", ")}`,
    target: `no growth (≤ ${mib(MOST_GROWTH_BYTES)})`,
    ok: growthBytes <= MOST_GROWTH_BYTES,
  };
}
