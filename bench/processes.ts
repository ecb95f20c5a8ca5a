// Every process that a bench starts, so that each one is ended by its id; and what a tree of them costs, from /proc.
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const CLOSE_LIMIT_MS = 10_000;

const children = new Set<ChildProcess>();
const closers = new Set<() => Promise<void>>();

// Whatever ends us, nothing of ours runs on. A server that loses its parent's signal handling still gets SIGTERM here.
process.on("exit", () => {
  for (const child of children) child.kill("SIGTERM");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    process.stderr.write(`bench: ${signal}, stopping\n`);
    void stopAll().finally(() => process.exit(1));
  });
}

/** Starts a process that ends with the bench, at the latest. */
export function start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return track(spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options }));
}

/** Takes responsibility for a process that somebody else started. */
export function track(child: ChildProcess): ChildProcess {
  children.add(child);
  child.once("close", () => children.delete(child));
  return child;
}

/** Calls `close` when everything is stopped, unless the returned function was called before, which does it at once. */
export function onStop(close: () => Promise<void>): () => Promise<void> {
  closers.add(close);
  return async () => {
    if (closers.delete(close)) await close();
  };
}

/** Runs a command to its end and returns what it printed. */
export async function outputOf(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
  const child = start(command, args, options);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr || stdout}`);
  return stdout;
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => {
    child.once("close", resolve);
  });
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), CLOSE_LIMIT_MS);
  await closed;
  clearTimeout(kill);
}

/** Ends what is still running, each by its id; goes on when one of them resists. */
export async function stopAll(): Promise<void> {
  for (const close of [...closers].toReversed()) {
    closers.delete(close);
    try {
      await close();
    } catch (error) {
      process.stderr.write(`bench: while stopping: ${String(error)}\n`);
    }
  }
  await Promise.all([...children].map(stopChild));
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Own time and that of children that are gone already. */
  readonly cpuTicks: number;
}

const TICK_US = 10_000; // USER_HZ is 100 on every Linux that Node runs on

/** Microseconds of CPU that a process and all below it have used, those that are gone included. */
export function cpuUsOfTree(root: number): number {
  const stats = readStats();
  return treeOf(root, stats).reduce((sum, pid) => sum + (stats.get(pid)?.cpuTicks ?? 0), 0) * TICK_US;
}

/** Pids of a process's direct children, with their command lines. */
export function childrenOf(root: number): { readonly pid: number; readonly command: string }[] {
  return [...readStats().values()]
    .filter(({ parent }) => parent === root)
    .map(({ pid }) => ({ pid, command: readProc(pid, "cmdline").replaceAll("\0", " ") }));
}

export interface Memory {
  readonly rssBytes: number;
  /** Pages shared with others count in parts. */
  readonly pssBytes: number;
}

/** What processes hold together: pages of a file that several of them have mapped are in memory once, and count once. */
export function jointRssBytes(pids: readonly number[]): number {
  let anonymousKb = 0;
  const fileKb = new Map<string, number>();
  for (const pid of pids) {
    const own = new Map<string, number>();
    for (const mapping of readProc(pid, "smaps").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
      const file = /^\S+ \S+ \S+ \S+ \S+ *(.*)/.exec(mapping)?.[1] ?? "";
      const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(mapping)?.[1] ?? 0);
      anonymousKb += read("Anonymous");
      own.set(file, (own.get(file) ?? 0) + read("Rss") - read("Anonymous"));
    }
    for (const [file, kb] of own) fileKb.set(file, Math.max(kb, fileKb.get(file) ?? 0));
  }
  return [...fileKb.values()].reduce((sum, kb) => sum + kb, anonymousKb) * 1024;
}

export function memoryOf(pid: number): Memory {
  const rollup = readProc(pid, "smaps_rollup");
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1]) * 1024;
  return { rssBytes: read("Rss"), pssBytes: read("Pss") };
}

function readStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = readProc(Number(name), "stat");
    if (text === "") continue;
    // The command's name may hold spaces and parentheses; the fields behind it do not.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const cpuTicks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
    stats.set(Number(name), { pid: Number(name), parent: Number(fields[1]), cpuTicks });
  }
  return stats;
}

function treeOf(root: number, stats: ReadonlyMap<number, Stat>): number[] {
  const tree = [root];
  for (const pid of tree) {
    for (const stat of stats.values()) if (stat.parent === pid) tree.push(stat.pid); // for…of sees what is added
  }
  return tree;
}

/** Empty for a process that is gone. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
