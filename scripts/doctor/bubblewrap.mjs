// @ts-check
// The program that makes the sandboxes: there, new enough, and without the setuid bit. The places are those where
// src/sandbox/find-bubblewrap.ts looks.
import { installing } from "./packages.mjs";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */

const PLACES = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];
const SETUID = 0o4000;
const LEAST_MINOR = 7; // 0.7.0 brought `--size`, without which a sandbox's /tmp could fill the host's memory

/** @type {(machine: Machine) => string | undefined} */
export function bubblewrapPath(machine) {
  return PLACES.find((place) => machine.exists(place));
}

/**
 * @param {Machine} machine
 * @returns {Finding[]}
 */
export function checkBubblewrap(machine) {
  const path = bubblewrapPath(machine);
  const id = "bubblewrap";
  if (path === undefined) {
    const how = installing(machine, { default: "bubblewrap" });
    return [{ id, level: "problem", what: "bubblewrap is not installed", cost: "no sandbox can be made", ...how }];
  }
  if (((machine.stat(path)?.mode ?? 0) & SETUID) !== 0) {
    return [
      {
        id,
        level: "problem",
        what: `${path} is setuid root`,
        cost: "a way to root for every user of this machine (CVE-2026-41163); the server refuses it",
        fix: [`chmod u-s ${path}`],
        canFix: true,
        needsRoot: true,
      },
    ];
  }
  const { code, stdout, stderr } = machine.run(path, ["--version"]);
  const version = /(\d+)\.(\d+)\S*/.exec(stdout);
  if (code !== 0 || version === null) {
    const what = `${path} --version fails: ${stderr.trim() || "no answer"}`;
    return [{ id, level: "problem", what, cost: "no sandbox can be made", canFix: false }];
  }
  if (Number(version[1]) === 0 && Number(version[2]) < LEAST_MINOR) {
    return [
      {
        id,
        level: "problem",
        what: `bubblewrap ${version[0]} is older than 0.${LEAST_MINOR}`,
        cost: "it cannot bound the memory of a sandbox's /tmp (--size), and refuses our command line",
        fix: ["update the distribution (Debian 12, Ubuntu 24.04, Fedora 38 or newer have it)"],
        canFix: false,
      },
    ];
  }
  return [{ id, level: "ok", what: `bubblewrap ${version[0]} at ${path}, not setuid`, canFix: false }];
}
