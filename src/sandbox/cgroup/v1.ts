// cgroup v1: one hierarchy per controller. Source: https://docs.kernel.org/admin-guide/cgroup-v1/
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxLimits } from "../sandbox.ts";
import type { Cgroup, CgroupFactory, CgroupSearch } from "./cgroup.ts";
import { folderName, killAll, pidsIn, readKeyed, readNumber, sweepDeadServers, tryRemove, tryWrite } from "./files.ts";
import { enterServerLeaf, outsideServerLeaf } from "./server-leaf.ts";

const CONTROLLERS = ["memory", "pids", "cpu"] as const;
type Folders = Readonly<Record<(typeof CONTROLLERS)[number], string>>;
const CPU_PERIOD_US = 100_000; // the kernel's default
const WEIGHT = { file: "cpu.shares", value: 2 * 1024 }; // the server's own, and as much again for its boxes

/** @param server processes of the server, to be moved beside the boxes */
export function openCgroupV1(server: readonly number[]): CgroupSearch {
  const parents = ownFolders();
  if (parents === undefined) return { opened: false, reason: "no memory, pids and cpu hierarchies are mounted" };
  const name = folderName();
  const folders = mapFolders(parents, (parent) => join(parent, name));
  try {
    for (const parent of Object.values(parents)) sweepDeadServers(parent);
    for (const folder of Object.values(folders)) mkdirSync(folder);
  } catch (error) {
    for (const folder of Object.values(folders)) tryRemove(folder);
    return { opened: false, reason: (error as Error).message };
  }
  const leaveServerLeaf = enterServerLeaf(folders.cpu, parents.cpu, server, WEIGHT);
  return { opened: true, factory: new CgroupV1Factory(folders, leaveServerLeaf) };
}

class CgroupV1Factory implements CgroupFactory {
  readonly title = "cgroup v1";
  readonly enforces = { memory: true, pids: true, cpu: true };
  readonly #parents: Folders;
  readonly #leaveServerLeaf: () => void;

  constructor(parents: Folders, leaveServerLeaf: () => void) {
    this.#parents = parents;
    this.#leaveServerLeaf = leaveServerLeaf;
  }

  create(name: string, limits: SandboxLimits): Cgroup {
    const folders = mapFolders(this.#parents, (parent) => join(parent, name));
    for (const folder of Object.values(folders)) mkdirSync(folder);
    writeFileSync(join(folders.memory, "memory.limit_in_bytes"), String(limits.memoryBytes));
    // Memory plus swap; the file is missing where the kernel does not account swap.
    const memorySwapFile = join(folders.memory, "memory.memsw.limit_in_bytes");
    if (existsSync(memorySwapFile)) writeFileSync(memorySwapFile, String(limits.memoryBytes));
    writeFileSync(join(folders.pids, "pids.max"), String(limits.pids));
    writeFileSync(join(folders.cpu, "cpu.cfs_period_us"), String(CPU_PERIOD_US));
    writeFileSync(join(folders.cpu, "cpu.cfs_quota_us"), String(Math.round(limits.cpus * CPU_PERIOD_US)));
    return new CgroupV1(folders);
  }

  close(): void {
    this.#leaveServerLeaf();
    for (const folder of Object.values(this.#parents)) tryRemove(folder);
  }
}

class CgroupV1 implements Cgroup {
  readonly #folders: Folders;

  constructor(folders: Folders) {
    this.#folders = folders;
  }

  add(pid: number): void {
    for (const folder of Object.values(this.#folders)) writeFileSync(join(folder, "cgroup.procs"), String(pid));
  }

  memoryBytes(): number | undefined {
    return readNumber(join(this.#folders.memory, "memory.usage_in_bytes"));
  }

  peakMemoryBytes(): number | undefined {
    return readNumber(join(this.#folders.memory, "memory.max_usage_in_bytes"));
  }

  outOfMemory(): boolean {
    return (readKeyed(join(this.#folders.memory, "memory.oom_control"), "oom_kill") ?? 0) > 0;
  }

  setBackground(background: boolean): void {
    tryWrite(join(this.#folders.cpu, "cpu.idle"), background ? "1" : "0"); // Linux 5.15
  }

  pids(): number[] {
    return pidsIn(this.#folders.pids);
  }

  hurry(): void {
    this.setBackground(false);
    tryWrite(join(this.#folders.cpu, "cpu.cfs_quota_us"), "-1");
  }

  kill(spared?: number): void {
    killAll(this.#folders.pids, spared);
  }

  remove(): boolean {
    return Object.values(this.#folders).map(tryRemove).every(Boolean);
  }
}

/** The folders of the cgroups that this process is in, so that limits set on the server hold for its boxes, too. */
function ownFolders(): Folders | undefined {
  const own = new Map<string, string>();
  for (const line of readFileSync("/proc/self/cgroup", "utf8").split("\n")) {
    const [, controllers = "", path = ""] = line.split(":");
    for (const controller of controllers.split(",")) own.set(controller, path);
  }
  const folders = mapFolders({ memory: "memory", pids: "pids", cpu: "cpu" }, (controller) =>
    outsideServerLeaf(join("/sys/fs/cgroup", controller, own.get(controller) ?? "missing")),
  );
  return Object.values(folders).every((folder) => existsSync(join(folder, "cgroup.procs"))) ? folders : undefined;
}

function mapFolders(folders: Folders, change: (folder: string) => string): Folders {
  return { memory: change(folders.memory), pids: change(folders.pids), cpu: change(folders.cpu) };
}
