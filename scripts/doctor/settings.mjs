// @ts-check
// The few settings that the doctor's checks depend on, with the names, defaults and limits of src/config/settings.ts; Node 20
// cannot import that file. A test compares the defaults.
import { resolve } from "node:path";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */
/**
 * @typedef {object} Settings
 * @property {string} host
 * @property {number} port
 * @property {string} dataDir absolute
 * @property {number} maxContainers
 * @property {number} memoryBytes of one sandbox
 * @property {boolean} allowSoftLimits
 */

const MIB = 1024 * 1024;
/** @type {Readonly<Record<string, number>>} */
const UNITS = { "": 1, K: 1024, M: MIB, G: 1024 * MIB };

/**
 * A value that the server would refuse becomes a finding, and the default stands in for it.
 *
 * @param {Machine} machine
 * @returns {{ settings: Settings, findings: Finding[] }}
 */
export function readSettings(machine) {
  /** @type {Finding[]} */
  const findings = [];
  /** @type {<T>(name: string, fallback: T, parse: (text: string) => T | undefined) => T} */
  function read(name, fallback, parse) {
    const text = machine.env[name]?.trim() ?? "";
    const value = text === "" ? fallback : parse(text);
    if (value !== undefined) return value;
    findings.push({
      id: "settings",
      level: "problem",
      what: `${name}=${JSON.stringify(text)} is not allowed`,
      cost: "the server does not start",
      fix: [`see ${name} in docs/settings.md`],
      canFix: false,
    });
    return fallback;
  }
  const memoryBytes = read("MAX_MEMORY", 128 * MIB, bytes);
  const settings = {
    host: read("HOST", "127.0.0.1", (text) => text),
    port: read("HTTP_PORT", 8080, (text) => whole(text, 0, 65_535)),
    dataDir: resolve(
      machine.workDir,
      read("DATA_DIR", "./data", (text) => text),
    ),
    maxContainers: read("MAX_CONTAINERS", machine.cores * 2, (text) => whole(text, 1, 1000)),
    memoryBytes: read("MAX_MEMORY_PER_CONTAINER", memoryBytes, bytes),
    allowSoftLimits: read("ALLOW_SOFT_LIMITS", false, flag),
  };
  return { settings, findings };
}

/** @type {(text: string, min: number, max: number) => number | undefined} */
function whole(text, min, max) {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}

/** @type {(text: string) => number | undefined} */
function bytes(text) {
  const match = /^(\d+)([KMG]?)B?$/i.exec(text);
  const value = match === null ? NaN : Number(match[1]) * (UNITS[(match[2] ?? "").toUpperCase()] ?? NaN);
  return value >= 32 * MIB && value <= 1024 * 1024 * MIB ? value : undefined;
}

/** @type {(text: string) => boolean | undefined} */
function flag(text) {
  return text === "true" || (text === "false" ? false : undefined);
}
