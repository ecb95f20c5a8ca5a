// @ts-check
// Whether the machine has what MAX_CONTAINERS sandboxes may take: memory, processes, descriptors.
import { dirname, join } from "node:path";
import { ownV1Folder, ownV2Folder } from "./cgroups.mjs";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */
/** @typedef {import("./settings.mjs").Settings} Settings */

const MIB = 1024 * 1024;
const SERVER_BYTES = 300 * MIB; // server, nursery and esbuild under load, with room for bodies
const SERVER_PIDS = 64; // their threads
const TYPICAL_PIDS = 12; // threads of a sandbox with Node; at most it may have 64
const SERVER_DESCRIPTORS = 128;
const DESCRIPTORS_PER_SANDBOX = 6; // three sockets in the server, as many for a moment in the nursery
const CONNECTIONS = 10_000; // as many as src/http/server.ts lets in

/**
 * @param {Machine} machine
 * @param {Settings} settings
 * @returns {Finding[]}
 */
export function checkCapacity(machine, settings) {
  return [
    ...checkMemory(machine, settings),
    ...checkSwap(machine),
    ...checkProcesses(machine, settings),
    ...checkDescriptors(machine, settings),
  ];
}

/** @type {(machine: Machine, settings: Settings) => Finding[]} */
function checkMemory(machine, { maxContainers, memoryBytes }) {
  const kib = /^MemTotal:\s+(\d+) kB/m.exec(machine.read("/proc/meminfo") ?? "")?.[1];
  if (kib === undefined) return [];
  const haveBytes = Math.min(
    Number(kib) * 1024,
    ...cgroupLimits(machine, "memory", "memory.max", "memory.limit_in_bytes"),
  );
  const wantBytes = maxContainers * memoryBytes + SERVER_BYTES;
  const sum = `${maxContainers} sandboxes of ${mib(memoryBytes)} and the server: ${mib(wantBytes)} of ${mib(haveBytes)}`;
  if (wantBytes <= haveBytes) return [{ id: "memory", level: "ok", what: `memory for ${sum}`, canFix: false }];
  const fitting = Math.max(1, Math.floor((haveBytes - SERVER_BYTES) / memoryBytes));
  return [
    {
      id: "memory",
      level: "warning",
      what: `memory is short: ${sum}`,
      cost: "when all sandboxes take what they may, the kernel ends processes, and not always ours",
      fix: [`set MAX_CONTAINERS=${fitting}, or less MAX_MEMORY`],
      canFix: false,
    },
  ];
}

/** @type {(machine: Machine) => Finding[]} */
function checkSwap(machine) {
  const areas = (machine.read("/proc/swaps") ?? "").trim().split("\n").slice(1);
  if (areas.length === 0) return [{ id: "swap", level: "ok", what: "no swap", canFix: false }];
  const v1 = ownV1Folder(machine, "memory");
  const unaccounted =
    v1 !== undefined &&
    machine.exists(join(v1, "cgroup.procs")) &&
    !machine.exists(join(v1, "memory.memsw.limit_in_bytes"));
  return [
    {
      id: "swap",
      level: unaccounted ? "warning" : "info",
      what: "swap is on",
      cost: unaccounted
        ? "the kernel does not count it (cgroup v1): a sandbox may take more than MAX_MEMORY, by swapping"
        : "none to the limits, sandboxes get no swap; but what the server holds, secrets too, may land on the disk",
      fix: [unaccounted ? "boot with swapaccount=1, or: swapoff -a" : "swapoff -a, or encrypt the swap"],
      canFix: false,
    },
  ];
}

/** @type {(machine: Machine, settings: Settings) => Finding[]} */
function checkProcesses(machine, { maxContainers }) {
  // Root gives every sandbox a user of its own, so the limit per user counts for a server without root only.
  const perUser = machine.uid === 0 ? Infinity : rlimit(machine, "Max processes");
  const perGroup = cgroupLimits(machine, "pids", "pids.max", "pids.max");
  const have = Math.min(perUser, Number(machine.read("/proc/sys/kernel/pid_max") ?? Infinity), ...perGroup);
  const want = maxContainers * TYPICAL_PIDS + SERVER_PIDS;
  if (have >= want)
    return [{ id: "processes", level: "ok", what: `${have} processes and threads allowed`, canFix: false }];
  return [
    {
      id: "processes",
      level: "warning",
      what: `${have} processes and threads allowed; ${maxContainers} sandboxes and the server take some ${want}`,
      cost: "sandboxes do not start (EAGAIN), or hang while they do",
      fix: [
        "raise ulimit -u, TasksMax= of the unit, or --pids-limit of the container; or set a smaller MAX_CONTAINERS",
      ],
      canFix: false,
    },
  ];
}

/** @type {(machine: Machine, settings: Settings) => Finding[]} */
function checkDescriptors(machine, { maxContainers }) {
  const have = rlimit(machine, "Max open files"); // Node raises its soft limit to the hard one by itself
  const least = maxContainers * DESCRIPTORS_PER_SANDBOX + SERVER_DESCRIPTORS;
  const want = least + CONNECTIONS;
  if (have >= want) return [{ id: "open-files", level: "ok", what: `${have} open files allowed`, canFix: false }];
  const short = have < least;
  return [
    {
      id: "open-files",
      level: short ? "problem" : "warning",
      what: `${have} open files allowed; MAX_CONTAINERS=${maxContainers} takes ${least}, and each connection one more`,
      cost: short
        ? "sandboxes do not start (EMFILE)"
        : `connections are refused long before the server's limit of ${CONNECTIONS}`,
      fix: [`ulimit -Hn ${want}`, `in a systemd unit: LimitNOFILE=${want}; in a container: --ulimit nofile=${want}`],
      canFix: false,
    },
  ];
}

/** @type {(machine: Machine, name: string) => number} */
function rlimit(machine, name) {
  const line = (machine.read("/proc/self/limits") ?? "").split("\n").find((text) => text.startsWith(name));
  const hard = line?.slice(name.length).trim().split(/\s+/)[1];
  return hard === undefined || hard === "unlimited" ? Infinity : Number(hard);
}

/**
 * The limits of the groups that we are in: those of v2 hold from the top down, hence all of them.
 *
 * @type {(machine: Machine, controller: string, v2File: string, v1File: string) => number[]}
 */
function cgroupLimits(machine, controller, v2File, v1File) {
  const files = [];
  for (let folder = ownV2Folder(machine); folder !== "/sys/fs"; folder = dirname(folder))
    files.push(join(folder, v2File));
  const v1 = ownV1Folder(machine, controller);
  if (v1 !== undefined) files.push(join(v1, v1File));
  return files.map((file) => Number.parseInt(machine.read(file) ?? "", 10)).filter((limit) => !Number.isNaN(limit));
}

/** @type {(bytes: number) => string} */
function mib(bytes) {
  return `${Math.floor(bytes / MIB)} MiB`;
}
