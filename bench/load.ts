// Closed-loop load on one address: wrk where it is installed, else autocannon.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuUsOfTree, outputOf } from "./processes.ts";

export interface Target {
  readonly name: string;
  readonly url: string;
  /** JSON, sent with every request. */
  readonly body: string;
  /** The server's process; its whole tree's CPU is counted. */
  readonly pid: number;
}

export interface Load {
  readonly requestsPerS: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of the server's process tree, its sandboxes included. */
  readonly cpuUsPerRequest: number;
  /** Connections that failed, time-outs, and answers other than 2xx and 3xx. */
  readonly errors: number;
}

type Raw = Omit<Load, "cpuUsPerRequest"> & { readonly requests: number };

const hasWrk = spawnSync("wrk", ["-v"], { stdio: "ignore" }).error === undefined;
export const GENERATOR = hasWrk ? "wrk" : "autocannon";

/** Load for some seconds. */
export async function load(target: Target, connections: number, seconds: number): Promise<Load> {
  const cpuBeforeUs = cpuUsOfTree(target.pid);
  const { requests, ...raw } = await (hasWrk ? wrk : autocannon)(target, connections, seconds);
  const cpuUs = cpuUsOfTree(target.pid) - cpuBeforeUs;
  return { ...raw, cpuUsPerRequest: cpuUs / requests };
}

async function wrk({ url, body }: Target, connections: number, seconds: number): Promise<Raw> {
  const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  try {
    const bodyFile = join(dir, "body");
    writeFileSync(bodyFile, body);
    const script = join(import.meta.dirname, "wrk.lua");
    // wrk takes whole seconds only.
    const args = ["-t1", `-c${connections}`, `-d${Math.ceil(seconds)}s`, "-s", script, url, "--", bodyFile];
    const text = await outputOf("wrk", args);
    const [requests = NaN, durationUs = NaN, p50Us = NaN, p99Us = NaN, errors = NaN] = (
      /RESULT (.*)/.exec(text)?.[1] ?? ""
    )
      .split(" ")
      .map(Number);
    return { requests, requestsPerS: (requests * 1e6) / durationUs, p50Us, p99Us, errors };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

interface AutocannonReport {
  readonly duration: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly non2xx: number;
  readonly "2xx": number;
  readonly latency: { readonly p50: number; readonly p99: number };
}

/** Its latencies are whole milliseconds. */
async function autocannon({ url, body }: Target, connections: number, seconds: number): Promise<Raw> {
  const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  try {
    const bodyFile = join(dir, "body");
    writeFileSync(bodyFile, body);
    const main = join(import.meta.dirname, "node_modules/autocannon/autocannon.js");
    const shape = ["-c", String(connections), "-d", String(seconds), "-m", "POST", "-i", bodyFile];
    const args = [main, "--json", ...shape, "-H", "Content-Type=application/json", url];
    const report = JSON.parse(await outputOf(process.execPath, args)) as AutocannonReport;
    const requests = report["2xx"];
    return {
      requests,
      requestsPerS: requests / report.duration,
      p50Us: report.latency.p50 * 1000,
      p99Us: report.latency.p99 * 1000,
      errors: report.errors + report.timeouts + report.non2xx,
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
