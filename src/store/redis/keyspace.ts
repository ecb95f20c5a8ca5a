// The names of keys. What one script touches is in one slot of a Redis Cluster: the part in braces decides.
import type { KvScope } from "../store.ts";

export interface Keyspace {
  /** Functions, versions and their code, aliases, variables, keys, sessions. */
  readonly meta: string;
  /** Executions and metrics. */
  readonly executions: string;
  /** Where changes are told; channels are not of a database, so its number is in the name. */
  readonly channel: string;
  /** Keys and values. */
  kv(scope: KvScope): string;
}

export function keyspaceOf({ prefix, db }: { readonly prefix: string; readonly db: number }): Keyspace {
  return {
    meta: `${prefix}{meta}`,
    executions: `${prefix}{exec}`,
    channel: `${prefix}changes@${db}`,
    kv: (scope) => (scope === "global" ? `${prefix}{global}` : `${prefix}{fn:${scope.functionId}}`),
  };
}
