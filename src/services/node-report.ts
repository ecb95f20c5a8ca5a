import { hostname, loadavg } from "node:os";
import type { Clock } from "../core/clock.ts";
import type { Pool } from "../pool/pool.ts";

/** What a server says of itself to those that share its store: who it is and how busy. */
export function describeNode(parts: {
  readonly version: string;
  readonly url: string;
  readonly pool: Pool;
  readonly clock: Clock;
}): () => Promise<object> {
  const startedAt = new Date(parts.clock.now()).toISOString();
  return async () => {
    const { maxWorkers, waiting, workers } = await parts.pool.report();
    return {
      host: hostname(),
      pid: process.pid,
      version: parts.version,
      url: parts.url,
      startedAt,
      seenAt: new Date(parts.clock.now()).toISOString(),
      /** Of the last minute. */
      load: loadavg()[0],
      memoryBytes: process.memoryUsage.rss(),
      pool: {
        maxWorkers,
        waiting,
        workers: workers.length,
        busy: workers.filter(({ state }) => state === "busy").length,
      },
    };
  };
}
