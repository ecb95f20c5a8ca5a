import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { suite, test } from "node:test";
import { type Config, type Environment, readConfig } from "./config.ts";
import { SETTINGS } from "./settings.ts";

const MIB = 1024 * 1024;

interface Case {
  readonly get: (config: Config) => unknown;
  readonly fallback: unknown;
  readonly allowed: { readonly [text: string]: unknown };
  readonly refused: readonly string[];
  readonly words: string;
}

const NOT_WHOLE = ["-1", "1.5", "ten", "0x10", "1e3", "+5", "NaN"];
const NOT_DECIMAL = ["-1", "1.", ".", "1,5", "ten", "1e2", "Infinity", "1s"];

const CASES: { readonly [name: string]: Case } = {
  HTTP_PORT: {
    get: (config) => config.port,
    fallback: 8080,
    allowed: { "0": 0, "65535": 65_535, " 81 ": 81 },
    refused: [...NOT_WHOLE, "65536"],
    words: "a whole number from 0 to 65535",
  },
  HOST: {
    get: (config) => config.host,
    fallback: "127.0.0.1",
    allowed: { "0.0.0.0": "0.0.0.0", localhost: "localhost" },
    refused: [],
    words: "text",
  },
  DATA_DIR: {
    get: (config) => config.dataDir,
    fallback: resolve("data"),
    allowed: { "/var/lib/x": "/var/lib/x", x: resolve("x") },
    refused: [],
    words: "text",
  },
  TIMEOUT_SCRIPT: {
    get: (config) => config.runLimits.timeoutMs,
    fallback: 30_000,
    allowed: { "0.1": 100, ".5": 500, "86400": 86_400_000 },
    refused: [...NOT_DECIMAL, "0.09", "86401", "0"],
    words: "a number of seconds from 0.1 to 86400",
  },
  CODE_MAX_SIZE: {
    get: (config) => config.runLimits.codeBytes,
    fallback: 262_144,
    allowed: { "1": 1, "67108864": 64 * MIB },
    refused: [...NOT_WHOLE, "0", "67108865"],
    words: "a whole number from 1 to 67108864",
  },
  BODY_MAX_SIZE: {
    get: (config) => config.runLimits.bodyBytes,
    fallback: 8 * MIB,
    allowed: { "1024": 1024, "268435456": 256 * MIB },
    refused: [...NOT_WHOLE, "1023", "268435457"],
    words: "a whole number from 1024 to 268435456",
  },
  OUTPUT_MAX_SIZE: {
    get: (config) => config.runLimits.outputBytes,
    fallback: 8 * MIB,
    allowed: { "1024": 1024, "268435456": 256 * MIB },
    refused: [...NOT_WHOLE, "1023", "268435457"],
    words: "a whole number from 1024 to 268435456",
  },
  HTTP_BODY_MAX_SIZE: {
    get: (config) => config.runLimits.httpBodyBytes,
    fallback: 256 * MIB,
    allowed: { "1024": 1024, "68719476736": 65_536 * MIB },
    refused: [...NOT_WHOLE, "1023", "68719476737"],
    words: "a whole number from 1024 to 68719476736",
  },
  MAX_CPUS: {
    get: (config) => config.sandboxLimits.cpus,
    fallback: 1,
    allowed: { "0.01": 0.01, "2.5": 2.5, "1024": 1024 },
    refused: [...NOT_DECIMAL, "0", "1025"],
    words: "a number of cores from 0.01 to 1024",
  },
  MAX_MEMORY: {
    get: (config) => config.sandboxLimits.memoryBytes,
    fallback: 128 * MIB,
    allowed: { "33554432": 32 * MIB, "65536K": 64 * MIB, "64m": 64 * MIB, "64MB": 64 * MIB, "1G": 1024 * MIB },
    refused: ["31M", "2T", "1.5G", "64 M", "-64M", "M", "2000G", "many"],
    words: "a size in bytes, or with K, M or G behind it, from 32M to 1048576M",
  },
  MAX_CPUS_PER_CONTAINER: {
    get: (config) => config.sandboxLimits.cpus,
    fallback: 1,
    allowed: { "0.25": 0.25 },
    refused: [...NOT_DECIMAL, "0"],
    words: "a number of cores from 0.01 to 1024",
  },
  MAX_MEMORY_PER_CONTAINER: {
    get: (config) => config.sandboxLimits.memoryBytes,
    fallback: 128 * MIB,
    allowed: { "96M": 96 * MIB },
    refused: ["31M", "lots"],
    words: "a size in bytes, or with K, M or G behind it, from 32M to 1048576M",
  },
  MAX_CONTAINERS: {
    get: (config) => config.maxWorkers,
    fallback: Math.max(8, availableParallelism() * 2),
    allowed: { "1": 1, "1000": 1000 },
    refused: [...NOT_WHOLE, "0", "1001"],
    words: "a whole number from 1 to 1000",
  },
  MAX_QUEUE: {
    get: (config) => config.maxQueue,
    fallback: 256,
    allowed: { "0": 0, "100000": 100_000 },
    refused: [...NOT_WHOLE, "100001"],
    words: "a whole number from 0 to 100000",
  },
  QUEUE_TIMEOUT: {
    get: (config) => config.queueTimeoutMs,
    fallback: 10_000,
    allowed: { "0.01": 10, "3600": 3_600_000 },
    refused: [...NOT_DECIMAL, "0", "3601"],
    words: "a number of seconds from 0.01 to 3600",
  },
  DRAIN_SECONDS: {
    get: (config) => config.drainMs,
    fallback: 0,
    allowed: { "0.5": 500, "3600": 3_600_000 },
    refused: ["-1", "3601", "soon"],
    words: "a number of seconds from 0 to 3600",
  },
  KEEP_EXECUTIONS: {
    get: (config) => config.keepExecutions,
    fallback: 100_000,
    allowed: { "0": 0, "100000000": 100_000_000 },
    refused: [...NOT_WHOLE, "100000001"],
    words: "a whole number from 0 to 100000000",
  },
  ADMIN_KEY: {
    get: (config) => config.adminKey,
    fallback: undefined,
    allowed: { ["x".repeat(32)]: "x".repeat(32) },
    refused: ["x".repeat(31), `${"x".repeat(32)} y`, "é".repeat(32)],
    words: "at least 32 printable characters without blanks",
  },
  MASTER_KEY: {
    get: (config) => config.masterKey,
    fallback: undefined,
    allowed: { ["k".repeat(32)]: "k".repeat(32) },
    refused: ["k".repeat(31), `${"k".repeat(32)} y`],
    words: "at least 32 printable characters without blanks",
  },
  BASE_URL: {
    get: (config) => config.baseUrl,
    fallback: undefined,
    allowed: {
      "https://cloche.example.com/": "https://cloche.example.com",
      "http://10.0.0.1:8080": "http://10.0.0.1:8080",
    },
    refused: ["cloche.example.com", "ftp://a", "https://a/?b", "https://", "https://a b"],
    words: "an http or https URL without a query",
  },
  EGRESS: {
    get: (config) => (typeof config.egress === "string" ? config.egress : config.egress.join(" ")),
    fallback: "public",
    allowed: {
      none: "none",
      public: "public",
      all: "all",
      "API.example.com, *.example.org:8443": "api.example.com *.example.org:8443",
    },
    refused: ["public,", "http://example.com", "*", "a b", "example.com:0"],
    words: 'none, public, all, or hosts with commas between, such as "api.example.com, *.example.org:8443"',
  },
  REDIS_URL: {
    get: (config) => config.redis?.host,
    fallback: undefined,
    allowed: { "redis://a": "a", "rediss://:p@b:1/2": "b", "unix:///run/redis.sock": "localhost" },
    refused: ["a:6379", "http://a", "redis://", "redis://a/x", "redis://a?b", "redis://a#b"],
    words: "redis://, rediss:// (TLS) or unix://, such as rediss://user:password@host:6379/0 or unix:///run/redis.sock",
  },
  REDIS_HOST: {
    get: (config) => config.redis?.host,
    fallback: undefined,
    allowed: { "redis.internal": "redis.internal" },
    refused: [],
    words: "text",
  },
  REDIS_PORT: {
    get: (config) => config.redis?.port,
    fallback: undefined, // without a host it is no setting of anything
    allowed: {},
    refused: [...NOT_WHOLE, "0", "65536"],
    words: "a whole number from 1 to 65535",
  },
  REDIS_PASSWORD: {
    get: (config) => config.redis?.password,
    fallback: undefined,
    allowed: {},
    refused: [],
    words: "text",
  },
  REDIS_DB: {
    get: (config) => config.redis?.db,
    fallback: undefined,
    allowed: {},
    refused: [...NOT_WHOLE, "1000001"],
    words: "a whole number from 0 to 1000000",
  },
  REDIS_TIMEOUT_SECONDS: {
    get: (config) => config.redis?.timeoutMs,
    fallback: undefined,
    allowed: {},
    refused: [...NOT_DECIMAL, "0", "301"],
    words: "a number of seconds from 0.1 to 300",
  },
  REDIS_PREFIX: {
    get: (config) => config.redis?.prefix,
    fallback: undefined,
    allowed: {},
    refused: ["a b", "{a}", "x".repeat(65)],
    words: "1 to 64 letters, digits, colons, dots, _ or -",
  },
  GPU_ENABLED: {
    get: (config) => config.gpuEnabled,
    fallback: false,
    allowed: { true: true, false: false },
    refused: ["yes"],
    words: "true or false",
  },
  BUILD_TIMEOUT: {
    get: (config) => config.builds.timeoutMs,
    fallback: 120_000,
    allowed: { "1": 1000, "0300": 300_000 },
    refused: [...NOT_DECIMAL, "0.5", "3601"],
    words: "a number of seconds from 1 to 3600",
  },
  BUILD_MEMORY: {
    get: (config) => config.builds.memoryBytes,
    fallback: 1024 * MIB,
    allowed: { "2G": 2048 * MIB },
    refused: ["255M", "lots"],
    words: "a size in bytes, or with K, M or G behind it, from 256M to 1048576M",
  },
  BUILD_DISK: {
    get: (config) => config.builds.diskBytes,
    fallback: 512 * MIB,
    allowed: { "1G": 1024 * MIB },
    refused: ["63M", "lots"],
    words: "a size in bytes, or with K, M or G behind it, from 64M to 1048576M",
  },
  BUILD_CPUS: {
    get: (config) => config.builds.cpus,
    fallback: 2,
    allowed: { "0.5": 0.5, "8": 8 },
    refused: [...NOT_DECIMAL, "0"],
    words: "a number of cores from 0.1 to 1024",
  },
  BUILD_CONCURRENCY: {
    get: (config) => config.builds.concurrency,
    fallback: 1,
    allowed: { "4": 4 },
    refused: [...NOT_WHOLE, "0", "65"],
    words: "a whole number from 1 to 64",
  },
  GOROOT: {
    get: (config) => config.builds.goRoot,
    fallback: undefined,
    allowed: { "/opt/go": "/opt/go" },
    refused: [],
    words: "text",
  },
  TINYGOROOT: {
    get: (config) => config.builds.tinyGoRoot,
    fallback: undefined,
    allowed: { "/opt/tinygo": "/opt/tinygo", off: "off" },
    refused: [],
    words: "text",
  },
  GOPROXY: {
    get: (config) => config.builds.goProxy,
    fallback: "https://proxy.golang.org",
    allowed: {
      off: "off",
      "https://a.example/go/, https://b.example:8443": "https://a.example/go,https://b.example:8443",
      "https://proxy.golang.org,direct": "https://proxy.golang.org",
    },
    refused: ["direct", "http://a.example", "a.example", "https://a|https://b", "https://me:secret@a.example", ","],
    words: "off, or https URLs with commas between (direct is left out: builds reach nothing but proxies)",
  },
  GOSUMDB: {
    get: (config) => config.builds.goSumDb,
    fallback: "sum.golang.org",
    allowed: { off: "off", "sum.example+3c9d+Abc/=": "sum.example+3c9d+Abc/=" },
    refused: ["https://sum.golang.org", "a b"],
    words: "off, or a host with or without +key behind it",
  },
  JOBS_CONCURRENCY: {
    get: (config) => config.jobs.concurrency,
    fallback: Math.floor(Math.max(8, availableParallelism() * 2) / 2),
    allowed: { "1": 1, "100": 100 },
    refused: [...NOT_WHOLE, "0", "1001"],
    words: "a whole number from 1 to 1000",
  },
  JOBS_LEASE_SECONDS: {
    get: (config) => config.jobs.leaseMs,
    fallback: 30_000,
    allowed: { "3": 3_000, "600": 600_000 },
    refused: ["2.9", "601", "soon"],
    words: "a number of seconds from 3 to 600",
  },
  JOBS_MAX_QUEUED: {
    get: (config) => config.jobs.maxQueued,
    fallback: 100_000,
    allowed: { "1": 1 },
    refused: [...NOT_WHOLE, "0"],
    words: "a whole number from 1 to 10000000",
  },
  JOB_INPUT_MAX_SIZE: {
    get: (config) => config.jobs.inputBytes,
    fallback: MIB,
    allowed: { "1024": 1024 },
    refused: [...NOT_WHOLE, "1023"],
    words: "a whole number from 1024 to 67108864",
  },
  KEEP_JOBS: {
    get: (config) => config.jobs.keep,
    fallback: 10_000,
    allowed: { "0": 0, "50": 50 },
    refused: [...NOT_WHOLE],
    words: "a whole number from 0 to 10000000",
  },
  WEBHOOK_SECRET: {
    get: (config) => config.jobs.webhookSecret,
    fallback: undefined,
    allowed: { ["s".repeat(32)]: "s".repeat(32) },
    refused: ["too short", `${"x".repeat(20)} ${"y".repeat(20)}`],
    words: "at least 32 printable characters without blanks",
  },
  ALLOW_SOFT_LIMITS: {
    get: (config) => config.allowSoftLimits,
    fallback: false,
    allowed: { true: true, false: false },
    refused: ["yes", "1", "TRUE", "constructor"],
    words: "true or false",
  },
};

test("every setting has its case here", () => {
  const names = Object.values(SETTINGS).map(({ name }) => name);

  assert.deepEqual(Object.keys(CASES).toSorted(), names.toSorted());
});

for (const [name, { get, fallback, allowed, refused, words }] of Object.entries(CASES)) {
  suite(name, () => {
    test("has its default, and takes an empty value for none", () => {
      assert.equal(get(readConfig({})), fallback);
      assert.equal(get(readConfig({ [name]: "" })), fallback);
      assert.equal(get(readConfig({ [name]: "  " })), fallback);
    });

    test("takes what is allowed", () => {
      for (const [text, value] of Object.entries(allowed)) assert.equal(get(readConfig({ [name]: text })), value, text);
    });

    if (refused.length === 0) return;
    test("refuses all else by name, value and what is allowed", () => {
      for (const text of refused) {
        const shown = /_KEY$|_SECRET$|_PASSWORD$|^REDIS_URL$/.test(name) ? "(not shown)" : JSON.stringify(text);
        const message = `${name}=${shown} is not allowed: it must be ${words}`;
        assert.throws(() => readConfig({ [name]: text }), { name: "ConfigError", message });
      }
    });
  });
}

test("the limits of a container win over those for all, and hold for the messages, too", () => {
  const config = readConfig({
    MAX_MEMORY: "64M",
    MAX_MEMORY_PER_CONTAINER: "96M",
    MAX_CPUS: "2",
    MAX_CPUS_PER_CONTAINER: "0.5",
  });

  assert.equal(config.sandboxLimits.memoryBytes, 96 * MIB);
  assert.equal(config.runLimits.memoryBytes, 96 * MIB);
  assert.equal(config.sandboxLimits.cpus, 0.5);
});

test("a URL of Redis wins over its parts, which stand for what it does not say", () => {
  const redis = (environment: Environment) => readConfig(environment).redis;
  const plain = {
    ...{ host: "r", port: 6379, path: undefined, tls: false, username: undefined, password: undefined, db: 0 },
    ...{ timeoutMs: 5_000, prefix: "cloche:" },
  };

  assert.equal(redis({ REDIS_PORT: "1", REDIS_PASSWORD: "p" }), undefined);
  assert.deepEqual(redis({ REDIS_HOST: "r" }), plain);
  assert.deepEqual(redis({ REDIS_URL: "redis://r" }), plain);
  assert.deepEqual(redis({ REDIS_HOST: "r", REDIS_PORT: "7", REDIS_PASSWORD: "p w", REDIS_DB: "3" }), {
    ...plain,
    ...{ port: 7, password: "p w", db: 3 },
  });
  assert.deepEqual(redis({ REDIS_URL: "rediss://u%40:p%2F@r:7/2", REDIS_HOST: "other", REDIS_PASSWORD: "x" }), {
    ...plain,
    ...{ port: 7, tls: true, username: "u@", password: "p/", db: 2 },
  });
  assert.deepEqual(redis({ REDIS_URL: "redis://[::1]:7", REDIS_PASSWORD: "p", REDIS_DB: "4" }), {
    ...plain,
    ...{ host: "::1", port: 7, password: "p", db: 4 },
  });
  assert.deepEqual(redis({ REDIS_URL: "unix:///run/redis.sock?db=2", REDIS_TIMEOUT_SECONDS: "0.5" }), {
    ...plain,
    ...{ host: "localhost", path: "/run/redis.sock", db: 2, timeoutMs: 500 },
  });
});

test("scripts that ask for nothing have no network unless EGRESS is set", () => {
  assert.equal(readConfig({}).scriptEgress, "none");
  assert.equal(readConfig({ EGRESS: " " }).scriptEgress, "none");
  for (const EGRESS of ["public", "none", "a.example"]) assert.equal(readConfig({ EGRESS }).scriptEgress, undefined);
});
