import type { NewVersion, Store, StoredVersion } from "../store.ts";
import type { PackedExecutions } from "./packed-executions.ts";

/** What the worker thread is started with. */
export interface SqliteSettings {
  readonly file: string;
  readonly keepExecutions: number;
}

/** What crosses the threads in another shape: an error loses its class there, and a Buffer becomes plain bytes. */
type Own = Omit<Store, "appendExecutions" | "newExecutionBatch" | "addVersion" | "findBlob">;

/** What the main thread asks of the worker thread: the store, where answers are there at once. After `close` the thread ends. */
export type SqliteCalls = {
  readonly [Name in keyof Own]: (...args: Parameters<Own[Name]>) => Awaited<ReturnType<Own[Name]>>;
} & {
  readonly appendExecutions: (batch: PackedExecutions) => void;
  readonly addVersion: (
    upload: NewVersion,
  ) => { readonly version: StoredVersion; readonly isNew: boolean } | "exists" | "taken";
  readonly findBlob: (hash: string) => Uint8Array<ArrayBuffer> | undefined;
};

export type CallName = keyof SqliteCalls;

export interface CallMessage<Name extends CallName = CallName> {
  readonly id: number;
  readonly name: Name;
  readonly args: Parameters<SqliteCalls[Name]>;
}

/** Ids of calls begin above it; the message with this one says whether the database could be opened. */
export const OPENING_ID = 0;

export type AnswerMessage =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: Error };
