// Servers on the same Redis know of each other by what each says of itself every few seconds.
import { systemClock } from "../../core/clock.ts";
import type { Keyspace } from "./keyspace.ts";
import type { RedisConnection } from "./redis-connection.ts";

const BEAT_MS = 5_000;
const SILENCE_MS = 15_000; // three beats: whoever says nothing for so long is gone

export class Nodes {
  readonly id: string;
  readonly #connection: RedisConnection;
  readonly #key: string;
  #describe: () => Promise<object> = () => Promise.resolve({});
  #stopBeating = (): void => {};

  constructor(connection: RedisConnection, keyspace: Keyspace, id: string) {
    this.id = id;
    this.#connection = connection;
    this.#key = keyspace.executions;
  }

  async start(): Promise<void> {
    await this.#beat();
    this.#stopBeating = systemClock.every(BEAT_MS, () => void this.#beat().catch(() => {})); // the next one may do
  }

  /** What this server says of itself from now on: an object for JSON. */
  async describeBy(describe: () => Promise<object>): Promise<void> {
    this.#describe = describe;
    await this.#beat();
  }

  /** Of every server that lives, this one included. */
  async list(): Promise<({ readonly id: string } & object)[]> {
    const ids = (await this.#connection.command("ZRANGE", `${this.#key}:nodes`, 0, -1)) as string[];
    if (ids.length === 0) return [];
    const said = await this.#connection.command("MGET", ...ids.map((id) => `${this.#key}:node:${id}`));
    return (said as (string | null)[]).flatMap((text, at) =>
      text === null ? [] : [{ ...(JSON.parse(text) as object), id: ids[at] ?? "" }],
    );
  }

  async stop(): Promise<void> {
    this.#stopBeating();
    try {
      await this.#connection.command("UNLINK", `${this.#key}:node:${this.id}`);
      await this.#connection.command("ZREM", `${this.#key}:nodes`, this.id);
    } catch {
      // It is forgotten by itself.
    }
  }

  async #beat(): Promise<void> {
    const nowMs = systemClock.now();
    const said = JSON.stringify(await this.#describe());
    await this.#connection.command("SET", `${this.#key}:node:${this.id}`, said, "PX", SILENCE_MS);
    await this.#connection.command("ZADD", `${this.#key}:nodes`, nowMs, this.id);
    await this.#connection.command("ZREMRANGEBYSCORE", `${this.#key}:nodes`, "-inf", nowMs - 10 * SILENCE_MS);
  }
}
