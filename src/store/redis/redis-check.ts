import { PlatformError } from "../../core/errors.ts";
import { describeRedis, type RedisSettings } from "../../core/redis-settings.ts";
import type { RedisConnection } from "./redis-connection.ts";

const LEAST_VERSION = [6, 2] as const;

/**
 * Looks whether this Redis can hold what it is given. A server that does not tell about itself is taken as it is.
 *
 * @throws PlatformError STORE_UNAVAILABLE where it cannot
 * @returns what the operator should know, a sentence each
 */
export async function checkRedis(connection: RedisConnection): Promise<string[]> {
  const { settings } = connection;
  let info: string;
  try {
    info = String(await connection.command("INFO"));
  } catch {
    return []; // an ACL may forbid it
  }
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const version = field("redis_version");
  if (version !== undefined && isOlder(version)) {
    throw refusal(settings, `version ${version} is too old; ${LEAST_VERSION.join(".")} or newer is needed`);
  }
  if (field("role") === "slave") throw refusal(settings, "it is a read-only replica; name the primary instead");
  if (field("cluster_enabled") === "1") throw refusal(settings, "it is a Redis Cluster, which is not supported yet");

  const warnings: string[] = [];
  const policy = field("maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction" && field("maxmemory") !== "0") {
    warnings.push(`it throws keys away when its memory is full (maxmemory-policy ${policy}); set noeviction`);
  }
  if (field("aof_enabled") === "0") {
    warnings.push("it may forget what it was told when it crashes (appendonly no); set appendonly yes");
  }
  if (
    settings.password === undefined &&
    settings.path === undefined &&
    !/^(?:localhost|127\..*|::1)$/.test(settings.host)
  ) {
    warnings.push("it asks for no password and is reached over the network; whoever reaches it can run code here");
  }
  return warnings.map((warning) => `Redis at ${describeRedis(settings)}: ${warning}`);
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1]);
}

function refusal(settings: RedisSettings, why: string): PlatformError {
  return new PlatformError("STORE_UNAVAILABLE", `Redis at ${describeRedis(settings)}: ${why}`);
}
