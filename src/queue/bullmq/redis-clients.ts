import { createClient } from "redis";
import { PlatformError } from "../../core/errors.ts";
import { describeRedis, type RedisSettings } from "../../core/redis-settings.ts";

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** One that says nothing at all for so long is dead, whatever the network tells of it; a living one is asked often enough. */
const SILENCE_MS = 30_000;

export type RedisClient = ReturnType<typeof newClient>;

/** A connection that comes back by itself; while it is away, calls are refused and not kept. */
export async function connect(settings: RedisSettings): Promise<RedisClient> {
  const client = newClient(settings);
  client.on("error", () => {}); // told to whoever calls
  const tooLate = AbortSignal.timeout(settings.timeoutMs);
  try {
    await Promise.race([
      client.connect(),
      new Promise<never>((_resolve, reject) => {
        tooLate.addEventListener("abort", () => reject(new Error(`not connected within ${settings.timeoutMs} ms`)));
      }),
    ]);
    return client;
  } catch (error) {
    client.destroy();
    throw unavailable(settings, error);
  }
}

/** Runs a script in one step. */
export async function evaluate(
  client: RedisClient,
  script: string,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  return await client.eval(script, { keys: [...keys], arguments: [...args] });
}

export function unavailable(settings: RedisSettings, cause: unknown): PlatformError {
  if (cause instanceof PlatformError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PlatformError("STORE_UNAVAILABLE", `the queue in Redis at ${describeRedis(settings)}: ${why}`, { cause });
}

function newClient({ host, port, path, tls, username, password, db, timeoutMs }: RedisSettings) {
  const common = {
    connectTimeout: timeoutMs,
    socketTimeout: SILENCE_MS,
    reconnectStrategy: (retries: number) => Math.min(FIRST_RETRY_MS * 2 ** retries, LAST_RETRY_MS),
  };
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
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    pingInterval: SILENCE_MS / 3,
  });
}
