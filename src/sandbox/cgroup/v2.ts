// cgroup v2: one hierarchy; a group may have processes or limited children, not both, except at the root.
// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { SandboxLimits } from "../sandbox.ts";
import type { Cgroup, CgroupFactory, CgroupSearch } from "./cgroup.ts";
import { folderName, killAll, pidsIn, readKeyed, readNumber, sweepDeadServers, tryRemove, tryWrite } from "./files.ts";
import { enterServerLeaf, outsideServerLeaf } from "./server-leaf.ts";

const MOUNT = "/sys/fs/cgroup";
const CONTROLLERS = ["memory", "pids", "cpu"] as const;
const CPU_PERIOD_US = 100_000; // the kernel's default
const WEIGHT = { file: "cpu.weight", value: 2 * 100 }; // the server's own, and as much again for its boxes
/** The leaf that everything beside the server moves to, since its group may not keep processes once it has limited children. */
const SUPERVISOR = "supervisor";

/** @param server processes of the server, to be moved beside the boxes */
export function openCgroupV2(server: readonly number[]): CgroupSearch {
  if (!existsSync(join(MOUNT, "cgroup.controllers"))) return { opened: false, reason: "not mounted at /sys/fs/cgroup" };
  const path = /^0::\/?(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "";
  const own = outsideServerLeaf(join(MOUNT, path));
  // Started by a process that an earlier server has moved, a shell: we belong where that server was, not one level deeper.
  const home = basename(own) === SUPERVISOR ? dirname(own) : own;
  // A delegated group of our own first (systemd's Delegate=yes); as root the top of the tree will do.
  const reasons: string[] = [];
  for (const parent of home === MOUNT ? [MOUNT] : [home, MOUNT]) {
    const search = openBelow(parent, parent === home ? server : []); // systemd loses sight of what leaves its unit
    if (search.opened) return search;
    reasons.push(search.reason);
  }
  return { opened: false, reason: reasons.join("; ") };
}

function openBelow(parent: string, server: readonly number[]): CgroupSearch {
  const folder = join(parent, folderName());
  try {
    sweepDeadServers(parent);
    mkdirSync(folder);
    enableControllers(parent);
    enableControllers(folder);
    const before = isRoot(parent) ? parent : join(parent, SUPERVISOR);
    return { opened: true, factory: new CgroupV2Factory(folder, enterServerLeaf(folder, before, server, WEIGHT)) };
  } catch (error) {
    tryRemove(folder);
    return { opened: false, reason: `${parent}: ${(error as Error).message}` };
  }
}

/** Lets children of `folder` have limits; moves the processes in it to a leaf first, where the kernel insists. */
function enableControllers(folder: string): void {
  const enabled = readFileSync(join(folder, "cgroup.subtree_control"), "utf8").trim().split(" ");
  const missing = CONTROLLERS.filter((controller) => !enabled.includes(controller));
  if (missing.length === 0) return;
  if (!isRoot(folder)) moveToLeaf(folder);
  writeFileSync(join(folder, "cgroup.subtree_control"), missing.map((controller) => `+${controller}`).join(" "));
}

const MOVE_ROUNDS = 100; // each catches what was started during the one before; two do, but for a machine at its limits

function moveToLeaf(folder: string): void {
  for (let round = 0; round < MOVE_ROUNDS; round++) {
    const pids = pidsIn(folder);
    if (pids.length === 0) return;
    const leaf = join(folder, SUPERVISOR);
    mkdirSync(leaf, { recursive: true });
    for (const pid of pids) {
      try {
        writeFileSync(join(leaf, "cgroup.procs"), String(pid));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it ended between the reading and the moving
      }
    }
  }
}

/** The one group that may have both. A container's mount shows a group that only looks like it: that one has a type. */
function isRoot(folder: string): boolean {
  return !existsSync(join(folder, "cgroup.type"));
}

class CgroupV2Factory implements CgroupFactory {
  readonly title = "cgroup v2";
  readonly enforces = { memory: true, pids: true, cpu: true };
  readonly #parent: string;
  readonly #leaveServerLeaf: () => void;

  constructor(parent: string, leaveServerLeaf: () => void) {
    this.#parent = parent;
    this.#leaveServerLeaf = leaveServerLeaf;
  }

  create(name: string, limits: SandboxLimits): Cgroup {
    const folder = join(this.#parent, name);
    mkdirSync(folder);
    writeFileSync(join(folder, "memory.max"), String(limits.memoryBytes));
    const swapFile = join(folder, "memory.swap.max"); // missing where the kernel does not account swap
    if (existsSync(swapFile)) writeFileSync(swapFile, "0");
    writeFileSync(join(folder, "pids.max"), String(limits.pids));
    writeFileSync(join(folder, "cpu.max"), `${Math.round(limits.cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`);
    return new CgroupV2(folder);
  }

  close(): void {
    this.#leaveServerLeaf();
    tryRemove(this.#parent);
  }
}

class CgroupV2 implements Cgroup {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  add(pid: number): void {
    writeFileSync(join(this.#folder, "cgroup.procs"), String(pid));
  }

  memoryBytes(): number | undefined {
    return readNumber(join(this.#folder, "memory.current"));
  }

  peakMemoryBytes(): number | undefined {
    return readNumber(join(this.#folder, "memory.peak")); // Linux 5.19 and later
  }

  outOfMemory(): boolean {
    return (readKeyed(join(this.#folder, "memory.events"), "oom_kill") ?? 0) > 0;
  }

  setBackground(background: boolean): void {
    tryWrite(join(this.#folder, "cpu.idle"), background ? "1" : "0"); // Linux 5.15
  }

  pids(): number[] {
    return pidsIn(this.#folder);
  }

  hurry(): void {
    this.setBackground(false);
    tryWrite(join(this.#folder, "cpu.max"), "max");
  }

  kill(spared?: number): void {
    if (spared !== undefined || !tryWrite(join(this.#folder, "cgroup.kill"), "1")) killAll(this.#folder, spared); // 1: Linux 5.14
  }

  remove(): boolean {
    return tryRemove(this.#folder);
  }
}
