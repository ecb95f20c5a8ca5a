import { createClient, RESP_TYPES } from "redis";
import { systemClock } from "../../core/clock.ts";
import { PlatformError } from "../../core/errors.ts";
import { describeRedis, type RedisSettings } from "../../core/redis-settings.ts";
import { codeOf, isFinal, unavailable } from "./redis-errors.ts";
import { type ScriptName, SCRIPTS } from "./scripts.ts";

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
const SILENCE_MS = 30_000;
const MAX_WAITING = 10_000; // commands; beyond it Redis is slower than its callers for longer than we can hold
const LEAST_BYTES_PER_MS = 1_000; // 1 MB/s: a large program may take longer than a timeout that is meant for answers

export type Argument = string | number | Uint8Array;
/** What comes back: nested lists of these. */
export type Reply = string | number | null | Reply[];
type Client = ReturnType<typeof newClient>;

/**
 * One connection that comes back by itself. A call never waits longer than the timeout and is never kept for later: it
 * rejects with PlatformError STORE_UNAVAILABLE while there is no connection.
 */
export class RedisConnection {
  readonly settings: RedisSettings;
  #client: Client;
  /** While it is set, connecting gives up then (on the monotonic clock). */
  #giveUpAtMs: number | undefined;
  #isClosed = false;
  #onReady: (() => void) | undefined;
  #subscription: { readonly channel: string; readonly listener: (message: string) => void } | undefined;

  /** @throws PlatformError STORE_UNAVAILABLE that names the place and the reason */
  static async open(settings: RedisSettings): Promise<RedisConnection> {
    const connection = new RedisConnection(settings);
    const client = connection.#client;
    try {
      await within(settings, settings.timeoutMs, client.connect());
    } catch (error) {
      client.destroy();
      throw unavailable(settings, rootOf(error));
    }
    connection.#giveUpAtMs = undefined;
    return connection;
  }

  private constructor(settings: RedisSettings) {
    this.settings = settings;
    this.#giveUpAtMs = systemClock.monotonicMs() + settings.timeoutMs;
    this.#client = this.#newClient();
  }

  /** Calls `task` whenever the connection is there again. */
  onReady(task: () => void): void {
    this.#onReady = task;
  }

  /** Runs a script in one step. `key` is what all its keys begin with. */
  async run(name: ScriptName, key: string, args: readonly Argument[]): Promise<Reply> {
    return (await this.#runScript(name, key, args, false)) as Reply;
  }

  /** As `run`, for a script that answers with bytes. */
  async runForBytes(name: ScriptName, key: string, args: readonly Argument[]): Promise<Buffer | undefined> {
    const reply = await this.#runScript(name, key, args, true);
    return Buffer.isBuffer(reply) ? reply : undefined;
  }

  async command(...words: readonly Argument[]): Promise<Reply> {
    return (await this.#send(words, false)) as Reply;
  }

  /** Only for a connection that does nothing else. Listening goes on by itself after a loss; what was told meanwhile is lost. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    this.#subscription = { channel, listener };
    await this.#bounded(0, (client) => client.subscribe(channel, listener));
  }

  /** Lets go of a connection that may be dead without anybody having been told, and makes another. */
  renew(): void {
    this.#replace(this.#client);
  }

  /** Waits for the answers that are on their way, within the timeout. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const client = this.#client;
    if (client.isReady) {
      await Promise.race([
        client.close(),
        new Promise<void>((resolve) => void systemClock.after(this.settings.timeoutMs, resolve)),
      ]);
    }
    client.destroy();
  }

  async #runScript(name: ScriptName, key: string, args: readonly Argument[], asBytes: boolean): Promise<unknown> {
    const script = SCRIPTS.get(name);
    if (script === undefined) throw new Error(`there is no script "${name}"`);
    try {
      return await this.#send(["EVALSHA", script.hash, 1, key, ...args], asBytes);
    } catch (error) {
      // Redis forgets scripts when it starts again.
      if (!(error instanceof PlatformError) || codeOf(error.cause) !== "NOSCRIPT") throw error;
      return await this.#send(["EVAL", script.text, 1, key, ...args], asBytes);
    }
  }

  async #send(words: readonly Argument[], asBytes: boolean): Promise<unknown> {
    let bytes = 0;
    const texts = words.map((word) => {
      if (typeof word === "number") return String(word);
      bytes += word.length;
      return typeof word === "string" ? word : Buffer.from(word.buffer, word.byteOffset, word.byteLength);
    });
    const options = asBytes ? { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } : {};
    return await this.#bounded(bytes, (client) => client.sendCommand(texts, options));
  }

  async #bounded<T>(bytes: number, work: (client: Client) => Promise<T>): Promise<T> {
    const { settings } = this;
    const client = this.#client;
    if (this.#isClosed) throw unavailable(settings, new Error("the connection is closed"));
    const limitMs = settings.timeoutMs + bytes / LEAST_BYTES_PER_MS;
    try {
      return await within(settings, limitMs, work(client), () => this.#replace(client));
    } catch (error) {
      throw unavailable(settings, error, codeOf(error) === "OOM" ? await this.#room(client) : undefined);
    }
  }

  /** What Redis says of its memory. */
  async #room(client: Client): Promise<string | undefined> {
    try {
      const info = await client.sendCommand<string>(["INFO", "memory"]);
      const [used, most] = ["used_memory_human", "maxmemory_human"].map(
        (name) => new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1],
      );
      return `maxmemory ${most}, ${used} in use`;
    } catch {
      return undefined; // it may be forbidden, and the connection may be gone: the error is told without it
    }
  }

  #replace(client: Client): void {
    if (this.#client !== client || this.#isClosed) return;
    this.#client = this.#newClient();
    client.destroy();
    void this.#connect(this.#client);
  }

  async #connect(client: Client): Promise<void> {
    try {
      await client.connect(); // it goes on trying; whoever calls meanwhile is told
      const { channel, listener } = this.#subscription ?? {};
      if (channel !== undefined && listener !== undefined) await client.subscribe(channel, listener);
    } catch {
      // It was closed or replaced, or the next poll of who listens finds out.
    }
  }

  #newClient(): Client {
    const client = newClient(this.settings, (retries, cause) => {
      const giveUpAtMs = this.#giveUpAtMs;
      const delayMs = Math.min(FIRST_RETRY_MS * 2 ** retries, LAST_RETRY_MS) * (0.75 + Math.random() / 2);
      if (giveUpAtMs === undefined) return delayMs;
      return isFinal(cause) || systemClock.monotonicMs() + delayMs > giveUpAtMs ? false : delayMs;
    });
    client.on("error", () => {}); // told to whoever calls
    client.on("ready", () => this.#onReady?.());
    return client;
  }
}

/** Rejects where the answer does not come in time, which does not end the waiting for it. */
async function within<T>(
  settings: RedisSettings,
  limitMs: number,
  answer: Promise<T>,
  onLate = (): void => {},
): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    cancel = systemClock.after(limitMs, () => {
      onLate();
      const message = `no answer within ${Math.round(limitMs)} ms (REDIS_TIMEOUT_SECONDS)`;
      reject(new PlatformError("STORE_UNAVAILABLE", `Redis at ${describeRedis(settings)}: ${message}`));
    });
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
  }
}

function newClient(settings: RedisSettings, reconnectStrategy: (retries: number, cause: Error) => number | false) {
  const { host, port, path, tls, username, password, db, timeoutMs } = settings;
  // One that says nothing at all for so long is dead; a living one is asked for a sign of life often enough.
  const common = { connectTimeout: timeoutMs, socketTimeout: SILENCE_MS, reconnectStrategy };
  return createClient({
    socket:
      path !== undefined
        ? { ...common, path, tls: false as const }
        : tls
          ? { ...common, host, port, tls: true as const }
          : { ...common, host, port },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database: db,
    disableOfflineQueue: true, // a call that cannot be made now is refused, not kept: the caller may have gone
    commandsQueueMaxLength: MAX_WAITING,
    disableClientInfo: true,
    maintNotifications: "disabled",
    pingInterval: SILENCE_MS / 3,
  });
}

/** What was behind the client's giving up. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.name === "ReconnectStrategyError" && error.cause !== undefined
    ? error.cause
    : error;
}
