import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { RunLimits } from "../core/limits.ts";
import type { Pool } from "../pool/pool.ts";
import type { BuilderSearch, RuntimeSearch } from "../runtimes/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { History } from "./history.ts";

export interface SystemParts {
  readonly version: string;
  readonly runtimes: readonly RuntimeSearch[];
  readonly builders: readonly BuilderSearch[];
  readonly sandbox: Sandbox;
  readonly pool: Pool;
  readonly history: History;
  readonly runLimits: RunLimits;
  readonly jobs: () => Promise<object>;
  /** What keeps everything; where it is, when it is elsewhere. */
  readonly store: { readonly kind: "sqlite" | "redis"; readonly place?: string };
  /** Every server on the same store; undefined where there is none but this one. */
  readonly nodes: (() => Promise<readonly object[]>) | undefined;
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
    builders: parts.builders.map(describeBuilder),
    sandbox: { features: parts.sandbox.features, limits: parts.sandbox.limits },
    limits: parts.runLimits,
    pool: await parts.pool.report(),
    jobs: await parts.jobs(),
    store: parts.store,
    ...(parts.nodes === undefined ? {} : await nodesOf(parts.nodes)),
    history: { lostExecutions: parts.history.lostRows },
  });
}

async function nodesOf(nodes: () => Promise<readonly object[]>): Promise<object> {
  try {
    return { nodes: await nodes() };
  } catch (error) {
    return { nodes: [], storeError: messageOf(error) };
  }
}

function describeBuilder(search: BuilderSearch): object {
  const { language, found } = search;
  if (!found) return { language, found, reason: search.reason };
  const { title, path, tinyGo } = search;
  return { language, found, title, path, ...(tinyGo === undefined ? {} : { tinyGo }) };
}

function describeRuntime(search: RuntimeSearch): object {
  if (!search.found) return { base: search.base, languages: search.languages, found: false, reason: search.reason };
  const { base, languages, title } = search.runtime;
  return { base, languages, found: true, title };
}
