import type { Cgroup, CgroupFactory } from "./cgroup.ts";

/** Stands in where the machine gives us no cgroups. It enforces nothing, and says so. */
export class NoCgroups implements CgroupFactory {
  readonly title: string;
  readonly enforces = { memory: false, pids: false, cpu: false };

  constructor(title: string) {
    this.title = title;
  }

  create(): Cgroup {
    return {
      add: () => {},
      memoryBytes: () => undefined,
      peakMemoryBytes: () => undefined,
      outOfMemory: () => false,
      kill: () => {},
      remove: () => true,
    };
  }

  close(): void {}
}
