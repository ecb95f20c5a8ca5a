// Why a build failed, in words for the person who uploaded it: the compiler's, or the limit that was met and its setting.
import { PlatformError } from "../../core/errors.ts";
import { draining } from "./line.ts";

export interface BuildLimits {
  /** Of one build, its box's start included. */
  readonly timeoutMs: number;
  /** Of a build's whole process tree, its files included. */
  readonly memoryBytes: number;
  /** Of a build's files: sources, modules, what is compiled. */
  readonly diskBytes: number;
  readonly cpus: number;
  /** Processes and threads. */
  readonly pids: number;
  /** Builds at the same time. */
  readonly concurrency: number;
  /** Of all uploaded files together. */
  readonly sourceBytes: number;
  readonly files: number;
  /** Of each program that is built. */
  readonly artifactBytes: number;
}

/** Bounds that nobody has needed to change yet. */
export const FIXED_LIMITS = {
  pids: 256, // the go command, some compilers at once, and a thread for every core in each
  sourceBytes: 50 * 1024 * 1024,
  files: 10_000,
  artifactBytes: 50 * 1024 * 1024,
} as const;

/** How the conversation with a box came to its end. `memory`: the kernel killed something in it. */
export type BoxEnd = "finished" | "timeout" | "memory" | "died" | "flooded" | "closed";

/** What the box says about a failed build. */
export interface ReportedFailure {
  readonly message: string;
  readonly output: string;
  readonly files: readonly { file: string; line: number; column: number; message: string }[];
  readonly limit?: "disk" | "file" | "processes" | "memory" | undefined;
}

const MIB = 1024 * 1024;
const FILE_LIMIT_MIB = 64; // RLIMIT_FSIZE of every box

export function explainFailure(end: BoxEnd, failure: ReportedFailure | undefined, limits: BuildLimits): PlatformError {
  if (end === "closed") return draining();
  const limit = limitIn(end, failure, limits);
  const message = limit ?? failure?.message ?? "the build ended without an answer; it may have crashed the compiler";
  const files = failure?.files ?? [];
  return new PlatformError("BUILD_FAILED", message, {
    details: { output: failure?.output || message, ...(files.length > 0 ? { files } : {}) },
  });
}

function limitIn(end: BoxEnd, failure: ReportedFailure | undefined, limits: BuildLimits): string | undefined {
  const { timeoutMs, memoryBytes, diskBytes, pids, artifactBytes } = limits;
  if (end === "timeout") return `the build took longer than ${timeoutMs / 1000} s (BUILD_TIMEOUT)`;
  if (end === "flooded") return `the build gave back more than ${artifactBytes} bytes for each program`;
  if (end === "memory" || failure?.limit === "memory") {
    return `the build needed more memory than ${memoryBytes / MIB} MiB, its files included (BUILD_MEMORY)`;
  }
  if (failure?.limit === "disk") return `the build's files needed more than ${diskBytes / MIB} MiB (BUILD_DISK)`;
  if (failure?.limit === "file")
    return `the build wrote a file of more than ${FILE_LIMIT_MIB} MiB, which no sandbox may`;
  return failure?.limit === "processes" ? `the build needed more than ${pids} processes and threads` : undefined;
}
