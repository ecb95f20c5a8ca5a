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
  drainS: decimal("DRAIN_SECONDS", 0, 0, 3600, "seconds"),
  keepExecutions: integer("KEEP_EXECUTIONS", 100_000, 0, 100_000_000),
  adminKey: optional(secret("ADMIN_KEY", 32)),
  masterKey: optional(secret("MASTER_KEY", 32)),
  baseUrl: optional(url("BASE_URL")),
  egress: egress("EGRESS", "public"),
  jobsConcurrency: optional(integer("JOBS_CONCURRENCY", 1, 1, 1000)),
  jobsLeaseS: decimal("JOBS_LEASE_SECONDS", 30, 3, 600, "seconds"),
  jobsMaxQueued: integer("JOBS_MAX_QUEUED", 100_000, 1, 10_000_000),
  jobInputMaxBytes: integer("JOB_INPUT_MAX_SIZE", MIB, 1024, 64 * MIB),
  keepJobs: integer("KEEP_JOBS", 10_000, 0, 10_000_000),
  webhookSecret: optional(secret("WEBHOOK_SECRET", 32)),
  gpuEnabled: flag("GPU_ENABLED"),
  allowSoftLimits: flag("ALLOW_SOFT_LIMITS"),
  buildTimeoutS: decimal("BUILD_TIMEOUT", 120, 1, 3600, "seconds"),
  buildMemoryBytes: size("BUILD_MEMORY", 1024 * MIB, 256 * MIB, 1024 * 1024 * MIB),
  buildDiskBytes: size("BUILD_DISK", 512 * MIB, 64 * MIB, 1024 * 1024 * MIB),
  buildCpus: decimal("BUILD_CPUS", 2, 0.1, 1024, "cores"),
  buildConcurrency: integer("BUILD_CONCURRENCY", 1, 1, 64),
  goRoot: optional(text("GOROOT", "")),
  tinyGoRoot: optional(text("TINYGOROOT", "")),
  goProxy: moduleProxies("GOPROXY", "https://proxy.golang.org"),
  goSumDb: sumDb("GOSUMDB", "sum.golang.org"),
  redisUrl: optional(redisUrl("REDIS_URL")),
  redisHost: optional(text("REDIS_HOST", "")),
  redisPort: integer("REDIS_PORT", 6379, 1, 65_535),
  redisPassword: optional({ ...text("REDIS_PASSWORD", ""), isSecret: true }),
  redisDb: integer("REDIS_DB", 0, 0, 1_000_000),
  redisTimeoutS: decimal("REDIS_TIMEOUT_SECONDS", 5, 0.1, 300, "seconds"),
  redisPrefix: redisPrefix("REDIS_PREFIX", "cloche:"),
} as const;

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

/** It may hold a password. */
function redisUrl(name: string): Setting<string> {
  const parse = (value: string): string | undefined => {
    const url = URL.parse(value);
    const isPlace = /^rediss?:$/.test(url?.protocol ?? "") ? url?.hostname !== "" : url?.protocol === "unix:";
    const isWhole = url !== null && url.hash === "" && (url.protocol === "unix:" || url.search === "");
    return isPlace && isWhole && /^(?:|\/|\/\d+)$/.test(url.protocol === "unix:" ? "" : url.pathname)
      ? value
      : undefined;
  };
  const allowed =
    "redis://, rediss:// (TLS) or unix://, such as rediss://user:password@host:6379/0 or unix:///run/redis.sock";
  return { name, fallback: "", allowed, parse, isSecret: true };
}

/** Braces would say which node of a cluster has a key. */
function redisPrefix(name: string, fallback: string): Setting<string> {
  const parse = (value: string): string | undefined => (/^[\w:.-]{1,64}$/.test(value) ? value : undefined);
  return { name, fallback, allowed: "1 to 64 letters, digits, colons, dots, _ or -", parse };
}

/** In Go's spelling. `direct` would be git, over a network that builds do not have: it is left out. */
function moduleProxies(name: string, fallback: string): Setting<string> {
  const allowed = "off, or https URLs with commas between (direct is left out: builds reach nothing but proxies)";
  const parse = (value: string): string | undefined => {
    if (value === "off") return value;
    const urls = value.split(",").map((part) => part.trim());
    const proxies = urls.filter((part) => part !== "direct").map((part) => part.replace(/\/+$/, ""));
    const areUrls = proxies.every((part) => /^https:\/\/[^\s?#|@]+$/.test(part) && URL.canParse(part));
    return proxies.length > 0 && areUrls ? proxies.join(",") : undefined;
  };
  return { name, fallback, allowed, parse };
}

function sumDb(name: string, fallback: string): Setting<string> {
  const parse = (value: string): string | undefined => (/^[\w.-]+(?:\+[\w+/=]+)?$/.test(value) ? value : undefined);
  return { name, fallback, allowed: "off, or a host with or without +key behind it", parse };
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
