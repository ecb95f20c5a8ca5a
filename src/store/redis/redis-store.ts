import { systemClock } from "../../core/clock.ts";
import type { Execution } from "../../core/execution.ts";
import { PlatformError } from "../../core/errors.ts";
import { newId } from "../../core/id.ts";
import type { RedisSettings } from "../../core/redis-settings.ts";
import type { Changes } from "../changes.ts";
import type { Store } from "../store.ts";
import { AccessRecords } from "./access.ts";
import { AliasesAndVariables } from "./aliases-and-variables.ts";
import { ExecutionList } from "./execution-list.ts";
import { Executions } from "./executions.ts";
import { Functions } from "./functions.ts";
import { Housekeeping } from "./housekeeping.ts";
import { keyspaceOf } from "./keyspace.ts";
import { KvRecords } from "./kv.ts";
import { MetaScripts } from "./meta-scripts.ts";
import { Metrics } from "./metrics.ts";
import { ListedBatch } from "../listed-batch.ts";
import { Nodes } from "./nodes.ts";
import { RedisChanges } from "./redis-changes.ts";
import { checkRedis } from "./redis-check.ts";
import { RedisConnection } from "./redis-connection.ts";
import { Versions } from "./versions.ts";

/** A server's place among those that share a Redis. */
export interface RedisStore {
  /** Its `close` ends all of this. */
  readonly store: Store;
  readonly changes: Changes;
  readonly nodes: Pick<Nodes, "id" | "list" | "describeBy">;
  /** What the operator should know of this Redis, a sentence each. */
  readonly warnings: readonly string[];
  /**
   * Keeps `value` under `name` where nothing is kept yet; resolves to what is. For what all servers must have in common.
   * Rejects with PlatformError STORE_UNAVAILABLE.
   */
  agree(name: string, value: string): Promise<string>;
}

/**
 * The store in Redis 6.2 or newer, or Valkey. Any number of servers may have it open. Each call rejects within
 * `settings.timeoutMs` where Redis does not answer, and the next one is made as soon as it is there again.
 *
 * @param keepExecutions the number of executions to keep, of all servers together
 * @throws PlatformError STORE_UNAVAILABLE whose message names place and reason: not there, wrong password, too old, a replica
 */
export async function openRedisStore({
  settings,
  keepExecutions,
}: {
  readonly settings: RedisSettings;
  readonly keepExecutions: number;
}): Promise<RedisStore> {
  const connection = await RedisConnection.open(settings);
  const keyspace = keyspaceOf(settings);
  const node = newId();
  const scripts = new MetaScripts(connection, keyspace, node);
  let changes: RedisChanges | undefined;
  try {
    const warnings = await checkRedis(connection);
    const nodes = new Nodes(connection, keyspace, node);
    await nodes.start();
    changes = await RedisChanges.open(settings, scripts, node);
    const store = assemble({ connection, scripts, node, nodes, changes, keepExecutions });
    return {
      store,
      changes,
      nodes,
      warnings,
      async agree(name, value) {
        await connection.command("HSETNX", `${keyspace.meta}:agreed`, name, value);
        return String(await connection.command("HGET", `${keyspace.meta}:agreed`, name));
      },
    };
  } catch (error) {
    await changes?.close();
    await connection.close();
    throw error;
  }
}

function assemble(parts: {
  connection: RedisConnection;
  scripts: MetaScripts;
  node: string;
  nodes: Nodes;
  changes: RedisChanges;
  keepExecutions: number;
}): Store {
  const { connection, scripts, node, nodes, changes, keepExecutions } = parts;
  const { keyspace } = scripts;
  const functions = new Functions(scripts);
  const versions = new Versions(scripts, functions);
  const named = new AliasesAndVariables(scripts);
  const kv = new KvRecords(connection, keyspace);
  const nowMs = (): number => systemClock.now();
  const executions = new Executions({ connection, keyspace, functions, node, keepExecutions, nowMs });
  const list = new ExecutionList(connection, keyspace);
  const metrics = new Metrics(connection, keyspace);
  const access = new AccessRecords(scripts);
  const housekeeping = new Housekeeping({ connection, keyspace, functions, executions, kv, keepExecutions });

  const pending = new Set<Promise<unknown>>();
  let isClosed = false;
  /** A call may take several steps, and closing waits for all of them. */
  const call =
    <Args extends unknown[], Result>(task: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (isClosed) throw new PlatformError("STORE_UNAVAILABLE", "the store is closed");
      const running = task(...args);
      pending.add(running);
      try {
        return await running;
      } finally {
        pending.delete(running);
      }
    };

  const appendExecutions = call((batch: readonly Execution[]) => executions.append(batch));
  return {
    createFunction: call((created) => functions.create(created)),
    findFunction: call((wanted) => functions.find(wanted)),
    findFirstFunction: call((names) => functions.findFirst(names)),
    listFunctions: call((query) => functions.list(query)),
    updateFunction: call(async (id, change) => {
      const updated = await functions.update(id, change);
      housekeeping.wake(); // it may keep fewer executions now
      return updated;
    }),
    deleteFunction: call(async (id) => {
      if (!(await functions.delete(id, nowMs()))) return false;
      await housekeeping.hide(id);
      housekeeping.wake();
      return true;
    }),
    addVersion: call((upload) => versions.add(upload)),
    findVersion: call((functionId, number) => versions.find(functionId, number)),
    findUpload: call((id) => versions.findUpload(id)),
    listUploads: call((query) => versions.listUploads(query)),
    findBlob: call((hash) => versions.findBlob(hash)),
    listVersions: call((functionId, query) => versions.list(functionId, query)),
    activateVersion: call((functionId, number, atMs) => versions.activate(functionId, number, atMs)),
    deleteVersion: call((functionId, number, atMs) => versions.delete(functionId, number, atMs)),
    putAlias: call((functionId, alias, atMs) => named.putAlias(functionId, alias, atMs)),
    listAliases: call((functionId) => named.listAliases(functionId)),
    deleteAlias: call((functionId, name) => named.deleteAlias(functionId, name)),
    listVariables: call((functionId) => named.listVariables(functionId)),
    replaceVariables: call((functionId, values, atMs) => named.replaceVariables(functionId, values, atMs)),
    putVariable: call((functionId, variable, atMs) => named.putVariable(functionId, variable, atMs)),
    deleteVariable: call((functionId, wanted, atMs) => named.deleteVariable(functionId, wanted, atMs)),
    kvGet: call((scope, key, atMs) => kv.get(scope, key, atMs)),
    kvChange: call((scope, change, limitBytes, atMs) => kv.change(scope, change, limitBytes, atMs)),
    kvList: call((scope, query) => kv.list(scope, query)),
    appendExecutions,
    newExecutionBatch: () => new ListedBatch(appendExecutions),
    findExecution: call((id) => executions.find(id)),
    listExecutions: call((query) => list.page(query)),
    endInterrupted: call((error) => executions.endInterrupted(error, true)),
    metrics: call((functionId, range) => metrics.read(functionId, range)),
    addKey: call((key) => access.addKey(key)),
    listKeys: call(() => access.listKeys()),
    removeKey: call((id) => access.removeKey(id)),
    addSession: call((session) => access.addSession(session)),
    listSessions: call((atMs) => access.listSessions(atMs)),
    removeSession: call((hash) => access.removeSession(hash)),
    async close() {
      isClosed = true;
      await Promise.allSettled(pending);
      await housekeeping.stop();
      await changes.close();
      await nodes.stop();
      await connection.close();
    },
  };
}
