// What Redis and its client throw, as the one error that the store's callers know, with what the operator can do about it.
import { messageOf, PlatformError } from "../../core/errors.ts";
import { describeRedis, type RedisSettings } from "../../core/redis-settings.ts";

/** What Redis' own error codes mean; the first word of its message is one. */
const MEANINGS: Readonly<Record<string, string>> = {
  WRONGPASS: "the password or user name is wrong (REDIS_URL, REDIS_PASSWORD)",
  NOAUTH: "it wants a password (REDIS_URL, REDIS_PASSWORD)",
  NOPERM: "the user may not do this (its ACL must allow all keys of REDIS_PREFIX, channels and scripts)",
  READONLY: "it is a read-only replica; name the primary instead",
  LOADING: "it is still loading its data",
  MISCONF: "it cannot write to its disk and so takes no changes",
  MASTERDOWN: "it is a replica that has lost its primary",
  CLUSTERDOWN: "its cluster is down",
  MOVED: "it is a node of a Redis Cluster, which is not supported yet",
  CROSSSLOT: "it is a node of a Redis Cluster, which is not supported yet",
  BUSY: "a script keeps it busy",
};
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOENT: "there is no such socket",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be resolved",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ECONNRESET: "the connection was lost",
  EPIPE: "the connection was lost",
};
/** By the client's own words. */
const LOST = /socket closed|disconnects client|offline|closed/i;

/** True where trying again is pointless until somebody changes something. */
export function isFinal(error: unknown): boolean {
  const code = codeOf(error);
  return ["WRONGPASS", "NOAUTH", "NOPERM", "ERR", "MOVED"].includes(code) || /CERT|SIGNATURE/.test(code);
}

/** The first word of an error of Redis, or the code of one of the network; "" where there is none. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return "";
  const { code } = error as NodeJS.ErrnoException;
  return code ?? /^-?([A-Z]{2,})\b/.exec(error.message)?.[1] ?? "";
}

/** @param room what is known of its memory, for when that is full */
export function unavailable(settings: RedisSettings, error: unknown, room?: string): PlatformError {
  if (error instanceof PlatformError) return error;
  return new PlatformError("STORE_UNAVAILABLE", `Redis at ${describeRedis(settings)}: ${reasonOf(error, room)}`, {
    cause: error,
  });
}

function reasonOf(error: unknown, room: string | undefined): string {
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === "OOM") return `Redis is full (${room ?? "maxmemory"}); give it more memory or keep fewer executions`;
  if (code === "ERR" && /password|AUTH/.test(message)) return `it refuses the password (${message})`;
  if (code === "ERR" && /DB index/.test(message)) return "there is no such database (REDIS_DB)";
  const meaning = MEANINGS[code] ?? NETWORK[code];
  if (meaning !== undefined) return meaning;
  return LOST.test(message) ? "there is no connection" : message;
}
