// The clock of a server jumps an hour ahead while jobs come and run, and back again: leases and timers must not take that for time.
// The server runs with libfaketime, which gives one process a clock of its own (`apt-get install libfaketime`).
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "./cluster.ts";
import { type Fault, type FaultReport, ofJobs } from "./faults.ts";
import { JobLoad } from "./job-load.ts";
import { soon } from "./soon.ts";

const JUMP_S = 3_600;
const AHEAD_MS = 3_000;
const [LIBRARY = ""] = globSync("/usr/lib/*/faketime/libfaketime.so.1");

async function run(nodes: number, times: number): Promise<FaultReport> {
  const folder = mkdtempSync(join(tmpdir(), "cloche-clock-"));
  const file = join(folder, "offset");
  const jump = (seconds: number): void => writeFileSync(file, `+${seconds}`);
  jump(0);
  const given = { LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1" };
  const clock = { ...given, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
  const launcher = ["env", ...Object.entries(clock).map(([name, value]) => `${name}=${value}`)];
  const cluster = await Cluster.start({
    ...{ nodes, store: nodes === 1 ? "sqlite" : "redis" },
    launcher: (n) => (n === 0 ? launcher : []),
  });
  let load: JobLoad | undefined;
  try {
    load = await JobLoad.start(cluster.url);
    const recoveriesMs: number[] = [];
    for (let n = 0; n < times; n++) {
      await load.accepts(10);
      const startedAtMs = performance.now();
      jump(JUMP_S);
      await soon(
        "its clock is ahead",
        async () => (await aheadMs(cluster.node(0).url)) > (JUMP_S * 1000) / 2 || undefined,
      );
      await delay(AHEAD_MS);
      jump(0);
      await load.accepts(1);
      await load.settled();
      recoveriesMs.push(performance.now() - startedAtMs);
    }
    await load.stop();
    await load.settled();
    return ofJobs(await load.ledger(), recoveriesMs);
  } finally {
    load?.abandon();
    await cluster.dispose();
    rmSync(folder, { recursive: true });
  }
}

/** By what the server says in its answers. */
async function aheadMs(url: string): Promise<number> {
  const response = await fetch(`${url}/healthz`);
  await response.arrayBuffer();
  return Date.parse(response.headers.get("date") ?? "") - Date.now();
}

const lacks = (): string | undefined =>
  existsSync(LIBRARY) ? undefined : "needs libfaketime (apt-get install libfaketime)";

export const CLOCK_FAULTS: readonly Fault[] = [
  { id: "clock-sqlite", title: "clock of the only server an hour ahead for 3 s", lacks, run: (times) => run(1, times) },
  { id: "clock", title: "clock of one of three servers an hour ahead for 3 s", lacks, run: (times) => run(3, times) },
];
