import type { Keyspace } from "./keyspace.ts";
import type { Argument, RedisConnection, Reply } from "./redis-connection.ts";
import type { MetaScript } from "./scripts.ts";

/** Runs the scripts over functions and what is deployed; each tells the other nodes of what it changed. */
export class MetaScripts {
  readonly connection: RedisConnection;
  readonly keyspace: Keyspace;
  readonly #node: string;

  /** @param node who changes things, so that it need not hear of its own changes */
  constructor(connection: RedisConnection, keyspace: Keyspace, node: string) {
    this.connection = connection;
    this.keyspace = keyspace;
    this.#node = node;
  }

  async run(name: MetaScript, ...args: readonly Argument[]): Promise<Reply> {
    return await this.connection.run(name, this.keyspace.meta, [this.#node, this.keyspace.channel, ...args]);
  }

  async runForBytes(name: MetaScript, ...args: readonly Argument[]): Promise<Buffer | undefined> {
    const all = [this.#node, this.keyspace.channel, ...args];
    return await this.connection.runForBytes(name, this.keyspace.meta, all);
  }
}
