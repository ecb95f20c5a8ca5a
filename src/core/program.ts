import type { EgressPolicy } from "./egress-policy.ts";
import type { Style } from "./function.ts";

/** A JSON value that crosses a process boundary. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** User code as it was uploaded. */
export interface Source {
  /** Of the main file. */
  readonly text: string;
  /** Path of the main file among `files`; undefined for a single text without a name. */
  readonly entry?: string | undefined;
  /** The other files by path, as text. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** Programs that were built from it, or uploaded instead of any text. */
  readonly artifacts?: Artifacts | undefined;
  /** Which of the artifacts runs. */
  readonly mode?: ArtifactMode | undefined;
}

/** `native`: a Linux executable (ELF); `wasm`: a WebAssembly module for WASI preview 1. */
export type ArtifactMode = "native" | "wasm";
export type Artifacts = Readonly<Partial<Record<ArtifactMode, Buffer>>>;

/** User code made ready for a worker: compiled where its language needs it, immutable, safe to cache by content. */
export interface Program {
  readonly language: string;
  /** The base whose workers can run it: `node`, `python`. */
  readonly base: string;
  /** What the shim gets: the code itself, compiled or rewritten; the bytes of an executable or a module. */
  readonly code: string | Buffer;
  /** Facts for the shim beside the code, in the shape its runtime defines. */
  readonly options: { readonly [key: string]: Json };
  /** True when the code surely ends by returning a value, so that no printed line can be its result. */
  readonly alwaysReturns: boolean;
}

/** What a worker is bound to. Two versions with the same `id` may share a warm worker; others never do. */
export interface Version {
  /** Unique for function, number and the state of its variables and settings, or for ad-hoc code by its hash. */
  readonly id: string;
  /** Undefined for ad-hoc code. */
  readonly function: VersionOwner | undefined;
  readonly program: Program;
  /** Undefined where nobody has looked. */
  readonly style?: Style | undefined;
  readonly egress: EgressPolicy;
  /** Runs that one worker may have at once. */
  readonly concurrency: number;
  /** True where a worker serves one run and ends. */
  readonly singleUse: boolean;
  /** Variables and secrets; they become the worker's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Values that nobody may read in logs and stored events. */
  readonly secrets: readonly string[];
}

/** Which function a version belongs to. */
export interface VersionOwner {
  readonly id: string;
  readonly name: string;
  /** The version's number. */
  readonly number: number;
}
