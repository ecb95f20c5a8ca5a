import { resolve } from "node:path";
import type { EgressPolicy } from "../core/egress-policy.ts";
import type { RunLimits } from "../core/limits.ts";
import type { RedisSettings } from "../core/redis-settings.ts";
import type { SandboxLimits } from "../sandbox/sandbox.ts";
import { redisOf } from "./redis.ts";
import { type Setting, SETTINGS } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that an operator can decide, read once at start. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly runLimits: RunLimits;
  readonly sandboxLimits: SandboxLimits;
  readonly maxWorkers: number;
  readonly maxQueue: number;
  readonly queueTimeoutMs: number;
  /** How long a server that is told to stop still takes requests, while `/readyz` says that it goes. */
  readonly drainMs: number;
  readonly keepExecutions: number;
  /** A key with all rights, set by the operator. */
  readonly adminKey: string | undefined;
  /** What opens the secrets; undefined: a file in the data folder. */
  readonly masterKey: string | undefined;
  /** Where callers reach the server, without a slash at the end; undefined: the address it listens on. */
  readonly baseUrl: string | undefined;
  /** The widest that code may have; functions and runs may ask for less. */
  readonly egress: EgressPolicy;
  /** What code of the script API has that asks for nothing; undefined: all of `egress`, since the operator has named it. */
  readonly scriptEgress: EgressPolicy | undefined;
  readonly jobs: JobSettings;
  readonly gpuEnabled: boolean;
  readonly allowSoftLimits: boolean;
  readonly builds: BuildSettings;
  /** Where everything is kept; undefined: in files of the data folder. */
  readonly redis: RedisSettings | undefined;
}

/** How work is done that nobody waits for. */
export interface JobSettings {
  /** At once on this node. */
  readonly concurrency: number;
  /** A server that is not heard of for so long is gone, and what it ran is run again. */
  readonly leaseMs: number;
  /** That may wait. */
  readonly maxQueued: number;
  /** Of one job's input. */
  readonly inputBytes: number;
  /** Of those that are over; dead ones are kept as many again. */
  readonly keep: number;
  /** What signatures of callbacks are made of; undefined: the master key. */
  readonly webhookSecret: string | undefined;
}

/** How programs are built from source. */
export interface BuildSettings {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly cpus: number;
  readonly concurrency: number;
  /** Where Go is; undefined: at the usual places. */
  readonly goRoot: string | undefined;
  /** Where TinyGo is, or `off`; undefined: at the usual places, where it is there at all. */
  readonly tinyGoRoot: string | undefined;
  /** Folders of programs: the `PATH`. */
  readonly path: readonly string[];
  /** As Go has them. */
  readonly goProxy: string;
  readonly goSumDb: string;
}

const PIDS = 64; // Node alone takes 11 threads
const TMP_BYTES = 16 * 1024 * 1024;

/** A setting that cannot be. The message names the variable, its value and what is allowed. */
class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** @throws ConfigError, at the first value that is not allowed */
export function readConfig(environment: Environment): Config {
  const read = <T>(setting: Setting<T>): T => readSetting(setting, environment);
  const memoryBytes = read(SETTINGS.maxMemoryPerContainerBytes) ?? read(SETTINGS.maxMemoryBytes);
  return {
    host: read(SETTINGS.host),
    port: read(SETTINGS.httpPort),
    dataDir: resolve(read(SETTINGS.dataDir)),
    runLimits: {
      timeoutMs: read(SETTINGS.timeoutScriptS) * 1000,
      memoryBytes,
      outputBytes: read(SETTINGS.outputMaxBytes),
      codeBytes: read(SETTINGS.codeMaxBytes),
      bodyBytes: read(SETTINGS.bodyMaxBytes),
      httpBodyBytes: read(SETTINGS.httpBodyMaxBytes),
    },
    sandboxLimits: {
      memoryBytes,
      cpus: read(SETTINGS.maxCpusPerContainer) ?? read(SETTINGS.maxCpus),
      pids: PIDS,
      tmpBytes: TMP_BYTES,
    },
    maxWorkers: read(SETTINGS.maxContainers),
    maxQueue: read(SETTINGS.maxQueue),
    queueTimeoutMs: read(SETTINGS.queueTimeoutS) * 1000,
    drainMs: read(SETTINGS.drainS) * 1000,
    keepExecutions: read(SETTINGS.keepExecutions),
    adminKey: read(SETTINGS.adminKey),
    masterKey: read(SETTINGS.masterKey),
    baseUrl: read(SETTINGS.baseUrl),
    egress: read(SETTINGS.egress),
    // Its contract is a clean environment without network: a default of ours must not change that, the operator may.
    scriptEgress: textOf(SETTINGS.egress, environment) === "" ? "none" : undefined,
    jobs: {
      concurrency: read(SETTINGS.jobsConcurrency) ?? Math.max(1, Math.floor(read(SETTINGS.maxContainers) / 2)),
      leaseMs: read(SETTINGS.jobsLeaseS) * 1000,
      maxQueued: read(SETTINGS.jobsMaxQueued),
      inputBytes: read(SETTINGS.jobInputMaxBytes),
      keep: read(SETTINGS.keepJobs),
      webhookSecret: read(SETTINGS.webhookSecret),
    },
    gpuEnabled: read(SETTINGS.gpuEnabled),
    allowSoftLimits: read(SETTINGS.allowSoftLimits),
    builds: {
      timeoutMs: read(SETTINGS.buildTimeoutS) * 1000,
      memoryBytes: read(SETTINGS.buildMemoryBytes),
      diskBytes: read(SETTINGS.buildDiskBytes),
      cpus: read(SETTINGS.buildCpus),
      concurrency: read(SETTINGS.buildConcurrency),
      goRoot: read(SETTINGS.goRoot),
      tinyGoRoot: read(SETTINGS.tinyGoRoot),
      path: (environment["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/")),
      goProxy: read(SETTINGS.goProxy),
      goSumDb: read(SETTINGS.goSumDb),
    },
    redis: redisOf({
      url: read(SETTINGS.redisUrl),
      host: read(SETTINGS.redisHost),
      port: read(SETTINGS.redisPort),
      password: read(SETTINGS.redisPassword),
      db: read(SETTINGS.redisDb),
      timeoutMs: read(SETTINGS.redisTimeoutS) * 1000,
      prefix: read(SETTINGS.redisPrefix),
    }),
  };
}

/** An empty variable counts as unset. */
function textOf({ name }: Setting<unknown>, environment: Environment): string {
  return environment[name]?.trim() ?? "";
}

function readSetting<T>(setting: Setting<T>, environment: Environment): T {
  const text = textOf(setting, environment);
  if (text === "") return setting.fallback;
  const value = setting.parse(text);
  if (value === undefined) {
    const shown = setting.isSecret === true ? "(not shown)" : JSON.stringify(text);
    throw new ConfigError(`${setting.name}=${shown} is not allowed: it must be ${setting.allowed}`);
  }
  return value;
}
