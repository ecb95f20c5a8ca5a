import type { RedisSettings } from "../core/redis-settings.ts";

const DEFAULT_PORT = 6379;

/** Undefined where neither a URL nor a host is set. The URL wins; the rest stands for what it does not say. */
export function redisOf(settings: {
  /** As the setting allows it. */
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly port: number;
  readonly password: string | undefined;
  readonly db: number;
  readonly timeoutMs: number;
  readonly prefix: string;
}): RedisSettings | undefined {
  const { url, host, port, password, db, timeoutMs, prefix } = settings;
  const rest = { path: undefined, tls: false, username: undefined, password, db, timeoutMs, prefix };
  if (url === undefined) return host === undefined ? undefined : { host, port, ...rest };
  const parsed = new URL(url);
  const said = {
    ...rest,
    ...(parsed.username === "" ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === "" ? {} : { password: decodeURIComponent(parsed.password) }),
  };
  if (parsed.protocol === "unix:") {
    const number = parsed.searchParams.get("db");
    const path = decodeURIComponent(parsed.pathname);
    return { ...said, host: "localhost", port: DEFAULT_PORT, path, db: number === null ? db : Number(number) };
  }
  const number = parsed.pathname.slice(1);
  return {
    ...said,
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? DEFAULT_PORT : Number(parsed.port),
    tls: parsed.protocol === "rediss:",
    db: number === "" ? db : Number(number),
  };
}
