import type { Socket } from "node:net";
import type { BoxLimits } from "../core/base-image.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";

export const RELIEF_PERIOD_MS = 500;

/** Bounds of a box whose base has none of its own. */
export type SandboxLimits = BoxLimits;

/** How a boxed process ended, and what it used. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** True when the kernel killed a process of the box for memory. */
  readonly outOfMemory: boolean;
  /** Undefined where the machine does not count it. */
  readonly peakMemoryBytes: number | undefined;
}

/** A live box with one process tree in it. Everything that comes out of it is hostile. */
export interface SandboxedProcess {
  /** Unique within the life of the server. */
  readonly id: number;
  /** Our end of the process's fd 3. */
  readonly control: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** Resolves when the process tree is gone and nothing of it is left: no process, no cgroup. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Opens the network gate for it, as far as `policy` says; without this call it stays shut. */
  allowEgress(policy: EgressPolicy): void;
  /**
   * In the background it gets the CPU that neither the server nor the boxes in the foreground want. It begins there. On a machine
   * without cgroups, or before Linux 5.15, everything is in the foreground.
   */
  setBackground(background: boolean): void;
  /** To be called every RELIEF_PERIOD_MS while it has something to do: keeps it from starving in the background. */
  relieve(): void;
  /** Ends the whole process tree at once. Calling it again does nothing. */
  kill(): void;
  /** Memory charged to the box now; undefined where the machine does not count it or the box is gone. */
  memoryBytes(): Promise<number | undefined>;
}

/** One isolation feature and whether it is in force, for the start message and `/api/system`. */
export interface SandboxFeature {
  readonly name: string;
  readonly inForce: boolean;
  readonly detail: string;
}

/** A box around one process tree. Knows the operating system; knows nothing of languages or functions. */
export interface Sandbox {
  readonly features: readonly SandboxFeature[];
  readonly limits: SandboxLimits;
  /**
   * Starts the command of `base` in a fresh box; resolves when the process has been started (it may not be ready yet).
   *
   * @throws PlatformError SANDBOX_START_FAILED, with what the launcher printed
   */
  launch(base: string): Promise<SandboxedProcess>;
  /** Kills every box and waits until nothing is left. */
  close(): Promise<void>;
}
