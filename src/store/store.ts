import type { Scope } from "../core/access.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import type { Execution, ExecutionStatus, ExecutionSummary, Trigger } from "../core/execution.ts";
import type { AliasTarget, FunctionSettings, Style } from "../core/function.ts";
import type { ArtifactMode, Artifacts } from "../core/program.ts";

/** A function without its versions. */
export interface StoredFunction {
  /** UUIDv7. */
  readonly id: string;
  /** Unique. */
  readonly name: string;
  readonly settings: FunctionSettings;
  /** The version that calls without a version get; undefined while there is none. */
  readonly activeVersion: number | undefined;
  /** Of the active version. */
  readonly language: string | undefined;
  readonly createdAtMs: number;
  /** Of its settings, versions, variables or secrets. */
  readonly updatedAtMs: number;
}

/** One immutable upload of a function. */
export interface StoredVersion {
  readonly functionId: string;
  readonly functionName: string;
  /** Unix seconds at upload; unique and strictly increasing per function. */
  readonly number: number;
  readonly language: string;
  /** The text of its main file. */
  readonly source: string;
  /** Path of the main file where there are more; undefined for a single text. */
  readonly entry: string | undefined;
  /** The other files by path, as text. */
  readonly files: Readonly<Record<string, string>>;
  /** Programs that were built from it or uploaded; their bytes are in `findBlob`. */
  readonly artifacts: Readonly<Partial<Record<ArtifactMode, StoredBlob>>>;
  /** Which of them runs; undefined where there are none. */
  readonly mode: ArtifactMode | undefined;
  /** How the native API knows it; undefined for a version that did not come that way. */
  readonly upload: NativeUpload | undefined;
  /** Undefined where nobody has looked. */
  readonly style: Style | undefined;
  /** What its uploader asked for; undefined: whatever the function or the server allows. */
  readonly egress: EgressPolicy | undefined;
  /** Name of the key that uploaded it; undefined where none was needed. */
  readonly createdBy: string | undefined;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
  /** SHA-256 over language, entry, all files and artifacts, hexadecimal. */
  readonly contentHash: string;
  /** Bytes of all files and artifacts together. */
  readonly sizeBytes: number;
}

/** Bytes that are kept once, however many versions have them. */
export interface StoredBlob {
  /** SHA-256, hexadecimal. */
  readonly hash: string;
  readonly sizeBytes: number;
}

export interface NativeUpload {
  /** UUIDv4, unique among all functions. */
  readonly id: string;
  /** The version's name as its uploader gave it; unique in its function. */
  readonly label: string;
  readonly description: string;
}

export type VersionSummary = Omit<StoredVersion, "source" | "files">;

export interface NewVersion {
  /** Of a function that need not be there: it is made with `DEFAULT_SETTINGS` then. */
  readonly functionName: string;
  /** Of a function that must not be there yet: both are made in one step, or neither. */
  readonly newFunction?: FunctionSettings | undefined;
  readonly language: string;
  readonly source: string;
  readonly entry?: string | undefined;
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly artifacts?: Artifacts | undefined;
  readonly mode?: ArtifactMode | undefined;
  readonly upload?: NativeUpload | undefined;
  readonly style?: Style | undefined;
  readonly egress?: EgressPolicy | undefined;
  readonly createdBy?: string | undefined;
  /** Makes it the function's active version. True where absent. */
  readonly activate?: boolean;
  /** Takes a version of the function with the same content and egress instead of making another one. False where absent. */
  readonly reuse?: boolean;
  /** The least that its number may be; undefined: the seconds of `nowMs`. For copies of what another store has. */
  readonly number?: number | undefined;
  readonly nowMs: number;
}

export interface StoredAlias {
  readonly name: string;
  /** One, or two that share the calls. */
  readonly targets: readonly AliasTarget[];
}

/** A variable, or a secret, which the store only ever sees encrypted. */
export type StoredVariable =
  | { readonly name: string; readonly secret: false; readonly value: string }
  | { readonly name: string; readonly secret: true; readonly sealed: string };

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

/** A browser that has logged in. */
export interface StoredSession {
  /** SHA-256 of the cookie, hexadecimal. */
  readonly hash: string;
  /** Id of the key it logged in with; undefined for the operator's. The session ends when the key is removed. */
  readonly keyId: string | undefined;
  readonly scope: Scope;
  readonly expiresAtMs: number;
}

/** A page of a list; `cursor` leads to the next one and is undefined on the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | undefined;
}

interface PageQuery {
  readonly limit: number;
  /** As an earlier page gave it; one that is not ours gives an empty page. */
  readonly cursor?: string | undefined;
}

export interface FunctionQuery extends PageQuery {
  /** Part of the name or description, in any case. */
  readonly search?: string | undefined;
  readonly language?: string | undefined;
  /** `name` ascending, the others with the newest first. */
  readonly sort: "name" | "created" | "updated";
}

export interface ExecutionQuery extends PageQuery {
  readonly functionId?: string | undefined;
  /** Of executions whose function may be gone. */
  readonly functionName?: string | undefined;
  readonly version?: number | undefined;
  readonly status?: ExecutionStatus | undefined;
  readonly trigger?: Trigger | undefined;
  /** Unix milliseconds; the first included, the second not. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /**
   * Words that its log lines or its error hold, each of them, or a longer word that begins so, in any case. A word is letters
   * and digits, and all else parts words; of a word the first 64 characters count, of a text the first 32 words, and of what
   * was printed the first 64 KiB. A text without a word asks for nothing.
   */
  readonly text?: string | undefined;
}

/** Which store of keys and values: one per function, and one that all functions share. */
export type KvScope = { readonly functionId: string } | "global";

/** A value is JSON text. */
export type KvChange =
  /** Keeps until it expires, where that is given. The other changes leave the time at which a key expires as it is. */
  | { readonly kind: "set"; readonly key: string; readonly value: string; readonly expiresAtMs?: number | undefined }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "incr"; readonly key: string; readonly by: number }
  /** `old` or `next` undefined: there is none. Compares texts, so that equal JSON must be written equally. */
  | {
      readonly kind: "cas";
      readonly key: string;
      readonly old: string | undefined;
      readonly next: string | undefined;
    };

/**
 * What a change did: `applied` is false for a key that was not there to delete and a swap whose `old` was not there. `value` is
 * what the key holds then. Nothing is kept of a function that is not there: a change of its keys is not `applied`.
 */
export type KvResult =
  | { readonly ok: true; readonly applied: boolean; readonly value: string | undefined }
  | { readonly ok: false; readonly why: "full" | "not-a-number" };

/** A minute, or a number of them, of one function's calls: those that were accepted then and have ended. */
export interface MetricsBucket {
  /** A multiple of the step, in Unix time. */
  readonly fromMs: number;
  readonly calls: number;
  /** Calls that ended otherwise than with success. */
  readonly errors: number;
  readonly coldStarts: number;
  readonly runMsSum: number;
  readonly runMsMax: number;
  /** Of the calls that are known to have used any. */
  readonly cpuMsSum: number;
  /** The most that a worker had held; 0 where nobody knows. */
  readonly peakMemoryBytes: number;
  /** Of the run time, within 5 %. Undefined where nothing was called. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** Executions that wait until they are stored together; where the store can, in less than the objects would need. */
export interface ExecutionBatch {
  /** How many. */
  readonly rows: number;
  add(execution: Execution): void;
  /** As `appendExecutions`; the batch is used up then. */
  append(): Promise<void>;
}

/**
 * What the platform remembers. Every method rejects with PlatformError STORE_UNAVAILABLE when the medium fails. What was
 * stored is there after a power cut, but an execution may be lost in one, see `appendExecutions`.
 *
 * Text may hold any Unicode, NUL included, except that a lone surrogate becomes U+FFFD: text leaves us as UTF-8, which
 * has no form for one, so the code that is kept is the code that would have run anyway.
 */
export interface Store {
  // --- functions ---

  /** Makes a function that has no version yet. Resolves to undefined where the name is taken. */
  createFunction(created: {
    /** UUIDv7 that no function has; undefined: a new one. For copies of what another store has. */
    readonly id?: string | undefined;
    readonly name: string;
    readonly settings: FunctionSettings;
    readonly nowMs: number;
  }): Promise<StoredFunction | undefined>;

  /** By id or by name; undefined where there is none. */
  findFunction(wanted: { readonly id: string } | { readonly name: string }): Promise<StoredFunction | undefined>;

  /** The function with the longest of these names that is there. */
  findFirstFunction(names: readonly string[]): Promise<StoredFunction | undefined>;

  listFunctions(query: FunctionQuery): Promise<Page<StoredFunction>>;

  /** Resolves to the function as it is then, `missing`, or `taken` where another one has the name. */
  updateFunction(
    id: string,
    changes: {
      readonly name?: string | undefined;
      readonly settings?: FunctionSettings | undefined;
      readonly nowMs: number;
    },
  ): Promise<StoredFunction | "missing" | "taken">;

  /** Deletes all that belongs to it: versions, aliases, variables, secrets, keys and values, executions, logs, metrics. False where there is none. */
  deleteFunction(id: string): Promise<boolean>;

  // --- versions ---

  /**
   * Stores a new version; resolves when it is durable. Its number is `max(seconds of nowMs, last number + 1)`, also among
   * concurrent callers. `isNew` is false where `reuse` found the same content.
   *
   * @throws PlatformError VERSION_EXISTS where the function has a version with the label of `upload`, NAME_TAKEN where it is there
   *   and should not be; nothing is stored then
   */
  addVersion(upload: NewVersion): Promise<{ readonly version: StoredVersion; readonly isNew: boolean }>;

  /** The version `number` of a function, or its active one where `number` is undefined; undefined where there is none. */
  findVersion(functionId: string, number: number | undefined): Promise<StoredVersion | undefined>;

  /** By the id of its `upload`; undefined where there is none. */
  findUpload(id: string): Promise<VersionSummary | undefined>;

  /** The versions that have an `upload`, the newest first. */
  listUploads(query: PageQuery): Promise<Page<VersionSummary>>;

  /** Bytes of an artifact, by its hash; undefined where no version has it. Those that no version has any more are removed. */
  findBlob(hash: string): Promise<Buffer | undefined>;

  /** The newest first. */
  listVersions(functionId: string, query: PageQuery): Promise<Page<VersionSummary>>;

  activateVersion(functionId: string, number: number, nowMs: number): Promise<"done" | "missing">;

  /** One that is active, or that an alias points to, is `in-use`. Its number is never given again. */
  deleteVersion(functionId: string, number: number, nowMs: number): Promise<"done" | "missing" | "in-use">;

  /** False where one of the versions is not there. */
  putAlias(functionId: string, alias: StoredAlias, nowMs: number): Promise<boolean>;
  listAliases(functionId: string): Promise<StoredAlias[]>;
  deleteAlias(functionId: string, name: string): Promise<boolean>;

  // --- variables and secrets ---

  /** By name, in its order. */
  listVariables(functionId: string): Promise<StoredVariable[]>;
  /** Makes these the function's plain variables and leaves its secrets; a name that is a secret is `taken`. */
  replaceVariables(
    functionId: string,
    values: Readonly<Record<string, string>>,
    nowMs: number,
  ): Promise<"done" | "missing" | "taken">;
  putVariable(functionId: string, variable: StoredVariable, nowMs: number): Promise<"done" | "missing" | "taken">;
  /** False where there is none. */
  deleteVariable(
    functionId: string,
    wanted: { readonly name: string; readonly secret: boolean },
    nowMs: number,
  ): Promise<boolean>;

  // --- keys and values of functions ---

  kvGet(scope: KvScope, key: string, nowMs: number): Promise<string | undefined>;
  /**
   * Changes one key, atomically and durably; calls that come together share one sync of the disk. `full` where the scope
   * would hold more than `limitBytes` of keys and values.
   */
  kvChange(scope: KvScope, change: KvChange, limitBytes: number, nowMs: number): Promise<KvResult>;
  /** In the order of the keys' bytes; expired ones are not there. */
  kvList(
    scope: KvScope,
    query: PageQuery & { readonly prefix?: string | undefined; readonly nowMs: number },
  ): Promise<Page<{ readonly key: string; readonly value: string; readonly expiresAtMs: number | undefined }>>;

  // --- executions ---

  /**
   * Stores executions as one batch, in order; all of them or none. What was stored survives a crash of this process,
   * though a power cut may lose the last batches. One whose `id` is stored with the status `running` is replaced, one that is
   * stored with its end is left as it is, so a batch can be sent again. The oldest beyond `keepExecutions` (given at opening) and beyond their
   * function's own retention are removed with their logs: a bounded number at once, and the rest with the appends that follow
   * and in the background. One of a function that was deleted is not kept.
   */
  appendExecutions(executions: readonly Execution[]): Promise<void>;

  /** For who has them one by one. */
  newExecutionBatch(): ExecutionBatch;

  findExecution(id: string): Promise<Execution | undefined>;

  /** The last appended first; one that replaced a running one has its place. */
  listExecutions(query: ExecutionQuery): Promise<Page<ExecutionSummary>>;

  /** Ends what is stored as running with the status `error`, since nothing runs when the server starts. Resolves to how many there were. */
  endInterrupted(error: string): Promise<number>;

  /** Steps that had calls, oldest first. `stepMs` is a multiple of a minute; whole minutes count. Steps more than 100 days before the last call of any function may be gone. */
  metrics(
    functionId: string,
    range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
  ): Promise<MetricsBucket[]>;

  // --- keys and sessions ---

  /** Stores a key; resolves when it is durable. */
  addKey(key: StoredKey): Promise<void>;
  /** Every key, oldest first. */
  listKeys(): Promise<StoredKey[]>;
  /** Resolves when the removal is durable, that of its sessions, too; to false where there is no such key. */
  removeKey(id: string): Promise<boolean>;

  addSession(session: StoredSession): Promise<void>;
  /** Those that have not expired at `nowMs`; others are removed. */
  listSessions(nowMs: number): Promise<StoredSession[]>;
  removeSession(hash: string): Promise<boolean>;

  /** Finishes the calls made before it, then lets go of the medium. No call may follow. */
  close(): Promise<void>;
}
