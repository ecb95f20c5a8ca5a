// What does an attack cost the function next door? The slowest calls in a hundred, quiet and beside each attack, in turns.
import { execFileSync } from "node:child_process";
import { postOk } from "./client.ts";
import { startOurs } from "./rivals.ts";
import { median, percentile } from "./stats.ts";
import { ms, type Row, type Table } from "./table.ts";

const ROUNDS = 5;
const CALLS_A_ROUND = 300;
const MOST_RATIO = 2;
const LIMITS = { TIMEOUT_SCRIPT: "3", MAX_CONTAINERS: "8", MAX_MEMORY: "64M", MAX_CPUS: "0.5" };

const ATTACKS = {
  "a CPU hog": "while True: pass",
  "a fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
  "memory bombs, one after the other": "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
};

export async function neighbours(): Promise<Table[]> {
  runFirst();
  const ours = await startOurs(undefined, LIMITS);
  await postOk(`${ours.url}/upload`, { path: "neighbour", language: "javascript", code: "return event.n" });

  async function p99Ms(): Promise<number> {
    const tookMs: number[] = [];
    for (let n = 0; n < CALLS_A_ROUND; n++)
      tookMs.push((await postOk(`${ours.url}/run/neighbour`, { input: { n } })).ms);
    return percentile(tookMs, 0.99);
  }

  async function besideMs(code: string): Promise<number> {
    const calls = { over: false };
    const attack = (async () => {
      while (!calls.over)
        await fetch(`${ours.url}/run-now`, { method: "POST", body: JSON.stringify({ language: "python", code }) });
    })();
    const tookMs = await p99Ms();
    calls.over = true;
    await attack;
    return tookMs;
  }

  const rows: Row[] = [];
  for (const [what, code] of Object.entries(ATTACKS)) {
    const quietMs: number[] = [];
    const attackedMs: number[] = [];
    await p99Ms(); // warm
    for (let round = 0; round < ROUNDS; round++) {
      quietMs.push(await p99Ms());
      attackedMs.push(await besideMs(code));
    }
    const ratio = median(attackedMs) / median(quietMs);
    rows.push({
      what: `beside ${what}`,
      ours: `${ms(median(attackedMs))} (×${ratio.toFixed(2)})`,
      limit: `quiet ${ms(median(quietMs))}`,
      target: `≤ ×${MOST_RATIO}`,
      ok: ratio <= MOST_RATIO,
    });
  }
  await ours.stop();
  return [{ title: `A call next door to an attack, p99 of ${CALLS_A_ROUND}, median of ${ROUNDS} rounds`, rows }];
}

/** What is measured is how long the server makes its client wait, not how long the client waits for a core beside the attack. */
function runFirst(): void {
  execFileSync("chrt", ["--reset-on-fork", "--rr", "--pid", "1", String(process.pid)]);
}
