import type { SandboxLimits } from "../sandbox.ts";

/** The cgroup of one box. */
export interface Cgroup {
  /** Puts a process, and all that it starts from now on, under the limits. */
  add(pid: number): void;
  /** Limits the box's first process once its namespaces are there; only where the factory says that boxes are held for it. */
  onHeld?(initPid: number): void;
  /** Bytes charged now; undefined where unknown. */
  memoryBytes(): number | undefined;
  peakMemoryBytes(): number | undefined;
  /** True when the kernel has killed something in here for memory. */
  outOfMemory(): boolean;
  /** In the background it gets the CPU that neither the server nor the boxes in the foreground want. It begins in the foreground. */
  setBackground?(background: boolean): void;
  /** Everything in here. */
  pids?(): number[];
  /** Lifts the limit on CPU: what is about to be killed should wait neither for its share of the next 100 ms nor for others to die. */
  hurry?(): void;
  /** Sends SIGKILL to everything in here, but for the process `spared`. */
  kill(spared?: number): void;
  /** Removes it; false while a process is still dying in it. */
  remove(): boolean;
}

/** Makes cgroups for boxes, below a folder of its own that goes when the server goes. */
export interface CgroupFactory {
  /** `cgroup v2`, `cgroup v1`, or why there is none. */
  readonly title: string;
  /** True when a box must wait, its namespaces made, until `onHeld` is through. */
  readonly held?: boolean;
  readonly enforces: { readonly memory: boolean; readonly pids: boolean; readonly cpu: boolean };
  create(name: string, limits: SandboxLimits): Cgroup;
  /** Removes the folder. Every cgroup in it must be gone. */
  close(): void;
}

export type CgroupSearch =
  | { readonly opened: true; readonly factory: CgroupFactory }
  | { readonly opened: false; readonly reason: string };
