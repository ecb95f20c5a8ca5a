import { Worker } from "node:worker_threads";
import { PlatformError } from "../../core/errors.ts";
import { nameTaken } from "../name-taken.ts";
import type { Store } from "../store.ts";
import { ExecutionPacker, packed, type PackedExecutions } from "./packed-executions.ts";
import type { CallName, SqliteCalls, SqliteSettings } from "./sqlite-calls.ts";
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
    resourceLimits: { maxYoungGenerationSizeMb: 2 }, // 2 MB less at rest, and no slower (bench/idle.ts, bench/history.ts)
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
  const forward =
    <Name extends CallName>(name: Name) =>
    (...args: Parameters<SqliteCalls[Name]>) =>
      calls.call(name, ...args);
  const append = (batch: PackedExecutions): Promise<void> =>
    calls.handOver([batch.numbers.buffer, batch.texts.buffer], "appendExecutions", batch);
  return {
    createFunction: forward("createFunction"),
    findFunction: forward("findFunction"),
    findFirstFunction: forward("findFirstFunction"),
    listFunctions: forward("listFunctions"),
    updateFunction: forward("updateFunction"),
    deleteFunction: forward("deleteFunction"),
    async addVersion(upload) {
      const added = await calls.call("addVersion", upload);
      if (added === "taken") throw nameTaken(upload.functionName);
      if (added !== "exists") return added;
      const which = JSON.stringify(upload.upload?.label);
      throw new PlatformError("VERSION_EXISTS", `function "${upload.functionName}" has a version ${which} already`);
    },
    findVersion: forward("findVersion"),
    findUpload: forward("findUpload"),
    listUploads: forward("listUploads"),
    async findBlob(hash) {
      const bytes = await calls.call("findBlob", hash);
      return bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    listVersions: forward("listVersions"),
    activateVersion: forward("activateVersion"),
    deleteVersion: forward("deleteVersion"),
    putAlias: forward("putAlias"),
    listAliases: forward("listAliases"),
    deleteAlias: forward("deleteAlias"),
    listVariables: forward("listVariables"),
    replaceVariables: forward("replaceVariables"),
    putVariable: forward("putVariable"),
    deleteVariable: forward("deleteVariable"),
    kvGet: forward("kvGet"),
    kvChange: forward("kvChange"),
    kvList: forward("kvList"),
    appendExecutions: (executions) => append(packed(executions)),
    newExecutionBatch() {
      const packer = new ExecutionPacker();
      return {
        get rows() {
          return packer.rows;
        },
        add: (execution) => packer.add(execution),
        append: () => append(packer.take()),
      };
    },
    findExecution: forward("findExecution"),
    listExecutions: forward("listExecutions"),
    endInterrupted: forward("endInterrupted"),
    metrics: forward("metrics"),
    addKey: forward("addKey"),
    listKeys: forward("listKeys"),
    removeKey: forward("removeKey"),
    addSession: forward("addSession"),
    listSessions: forward("listSessions"),
    removeSession: forward("removeSession"),
    async close() {
      await calls.call("close");
      worker.ref(); // the answer is the last call's, but the process must see the thread end
      await calls.ended;
    },
  };
}
