import type { Finding } from "./examine.mjs";

export interface RepairOptions {
  readonly asRoot: boolean;
  /** The folder to run commands in. */
  readonly dir: string;
  /** Gets each command before it runs, and why one does not. */
  readonly say: (text: string) => void;
}

/** Runs the commands of every warning and problem that can be repaired so; what they print goes to stderr. */
export function repair(findings: readonly Finding[], options: RepairOptions): void;
