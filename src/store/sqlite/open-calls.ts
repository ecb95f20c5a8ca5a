import { systemClock } from "../../core/clock.ts";
import { AliasesTable } from "./aliases-table.ts";
import { BlobsTable } from "./blobs-table.ts";
import { Clearing } from "./clearing.ts";
import { ExecutionRemoval } from "./execution-removal.ts";
import { ExecutionSearch } from "./execution-search.ts";
import { ExecutionsTable } from "./executions-table.ts";
import { FunctionKeys } from "./function-keys.ts";
import { FunctionsTable } from "./functions-table.ts";
import { Housekeeping } from "./housekeeping.ts";
import { KeysTable } from "./keys-table.ts";
import { KvTable } from "./kv-table.ts";
import { openDatabase } from "./open-database.ts";
import { Retention } from "./retention.ts";
import { SessionsTable } from "./sessions-table.ts";
import type { SqliteCalls, SqliteSettings } from "./sqlite-calls.ts";
import { durableTransaction } from "./transaction.ts";
import { VariablesTable } from "./variables-table.ts";
import { VersionsTable } from "./versions-table.ts";

export interface OpenCalls {
  /** `kvChange` wants to be within a transaction; the others see to theirs. */
  readonly calls: SqliteCalls;
  /** Runs `work` as one transaction that reaches the disk. */
  readonly durably: (work: () => void) => void;
}

/** Opens the database; each call is carried out at once, on this thread. */
export function openCalls({ file, keepExecutions }: SqliteSettings): OpenCalls {
  const opened = openDatabase(file);
  const { database } = opened;
  const keys = new KeysTable(database);
  const sessions = new SessionsTable(database);
  const functionKeys = new FunctionKeys(database);
  const executions = new ExecutionsTable(database, functionKeys);
  const removal = new ExecutionRemoval(database, executions);
  const retention = new Retention(database, keepExecutions, executions, removal);
  const search = new ExecutionSearch(database, functionKeys, executions);
  const functions = new FunctionsTable(database, functionKeys, retention);
  const aliases = new AliasesTable(database, functions);
  const variables = new VariablesTable(database, functions);
  const blobs = new BlobsTable(database);
  const versions = new VersionsTable(database, functions, aliases, blobs);
  const kv = new KvTable(database, functions);
  const clearing = new Clearing({ functions: functionKeys, executions, removal, kv, versions });
  const housekeeping = new Housekeeping({ clearing, retention, executions });

  const calls: SqliteCalls = {
    createFunction: (created) => functions.create(created),
    findFunction: (wanted) => functions.find(wanted),
    findFirstFunction: (names) => functions.findFirst(names),
    listFunctions: (query) => functions.list(query),
    updateFunction(id, changes) {
      const updated = functions.update(id, changes);
      housekeeping.wake(); // it may keep fewer executions now
      return updated;
    },
    deleteFunction(id) {
      const isThere = functions.delete(id, (key) => {
        aliases.clear(key);
        variables.clear(key);
      });
      housekeeping.wake();
      return isThere;
    },

    addVersion: (upload) => versions.add(upload),
    findVersion: (functionId, number) => versions.find(functionId, number),
    findUpload: (id) => versions.findUpload(id),
    listUploads: (query) => versions.listUploads(query),
    findBlob: (hash) => blobs.find(hash),
    listVersions: (functionId, query) => versions.list(functionId, query),
    activateVersion: (functionId, number, nowMs) => versions.activate(functionId, number, nowMs),
    deleteVersion: (functionId, number, nowMs) => versions.delete(functionId, number, nowMs),
    putAlias: (functionId, alias, nowMs) => aliases.put(functionId, alias, nowMs),
    listAliases: (functionId) => aliases.list(functionId),
    deleteAlias: (functionId, name) => aliases.delete(functionId, name),

    listVariables: (functionId) => variables.list(functionId),
    replaceVariables: (functionId, values, nowMs) => variables.replace(functionId, values, nowMs),
    putVariable: (functionId, variable, nowMs) => variables.put(functionId, variable, nowMs),
    deleteVariable: (functionId, wanted, nowMs) => variables.delete(functionId, wanted, nowMs),

    kvGet: (scope, key, nowMs) => kv.get(scope, key, nowMs),
    kvChange: (scope, change, limitBytes, nowMs) => kv.change(scope, change, limitBytes, nowMs),
    kvList: (scope, query) => kv.list(scope, query),

    appendExecutions(batch) {
      executions.append(batch, (added) => retention.afterAppend(batch.rows, added, systemClock.now()));
    },
    findExecution: (id) => executions.find(id),
    listExecutions: (query) => search.list(query),
    endInterrupted: (error) => executions.endRunning(error),
    metrics(functionId, range) {
      const key = functionKeys.find(functionId);
      return key === undefined ? [] : executions.metrics.list(key, range);
    },

    addKey: (key) => keys.add(key),
    listKeys: () => keys.list(),
    removeKey: (id) => keys.remove(id),
    addSession: (session) => sessions.add(session),
    listSessions: (nowMs) => sessions.list(nowMs),
    removeSession: (hash) => sessions.remove(hash),

    close() {
      housekeeping.stop();
      opened.close();
    },
  };
  return { calls, durably: (work) => durableTransaction(database, work) };
}
