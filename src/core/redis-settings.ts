/** Where Redis is and how to talk to it. */
export interface RedisSettings {
  /** Or a unix socket in `path`. */
  readonly host: string;
  readonly port: number;
  /** Of a unix socket; wins over host and port. */
  readonly path: string | undefined;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Number of the database. */
  readonly db: number;
  /** Of connecting, and of each answer. */
  readonly timeoutMs: number;
  /** Before every key, so that others may use the same database. */
  readonly prefix: string;
}

/** For messages: what `REDIS_URL` would be, without the password. */
export function describeRedis({ host, port, path, tls, db }: RedisSettings): string {
  if (path !== undefined) return `${path}, database ${db}`;
  return `${host.includes(":") ? `[${host}]` : host}:${port}${tls ? " (TLS)" : ""}, database ${db}`;
}
