// Soft limits, where the machine gives us no cgroups: a watchdog for memory, the kernel's count of processes per user (or
// per user namespace). They hold against mistakes and most attacks, not exactly, and not for CPU.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { systemClock } from "../../core/clock.ts";
import { killQuietly } from "../kill-quietly.ts";
import { listQuietly, readQuietly } from "../read-quietly.ts";
import type { SandboxLimits } from "../sandbox.ts";
import type { Cgroup, CgroupFactory } from "./cgroup.ts";

const WATCH_MS = 50; // a program can write some 50 MB in that time before it is found
const PRLIMIT = ["/usr/bin/prlimit", "/bin/prlimit"];

export class SoftLimits implements CgroupFactory {
  readonly title: string;
  readonly enforces = { memory: false, pids: false, cpu: false };
  readonly held: boolean;
  readonly #watched = new Set<WatchedBox>();
  readonly #prlimit: string | undefined;
  #stopWatching: (() => void) | undefined;

  /**
   * @param why why there are no cgroups
   * @param ownUsers true when each box has a user of its own, whose processes the launcher limits. Else they are counted for
   *   each box's user namespace, which takes `prlimit` of util-linux once the namespace is there (Linux 5.14).
   */
  constructor(why: string, ownUsers: boolean) {
    this.#prlimit = ownUsers ? undefined : PRLIMIT.find((path) => existsSync(path));
    this.held = this.#prlimit !== undefined;
    const processes = ownUsers || this.held ? "counted" : "not counted (no prlimit)";
    this.title = `soft limits: memory by a watchdog every ${WATCH_MS} ms, processes ${processes}; ${why}`;
  }

  create(_name: string, limits: SandboxLimits): Cgroup {
    const box = new WatchedBox(limits.memoryBytes);
    this.#watched.add(box);
    this.#stopWatching ??= systemClock.every(WATCH_MS, () => {
      for (const watched of this.#watched) watched.check();
    });
    return {
      add: (pid) => {
        box.launcherPid = pid;
      },
      onHeld: (initPid) => {
        if (this.#prlimit === undefined) return;
        execFileSync(this.#prlimit, ["--pid", String(initPid), `--nproc=${limits.pids}`], { env: {}, stdio: "ignore" });
      },
      memoryBytes: () => box.memoryBytes(),
      peakMemoryBytes: () => (box.peakBytes === 0 ? undefined : box.peakBytes),
      outOfMemory: () => box.killedForMemory,
      kill: () => box.kill(),
      remove: () => {
        this.#watched.delete(box);
        return true;
      },
    };
  }

  close(): void {
    this.#stopWatching?.();
  }
}

class WatchedBox {
  readonly #limitBytes: number;
  launcherPid: number | undefined;
  peakBytes = 0;
  killedForMemory = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What the processes of the box hold in memory of their own and in shared memory; files that are mapped do not count. */
  memoryBytes(): number | undefined {
    if (this.launcherPid === undefined) return undefined;
    return treeOf(this.launcherPid).reduce((sum, pid) => sum + ownBytes(pid), 0);
  }

  check(): void {
    const bytes = this.memoryBytes() ?? 0;
    this.peakBytes = Math.max(this.peakBytes, bytes);
    if (bytes <= this.#limitBytes) return;
    this.killedForMemory = true;
    this.kill();
  }

  /** All but the launcher, which then ends by itself and tells so. */
  kill(): void {
    if (this.launcherPid === undefined) return;
    for (const pid of treeOf(this.launcherPid).slice(1)) killQuietly(pid);
  }
}

/** A process and all below it. */
function treeOf(root: number): number[] {
  const tree = [root];
  for (const pid of tree) {
    for (const thread of listQuietly(`/proc/${pid}/task`)) {
      const children = readQuietly(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean);
      tree.push(...children.map(Number)); // for…of sees what is added
    }
  }
  return tree;
}

function ownBytes(pid: number): number {
  const status = readQuietly(`/proc/${pid}/status`);
  const kib = [/^RssAnon:\s+(\d+) kB/m, /^RssShmem:\s+(\d+) kB/m].map((line) => Number(line.exec(status)?.[1] ?? 0));
  return kib.reduce((sum, value) => sum + value, 0) * 1024;
}
