// Every setting: its name in the environment, its default, what it accepts. docs/settings.md is checked against this table.
import { availableParallelism } from "node:os";
import { type EgressPolicy, parseEgressPolicy } from "../core/egress-policy.ts";

/** Turns the text of a variable into a value; undefined where the text is not allowed. */
export interface Setting<T> {
  readonly name: string;
  readonly fallback: T;
  /** What is allowed, in words that complete "must be …". */
  readonly allowed: string;
  parse(text: string): T | undefined;
  /** True where the value must not be shown. */
  readonly isSecret?: boolean;
}

const MIB = 1024 * 1024;

export const SETTINGS = {
  httpPort: integer("HTTP_PORT", 8080, 0, 65_535),
  host: text("HOST", "127.0.0.1"),
  dataDir: text("DATA_DIR", "./data"),
  timeoutScriptS: decimal("TIMEOUT_SCRIPT", 30, 0.1, 86_400, "seconds"),
  codeMaxBytes: integer("CODE_MAX_SIZE", 262_144, 1, 64 * MIB),
  bodyMaxBytes: integer("BODY_MAX_SIZE", 8 * MIB, 1024, 256 * MIB),
  httpBodyMaxBytes: integer("HTTP_BODY_MAX_SIZE", 256 * MIB, 1024, 64 * 1024 * MIB),
  outputMaxBytes: integer("OUTPUT_MAX_SIZE", 8 * MIB, 1024, 256 * MIB),
  maxCpus: decimal("MAX_CPUS", 1, 0.01, 1024, "cores"),
  maxMemoryBytes: size("MAX_MEMORY", 128 * MIB, 32 * MIB, 1024 * 1024 * MIB),
  maxCpusPerContainer: optional(decimal("MAX_CPUS_PER_CONTAINER", 1, 0.01, 1024, "cores")),
  maxMemoryPerContainerBytes: optional(size("MAX_MEMORY_PER_CONTAINER", 128 * MIB, 32 * MIB, 1024 * 1024 * MIB)),
  maxContainers: integer("MAX_CONTAINERS", Math.max(8, availableParallelism() * 2), 1, 1000),
  maxQueue: integer("MAX_QUEUE", 256, 0, 100_000),
  queueTimeoutS: decimal("QUEUE_TIMEOUT", 10, 0.01, 3600, "seconds"),
  keepExecutions: integer("KEEP_EXECUTIONS", 100_000, 0, 100_000_000),
  adminKey: optional(secret("ADMIN_KEY", 32)),
  masterKey: optional(secret("MASTER_KEY", 32)),
  baseUrl: optional(url("BASE_URL")),
  egress: egress("EGRESS", "public"),
  gpuEnabled: flag("GPU_ENABLED"),
  allowSoftLimits: flag("ALLOW_SOFT_LIMITS"),
} as const;

/** Settings of the contract that this version cannot honour yet: set, they stop the start instead of being ignored. */
export const NOT_YET: { readonly [name: string]: string } = {
  REDIS_URL: "the Redis store is not there yet; unset it to use the embedded SQLite store",
  REDIS_HOST: "the Redis store is not there yet; unset it to use the embedded SQLite store",
};

function integer(name: string, fallback: number, min: number, max: number): Setting<number> {
  const parse = (value: string): number | undefined => within(/^\d+$/.test(value) ? Number(value) : NaN, min, max);
  return { name, fallback, allowed: `a whole number from ${min} to ${max}`, parse };
}

function decimal(name: string, fallback: number, min: number, max: number, unit: string): Setting<number> {
  const parse = (value: string): number | undefined =>
    within(/^\d*\.?\d+$/.test(value) ? Number(value) : NaN, min, max);
  return { name, fallback, allowed: `a number of ${unit} from ${min} to ${max}`, parse };
}

const UNITS: { readonly [unit: string]: number } = { "": 1, K: 1024, M: MIB, G: 1024 * MIB };

function size(name: string, fallback: number, min: number, max: number): Setting<number> {
  return {
    name,
    fallback,
    allowed: `a size in bytes, or with K, M or G behind it, from ${min / MIB}M to ${max / MIB}M`,
    parse(value) {
      const match = /^(\d+)([KMG]?)B?$/i.exec(value);
      return match === null
        ? undefined
        : within(Number(match[1]) * (UNITS[(match[2] ?? "").toUpperCase()] ?? NaN), min, max);
    },
  };
}

function text(name: string, fallback: string): Setting<string> {
  return { name, fallback, allowed: "text", parse: (value) => value };
}

function egress(name: string, fallback: EgressPolicy): Setting<EgressPolicy> {
  const allowed = 'none, public, all, or hosts with commas between, such as "api.example.com, *.example.org:8443"';
  return { name, fallback, allowed, parse: parseEgressPolicy };
}

/** Of printable characters without blanks, so that it travels in a header. */
function secret(name: string, minChars: number): Setting<string> {
  const parse = (value: string): string | undefined =>
    value.length >= minChars && /^[!-~]+$/.test(value) ? value : undefined;
  return {
    name,
    fallback: "",
    allowed: `at least ${minChars} printable characters without blanks`,
    parse,
    isSecret: true,
  };
}

function url(name: string): Setting<string> {
  const parse = (value: string): string | undefined =>
    /^https?:\/\/[^\s?#]+$/.test(value) && URL.canParse(value) ? value.replace(/\/+$/, "") : undefined;
  return { name, fallback: "", allowed: "an http or https URL without a query", parse };
}

function flag(name: string): Setting<boolean> {
  const values: ReadonlyMap<string, boolean> = new Map([
    ["true", true],
    ["false", false],
  ]);
  return { name, fallback: false, allowed: "true or false", parse: (value) => values.get(value) };
}

function optional<T>(setting: Setting<T>): Setting<T | undefined> {
  return { ...setting, fallback: undefined };
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}
