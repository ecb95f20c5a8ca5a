import type { Clock } from "../core/clock.ts";
import type { RunLimits } from "../core/limits.ts";
import type { Pool } from "../pool/pool.ts";
import type { RuntimeSearch } from "../runtimes/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { History } from "./history.ts";

export interface SystemParts {
  readonly version: string;
  readonly runtimes: readonly RuntimeSearch[];
  readonly sandbox: Sandbox;
  readonly pool: Pool;
  readonly history: History;
  readonly runLimits: RunLimits;
  readonly clock: Clock;
}

/** The whole server at a glance: what it found, what is in force, every sandbox. */
export function describeSystem(parts: SystemParts): () => Promise<object> {
  const startedAt = new Date(parts.clock.now()).toISOString();
  return async () => ({
    version: parts.version,
    startedAt,
    memoryBytes: process.memoryUsage.rss(),
    runtimes: parts.runtimes.map(describeRuntime),
    sandbox: { features: parts.sandbox.features, limits: parts.sandbox.limits },
    limits: parts.runLimits,
    pool: await parts.pool.report(),
    history: { lostExecutions: parts.history.lostRows },
  });
}

function describeRuntime(search: RuntimeSearch): object {
  if (!search.found) return { base: search.base, languages: search.languages, found: false, reason: search.reason };
  const { base, languages, title } = search.runtime;
  return { base, languages, found: true, title };
}
