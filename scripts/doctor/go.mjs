// @ts-check
// Go, for functions that come as its source. A server without it runs everything else.
import { dirname, join } from "node:path";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */
/** @typedef {Pick<Machine, "exists" | "read" | "realPath" | "list" | "env">} Files */

// As in src/runtimes/go/toolchain.ts.
const LEAST_MINOR = 21;
const FIXED_ROOTS = ["/usr/local/go", "/usr/lib/golang", "/usr/lib/go"];
const NEEDED = ["bin", "src", "pkg/tool"];

const HOW_TO_INSTALL = [
  "unpack Go to /usr/local/go: https://go.dev/doc/install",
  "or take your distribution's, where that is new enough: golang-go (Debian 13, Ubuntu 24.04), golang (Fedora), go (Arch, Alpine)",
];

/**
 * The Go that the server would find.
 *
 * @param {Files} machine
 * @returns {{ root: string, version: string, isFit: boolean } | undefined} an unfit one only where there is no other
 */
export function findGo(machine) {
  const named = machine.env["GOROOT"]?.trim();
  const found = (named ? [named] : usualRoots(machine)).flatMap((root) => {
    const version = /^go(1\.(\d+)\S*)/.exec(machine.read(join(root, "VERSION")) ?? "");
    if (version === null) return [];
    const isWhole = NEEDED.every((part) => machine.exists(join(root, part)));
    return [{ root, version: version[1] ?? "", isFit: isWhole && Number(version[2]) >= LEAST_MINOR }];
  });
  return found.find(({ isFit }) => isFit) ?? found[0];
}

// As in src/runtimes/go/tinygo.ts.
const TINYGO_ROOTS = ["/usr/local/tinygo", "/usr/local/lib/tinygo", "/usr/lib/tinygo"];
const TINYGO_PARTS = ["bin/tinygo", "lib", "src", "targets"];

/**
 * Where the TinyGo is that the server would find.
 *
 * @param {Files} machine
 * @returns {string | undefined}
 */
function findTinyGo(machine) {
  const named = machine.env["TINYGOROOT"]?.trim();
  const roots = named ? [named] : [...rootsInPath(machine, "tinygo"), ...TINYGO_ROOTS];
  return roots.find((root) => TINYGO_PARTS.every((part) => machine.exists(join(root, part))));
}

/** @type {(machine: Files) => string[]} */
function usualRoots(machine) {
  const minors = machine.list("/usr/lib").flatMap((name) => /^go-1\.(\d+)$/.exec(name)?.[1] ?? []);
  const ofDebian = minors.sort((a, b) => Number(b) - Number(a)).map((minor) => `/usr/lib/go-1.${minor}`);
  return [...rootsInPath(machine, "go"), ...FIXED_ROOTS, ...ofDebian];
}

/** @type {(machine: Files, name: string) => string[]} */
function rootsInPath(machine, name) {
  const folders = (machine.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return folders.flatMap((folder) => {
    const binary = machine.realPath(join(folder, name));
    return binary === undefined ? [] : [dirname(dirname(binary))];
  });
}

/**
 * @param {Machine} machine
 * @returns {Finding}
 */
export function checkGo(machine) {
  const id = "go";
  const go = findGo(machine);
  if (go?.isFit) {
    const tinyGo = findTinyGo(machine);
    const module = tinyGo === undefined ? "" : `, and TinyGo at ${tinyGo}, for their WebAssembly`;
    return {
      id,
      level: "ok",
      what: `Go ${go.version} at ${go.root}, to build functions in Go${module}`,
      canFix: false,
    };
  }
  return {
    id,
    level: "info",
    what: go === undefined ? "no Go" : `Go ${go.version} at ${go.root} is not whole, or older than 1.${LEAST_MINOR}`,
    cost: "functions in Go are taken only as executables or WebAssembly modules, not as source",
    fix: HOW_TO_INSTALL,
    canFix: false,
  };
}
