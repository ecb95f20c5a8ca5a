import type { Execution } from "../../core/execution.ts";
import type { Store, StoredKey, StoredVersion } from "../store.ts";
import type { Cell } from "./execution-cells.ts";

export type NewVersion = Parameters<Store["addVersion"]>[0];
export type ExecutionQuery = Parameters<Store["listExecutions"]>[0];

/** What the worker thread is started with. */
export interface SqliteSettings {
  readonly file: string;
  readonly keepExecutions: number;
}

/** What the main thread asks of the worker thread: each call takes one argument. */
export interface SqliteCalls {
  addVersion(upload: NewVersion): StoredVersion;
  findVersion(wanted: {
    readonly functionName: string;
    readonly number: number | undefined;
  }): StoredVersion | undefined;
  hasFunction(functionName: string): boolean;
  appendExecutions(cells: readonly Cell[]): void;
  listExecutions(query: ExecutionQuery): Execution[];
  addKey(key: StoredKey): void;
  listKeys(nothing: undefined): StoredKey[];
  removeKey(id: string): boolean;
  /** The last call: the thread ends after it. */
  close(nothing: undefined): void;
}

export type CallName = keyof SqliteCalls;

export interface CallMessage<Name extends CallName = CallName> {
  readonly id: number;
  readonly name: Name;
  readonly argument: Parameters<SqliteCalls[Name]>[0];
}

/** Ids of calls begin above it; the message with this one says whether the database could be opened. */
export const OPENING_ID = 0;

export type AnswerMessage =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: Error };
