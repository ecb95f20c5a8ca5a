import { statSync } from "node:fs";
import type { ProcMasks } from "./bubblewrap.ts";

const FOLDERS = [
  "sys", // sysctls: a core_pattern of the attacker's is a program that the host runs as root
  "pressure", // the host's load, finely enough for covert channels
];
const FILES = [
  ...["kallsyms", "kcore", "kmsg", "modules", "timer_list", "sched_debug", "config.gz"], // maps of the kernel for an exploit
  ...["kpagecount", "kpageflags", "kpagecgroup"], // physical memory, for Rowhammer and friends
  "cmdline", // the host kernel's parameters
  ...["interrupts", "diskstats"], // what the host types and reads, by its timing
  ...["sysrq-trigger", "latency_stats", "vmallocinfo"],
];
const KEYRINGS = ["keys", "key-users"]; // of whoever has the box's uid outside
const WORLD_READABLE = 0o004;

/**
 * What to cover in a box's `/proc` on this machine. A file that only root may read needs no cover, since no box is ever
 * root outside; each cover costs 0.13 ms a launch (bench/launch.ts).
 *
 * @param ownUsers true when each box has a user of its own, which has no keyrings
 */
export function procMasks(ownUsers: boolean): ProcMasks {
  return { folders: existing(FOLDERS), files: existing(ownUsers ? FILES : [...FILES, ...KEYRINGS]) };
}

function existing(names: readonly string[]): string[] {
  return names.map((name) => `/proc/${name}`).filter((path) => isReadable(path));
}

function isReadable(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && (stats.mode & WORLD_READABLE) !== 0;
}
