import type { EgressPolicy } from "./egress-policy.ts";

/** How a program takes its invocations; docs/wire-protocol.md describes each. */
export const STYLES = ["script", "web", "lambda", "main", "asgi", "wsgi", "handler"] as const;
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
};

/** A share of an alias's calls; weights are whole percents that add up to 100. */
export interface AliasTarget {
  readonly version: number;
  readonly weight: number;
}
