import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { suite, test } from "node:test";
import { type Config, readConfig } from "./config.ts";
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
  GPU_ENABLED: {
    get: (config) => config.gpuEnabled,
    fallback: false,
    allowed: { true: true, false: false },
    refused: ["yes"],
    words: "true or false",
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
        const shown = name.endsWith("_KEY") ? "(not shown)" : JSON.stringify(text);
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

test("a setting that cannot be honoured yet stops the start, unless it says no", () => {
  for (const name of ["REDIS_URL", "REDIS_HOST"]) {
    assert.throws(() => readConfig({ [name]: "x" }), { name: "ConfigError", message: new RegExp(`^${name}="x": `) });
    readConfig({ [name]: "" });
    readConfig({ [name]: "false" });
  }
});

test("scripts that ask for nothing have no network unless EGRESS is set", () => {
  assert.equal(readConfig({}).scriptEgress, "none");
  assert.equal(readConfig({ EGRESS: " " }).scriptEgress, "none");
  for (const EGRESS of ["public", "none", "a.example"]) assert.equal(readConfig({ EGRESS }).scriptEgress, undefined);
});
