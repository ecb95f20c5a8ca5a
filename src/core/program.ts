import type { EgressPolicy } from "./egress-policy.ts";

/** A JSON value that crosses a process boundary. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** User code made ready for a worker: compiled where its language needs it, immutable, safe to cache by content. */
export interface Program {
  readonly language: string;
  /** The base whose workers can run it: `node`, `python`. */
  readonly base: string;
  /** What the shim gets: the code itself, compiled or rewritten. */
  readonly code: string;
  /** Facts for the shim beside the code, in the shape its runtime defines. */
  readonly options: { readonly [key: string]: Json };
  /** True when the code surely ends by returning a value, so that no printed line can be its result. */
  readonly alwaysReturns: boolean;
}

/** What a worker is bound to. Two versions with the same `id` may share a warm worker; others never do. */
export interface Version {
  /** Unique for function and number, or for ad-hoc code by its hash. */
  readonly id: string;
  /** The function's name; undefined for ad-hoc code. */
  readonly functionName: string | undefined;
  /** The version's number; undefined for ad-hoc code. */
  readonly number: number | undefined;
  readonly program: Program;
  readonly egress: EgressPolicy;
}
