import type { Scope } from "../core/access.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import type { Execution } from "../core/execution.ts";

/** One immutable upload of a function. */
export interface StoredVersion {
  readonly functionName: string;
  /** Unix seconds at upload; unique and strictly increasing per function. */
  readonly number: number;
  readonly language: string;
  readonly source: string;
  /** What its uploader asked for; undefined: whatever the server allows. */
  readonly egress: EgressPolicy | undefined;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
}

/** An API key, without the key itself. */
export interface StoredKey {
  /** UUIDv7. */
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  /** SHA-256 of the key, hexadecimal. */
  readonly hash: string;
  /** The key's first characters, so that people can tell theirs apart. */
  readonly hint: string;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
}

/**
 * What the platform remembers. Every method rejects with PlatformError STORE_UNAVAILABLE when the medium fails. A version
 * that was stored is there after a power cut; an execution may be lost in one, see `appendExecutions`.
 *
 * Text may hold any Unicode, NUL included, except that a lone surrogate becomes U+FFFD: text leaves us as UTF-8, which
 * has no form for one, so the code that is kept is the code that would have run anyway.
 */
export interface Store {
  /**
   * Stores a new version and makes it the function's latest; resolves when it is durable.
   * Its number is `max(seconds of nowMs, last number + 1)`, also among concurrent callers.
   */
  addVersion(upload: {
    readonly functionName: string;
    readonly language: string;
    readonly source: string;
    readonly egress?: EgressPolicy | undefined;
    readonly nowMs: number;
  }): Promise<StoredVersion>;

  /** The version `number` of a function, or its latest where `number` is undefined; undefined where there is none. */
  findVersion(functionName: string, number: number | undefined): Promise<StoredVersion | undefined>;

  /** True when a function of that name exists. */
  hasFunction(functionName: string): Promise<boolean>;

  /**
   * Appends finished executions as one batch, in order; all of them or none. What was stored survives a crash of this
   * process, though a power cut may lose the last batches. An execution whose `id` is stored already is left as it is, so
   * a batch can be sent again. The oldest beyond `keepExecutions` (given at opening) are removed with their logs.
   */
  appendExecutions(executions: readonly Execution[]): Promise<void>;

  /** The last appended executions first, at most `limit`, of one function where `functionName` is given. */
  listExecutions(query: { readonly functionName?: string; readonly limit: number }): Promise<Execution[]>;

  /** Stores a key; resolves when it is durable. */
  addKey(key: StoredKey): Promise<void>;

  /** Every key, oldest first. */
  listKeys(): Promise<StoredKey[]>;

  /** Resolves when the removal is durable; to false where there is no such key. */
  removeKey(id: string): Promise<boolean>;

  /** Finishes the calls made before it, then lets go of the medium. No call may follow. */
  close(): Promise<void>;
}
