import { Worker } from "node:worker_threads";
import type { Store } from "../store.ts";
import { toCells } from "./execution-cells.ts";
import type { SqliteSettings } from "./sqlite-calls.ts";
import { WorkerCalls } from "./worker-calls.ts";

/**
 * The store in one SQLite file. All of SQLite happens in a worker thread; this one only sends messages. A call keeps the
 * process alive, an idle store does not.
 *
 * @param settings `file` is created where it is missing, its folder is not; one process at a time may have it open.
 *   `keepExecutions` is the number of executions to keep
 * @throws PlatformError STORE_UNAVAILABLE whose message names the file and what to do, where it is damaged, foreign, newer
 *   than this program, not writable, or in use; the file is then as it was
 */
export async function openSqliteStore(settings: SqliteSettings): Promise<Store> {
  const worker = new Worker(new URL("./sqlite-worker.ts", import.meta.url), {
    name: "store",
    workerData: settings,
    execArgv: [], // the flags of this process are not for it: one such as --input-type would stop it
  });
  const calls = new WorkerCalls(worker);
  try {
    await calls.opened;
  } catch (refusal) {
    await worker.terminate();
    throw refusal;
  }
  return {
    addVersion: (upload) => calls.call("addVersion", upload),
    findVersion: (functionName, number) => calls.call("findVersion", { functionName, number }),
    hasFunction: (functionName) => calls.call("hasFunction", functionName),
    appendExecutions: (executions) => calls.call("appendExecutions", toCells(executions)),
    listExecutions: (query) => calls.call("listExecutions", query),
    addKey: (key) => calls.call("addKey", key),
    listKeys: () => calls.call("listKeys", undefined),
    removeKey: (id) => calls.call("removeKey", id),
    async close() {
      await calls.call("close", undefined);
      worker.ref(); // the answer is the last call's, but the process must see the thread end
      await calls.ended;
    },
  };
}
