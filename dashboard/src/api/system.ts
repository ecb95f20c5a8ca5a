// What /api/system tells. Its schema leaves the shape open, since each part of the server adds its own.
import type { SystemSummary } from "./schema.ts";

export type WorkerState = "booting" | "idle" | "warm" | "busy" | "ending";

export interface Worker {
  readonly id: number;
  readonly base: string;
  readonly state: WorkerState;
  /** What it is bound to: a version's id. Absent while it belongs to nobody. */
  readonly version?: string;
  readonly ageMs: number;
  readonly runs: number;
  readonly memoryBytes?: number;
}

export interface Runtime {
  readonly base: string;
  readonly languages: readonly string[];
  readonly found: boolean;
  readonly title?: string;
  /** Why it was not found. */
  readonly reason?: string;
}

/** What makes programs of a language whose runtime takes finished ones only. */
export interface Builder {
  readonly language: string;
  readonly found: boolean;
  readonly title?: string;
  readonly reason?: string;
}

export interface SandboxFeature {
  readonly name: string;
  readonly inForce: boolean;
  readonly detail: string;
}

/** One of the servers on a store, as it described itself last. */
export interface Node {
  readonly id: string;
  readonly host?: string;
  readonly pid?: number;
  readonly version?: string;
  readonly url?: string;
  readonly startedAt?: string;
  readonly memoryBytes?: number;
  readonly pool?: {
    readonly maxWorkers: number;
    readonly waiting: number;
    readonly workers: number;
    readonly busy: number;
  };
}

export type System = Omit<SystemSummary, "runtimes" | "pool" | "nodes" | "store"> & {
  readonly runtimes: readonly Runtime[];
  readonly pool: {
    readonly maxWorkers: number;
    readonly waiting: number;
    readonly maxQueue: number;
    readonly workers: readonly Worker[];
  };
  readonly sandbox: {
    readonly features: readonly SandboxFeature[];
    readonly limits: Readonly<Record<string, number>>;
  };
  /** Milliseconds and bytes, by name. */
  readonly limits: Readonly<Record<string, number>>;
  readonly history: { readonly lostExecutions: number };
  readonly builders?: readonly Builder[];
  readonly jobs?: Readonly<Record<string, unknown>>;
  readonly store?: { readonly kind: string; readonly place?: string };
  /** Every server on the same store; absent where there is none but this one. */
  readonly nodes?: readonly Node[];
  /** Why the nodes could not be asked for. */
  readonly storeError?: string;
};
