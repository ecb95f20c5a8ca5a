// @ts-check
// Node.js for the server and for JavaScript, Python for Python.
import { basename, dirname, join } from "node:path";
import { installing } from "./packages.mjs";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */

const LEAST_NODE = 20; // for scripts/setup.mjs, which brings Node 24
const SERVER_NODE = 24;
// As in src/runtimes/python/interpreter.ts.
const PYTHONS = ["/usr/bin/python3", "/usr/local/bin/python3"];
const OLDEST_PYTHON_MINOR = 9;

/**
 * @param {Machine} machine
 * @returns {Finding[]}
 */
export function checkRuntimes(machine) {
  return [checkNode(machine), ...checkServerNode(machine), ...checkLdd(machine), checkPython(machine)];
}

/** @type {(machine: Machine) => Finding} */
function checkNode({ nodeVersion }) {
  if (major(nodeVersion) >= LEAST_NODE) {
    return { id: "node", level: "ok", what: `Node.js ${nodeVersion} to begin with`, canFix: false };
  }
  return {
    id: "node",
    level: "problem",
    what: `Node.js ${nodeVersion} is older than ${LEAST_NODE}`,
    cost: "npm start fails before it could install the Node.js that the server runs on",
    fix: ["install Node.js 20 or newer: https://nodejs.org/en/download"],
    canFix: false,
  };
}

/** The Node that `npm ci` puts into node_modules. @type {(machine: Machine) => Finding[]} */
function checkServerNode(machine) {
  const id = "server-node";
  const path = join(machine.productDir, "node_modules/.bin/node");
  if (!machine.exists(path)) {
    const what = `Node.js ${SERVER_NODE} for the server is not installed yet; npm start does it, and needs the network for that`;
    return [{ id, level: "info", what, canFix: false }];
  }
  const { code, stdout, stderr } = machine.run(path, ["--version"]);
  if (code === 0 && major(stdout) === SERVER_NODE) {
    return [{ id, level: "ok", what: `Node.js ${stdout.trim()} for the server`, canFix: false }];
  }
  return [
    {
      id,
      level: "problem",
      what: `${path} is not Node.js ${SERVER_NODE}: ${(stdout || stderr).trim() || "it does not start"}`,
      cost: "the server does not start",
      fix: ["npm ci --omit=dev"],
      canFix: true,
    },
  ];
}

/** @type {(machine: Machine) => Finding[]} */
function checkLdd(machine) {
  if (machine.run("ldd", ["--version"]).code !== undefined) return [];
  return [
    {
      id: "ldd",
      level: "problem",
      what: "ldd is missing",
      cost: "the server cannot tell which libraries an interpreter needs in its sandbox",
      ...installing(machine, { "/usr/bin/apt-get": "libc-bin", default: "glibc-common" }),
    },
  ];
}

/** @type {(machine: Machine) => Finding} */
function checkPython(machine) {
  for (const command of PYTHONS) {
    const binary = machine.realPath(command);
    const version = binary === undefined ? undefined : usablePython(machine, binary);
    if (version !== undefined) {
      return {
        id: "python",
        level: "ok",
        what: `Python ${version} at ${command}, for functions in Python`,
        canFix: false,
      };
    }
  }
  return {
    id: "python",
    level: "warning",
    what: `no whole Python 3.${OLDEST_PYTHON_MINOR} or newer at ${PYTHONS.join(" or ")}`,
    cost: "functions in Python are refused",
    ...installing(machine, { "/usr/bin/pacman": "python", default: "python3" }),
  };
}

/** Its version, when its standard library is there with extension modules and all. @type {(machine: Machine, binary: string) => string | undefined} */
function usablePython(machine, binary) {
  const prefix = dirname(dirname(binary));
  const named = /^python3\.(\d+)/.exec(basename(binary))?.[1];
  for (const library of [join(prefix, "lib"), join(prefix, "lib64")]) {
    const minors = machine.list(library).flatMap((name) => /^python3\.(\d+)$/.exec(name)?.[1] ?? []);
    const minor = Math.max(...(named === undefined ? minors : [named]).map(Number));
    const folder = join(library, `python3.${minor}`);
    if (minor < OLDEST_PYTHON_MINOR || !machine.exists(join(folder, "os.py"))) continue;
    if (machine.exists(join(folder, "lib-dynload"))) return `3.${minor}`;
  }
  return undefined;
}

/** @type {(version: string) => number} */
function major(version) {
  return Number(/^v?(\d+)\./.exec(version.trim())?.[1] ?? 0);
}
