import type { EgressPolicy } from "./egress-policy.ts";

/** How a program takes its invocations; docs/wire-protocol.md describes each. */
export const STYLES = ["script", "web", "lambda", "main", "asgi", "wsgi", "handler", "program"] as const;
export type Style = (typeof STYLES)[number];

/** What a function's owner can set, beside its code. */
export interface FunctionSettings {
  readonly description: string;
  /** Refuses every call. */
  readonly disabled: boolean;
  /** Undefined: the server's. Never more than that. */
  readonly timeoutMs: number | undefined;
  /** Calls that one worker may serve at once; only programs that are no bare scripts can take more than one. */
  readonly concurrency: number;
  /** `fresh`: a worker serves one call and ends. */
  readonly isolation: "warm" | "fresh";
  /** Of versions that do not say it themselves; undefined: whatever the server allows. */
  readonly egress: EgressPolicy | undefined;
  /** `public`: `/fn/` answers callers without a key on every address. */
  readonly access: "key" | "public";
  /** Origins whose pages may read the function's answers; `*` for all. */
  readonly corsOrigins: readonly string[];
  /** Calls a minute that all callers of `/fn/` together may make; undefined: any number. */
  readonly callsPerMinute: number | undefined;
  /** Keeps responses beside events. */
  readonly saveResponses: boolean;
  /** How long executions are kept, and how many; undefined: as all others. */
  readonly retentionDays: number | undefined;
  readonly retentionCount: number | undefined;
  /** Of its jobs, where they do not say it themselves. */
  readonly retry: RetrySettings;
  /** Of its jobs that may run at once, on all nodes together; undefined: any number. */
  readonly jobConcurrency: number | undefined;
  /** When it is run by itself; undefined: never. */
  readonly schedule: Schedule | undefined;
}

/** The wait before the attempt after the n-th is a random share of `backoffMs` × 2^(n-1), at most `maxBackoffMs`. */
export interface RetrySettings {
  /** The first one included. */
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/** What becomes of a fire when the run of the one before goes on: both run, it is left out, or it ends the other and runs. */
export const OVERLAPS = ["allow", "forbid", "replace"] as const;
/** Of the fires that nobody was there for: none is run, one for all of them, or each. */
export const MISSED_POLICIES = ["skip", "once", "all"] as const;

export interface Schedule {
  /** Five fields, a nickname (`@daily`), or `@every` and a duration (`@every 90s`). */
  readonly cron: string;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly overlap: (typeof OVERLAPS)[number];
  readonly missed: (typeof MISSED_POLICIES)[number];
  readonly paused: boolean;
  /** JSON text that each run gets; undefined: `{"scheduledAt": …}`. */
  readonly input: string | undefined;
}

export const DEFAULT_SETTINGS: FunctionSettings = {
  description: "",
  disabled: false,
  timeoutMs: undefined,
  concurrency: 1,
  isolation: "warm",
  egress: undefined,
  access: "key",
  corsOrigins: ["*"],
  callsPerMinute: undefined,
  saveResponses: false,
  retentionDays: undefined,
  retentionCount: undefined,
  retry: { attempts: 3, backoffMs: 1_000, maxBackoffMs: 300_000 },
  jobConcurrency: undefined,
  schedule: undefined,
};

/** A share of an alias's calls; weights are whole percents that add up to 100. */
export interface AliasTarget {
  readonly version: number;
  readonly weight: number;
}
