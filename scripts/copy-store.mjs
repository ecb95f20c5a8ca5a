// Copies everything between the two stores, with the settings of the server (DATA_DIR, REDIS_URL, …), and checks the copy.
//   npm run copy-store -- to-redis     from the files in DATA_DIR into Redis
//   npm run copy-store -- to-sqlite    from Redis into the files in DATA_DIR
// No server may use either meanwhile. What is copied to must be empty.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../src/config/config.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { copyStore } from "../src/store/copy-store.ts";
import { openRedisStore } from "../src/store/redis/redis-store.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";

const KEEP_ALL = Number.MAX_SAFE_INTEGER;

const direction = process.argv[2];
const opened = [];
try {
  if (direction !== "to-redis" && direction !== "to-sqlite") {
    throw new Error("say where to: npm run copy-store -- to-redis, or npm run copy-store -- to-sqlite");
  }
  const config = readConfig(readEnvironment());
  if (config.redis === undefined) throw new Error("set REDIS_URL (or REDIS_HOST): Redis is one of the two stores");
  mkdirSync(config.dataDir, { recursive: true });
  const sqlite = await openSqliteStore({ file: join(config.dataDir, "cloche.db"), keepExecutions: KEEP_ALL });
  opened.push(sqlite);
  const redis = await openRedisStore({ settings: config.redis, keepExecutions: KEEP_ALL });
  opened.push(redis.store);
  const servers = (await redis.nodes.list()).filter(({ id }) => id !== redis.nodes.id);
  if (servers.length > 0) {
    const places = servers.map(({ host, url }) => `${host} ${url}`).join(", ");
    throw new Error(`stop the servers that use this Redis first: ${places} (one that crashed is forgotten after 15 s)`);
  }

  const [from, to] = direction === "to-redis" ? [sqlite, redis.store] : [redis.store, sqlite];
  const tallies = await copyStore(from, to, Date.now());
  for (const [kind, { count, hash }] of tallies) {
    process.stdout.write(
      `${String(count).padStart(9)} ${kind.padEnd(16)} sha256 ${hash.slice(0, 16)}… the same in both\n`,
    );
  }
  if (tallies.size === 0) process.stdout.write("there was nothing to copy\n");
} catch (error) {
  process.stderr.write(`copy-store: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  for (const store of opened.toReversed()) await store.close();
}
