// Attacks must not take the machine down when a test fails: servers under attack start within limits of their own.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Cgroup } from "../../src/sandbox/cgroup/cgroup.ts";
import { openCgroups } from "../../src/sandbox/cgroup/open-cgroups.ts";

const LIMITS = {
  memoryBytes: 4 * 1024 ** 3,
  pids: 1500, // a server, its nursery and 16 boxes at their limit
  cpus: availableParallelism() * 2, // none, in fact: speed is measured here
  tmpBytes: 0,
};
const REMOVE_LIMIT_MS = 5_000;

/** A cgroup for servers and all that they start. */
export class Guard {
  readonly #cgroups = openCgroups(true);
  readonly #cgroup: Cgroup;

  /** Throws where the machine has no cgroup to offer: these tests then do not run at all. */
  constructor(limits: Partial<typeof LIMITS> = {}) {
    if (!this.#cgroups.enforces.pids) throw new Error(`attacks need a cgroup around them; ${this.#cgroups.title}`);
    this.#cgroup = this.#cgroups.create("guard", { ...LIMITS, ...limits });
  }

  /** What `start` starts is within the guard from its first instruction on. This process itself is only while it starts it. */
  around<T>(start: () => T): T {
    const home = ownCgroupFiles();
    this.#cgroup.add(process.pid);
    try {
      return start();
    } finally {
      for (const file of home) writeFileSync(file, String(process.pid));
    }
  }

  /** Fails when a process is still in it, which is then killed. */
  async remove(): Promise<void> {
    const giveUpAtMs = performance.now() + REMOVE_LIMIT_MS;
    while (!this.#cgroup.remove()) {
      if (performance.now() > giveUpAtMs) {
        this.#cgroup.kill();
        throw new Error("an attack has left processes or cgroups behind, in the guard's cgroup");
      }
      await delay(3);
    }
    this.#cgroups.close();
  }
}

/** Where this process is enrolled now: by each controller under cgroup v1, in one place under v2. */
function ownCgroupFiles(): string[] {
  return readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, controllers = "", path = ""] = line.split(":");
      return ["memory", "pids", "cpu", ""].includes(controllers)
        ? [join("/sys/fs/cgroup", controllers, path, "cgroup.procs")]
        : [];
    })
    .filter((file) => existsSync(file));
}
