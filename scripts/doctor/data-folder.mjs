// @ts-check
// The folder of the database: there or makeable, ours, on a file system that can lock, with room.
import { dirname } from "node:path";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */
/** @typedef {import("./settings.mjs").Settings} Settings */

const MIB = 1024 * 1024;
const LEAST_BYTES = 64 * MIB;
const ENOUGH_BYTES = 1024 * MIB;
const LEAST_INODES = 1000; // the prepared roots of the sandboxes take some hundred

/** The kernel's numbers (statfs(2)) of file systems where SQLite's write-ahead log loses data: https://sqlite.org/wal.html */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x00c36400, "Ceph"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
]);

/**
 * @param {Machine} machine
 * @param {Settings} settings
 * @returns {Finding[]}
 */
export function checkDataFolder(machine, { dataDir }) {
  const id = "data-folder";
  const existing = nearestExisting(machine, dataDir);
  if (!machine.writable(existing)) {
    return [
      {
        id,
        level: "problem",
        what:
          existing === dataDir
            ? `this user may not write to the data folder ${dataDir}`
            : `the data folder ${dataDir} is not there, and this user may not make it in ${existing}`,
        cost: "the server does not start",
        fix: [
          // Root may write everywhere but on a read-only file system, which no command of ours should change.
          ...(machine.uid === 0 ? [] : [`sudo install -d -o ${machine.uid} ${quoted(dataDir)}`]),
          "set DATA_DIR to another folder",
        ],
        canFix: false, // whoever owns it may need it
      },
    ];
  }
  return [owner(machine, dataDir), ...checkFileSystem(machine, existing)];
}

/** @type {(machine: Machine, dataDir: string) => Finding} */
function owner(machine, dataDir) {
  const stat = machine.stat(dataDir);
  if (stat === undefined) {
    return {
      id: "data-folder",
      level: "ok",
      what: `the data folder ${dataDir} will be made at the first start`,
      canFix: false,
    };
  }
  if (stat.uid === machine.uid)
    return { id: "data-folder", level: "ok", what: `data folder ${dataDir}`, canFix: false };
  return {
    id: "data-folder",
    level: "warning",
    what: `the data folder ${dataDir} belongs to user ${stat.uid}, and this is user ${machine.uid}`,
    cost: "what is written now belongs to this user: the other one may not be able to start the server again",
    fix: ["always start the server as the same user"],
    canFix: false,
  };
}

/** @type {(machine: Machine, folder: string) => Finding[]} */
function checkFileSystem(machine, folder) {
  const found = machine.fileSystem(folder);
  if (found === undefined) return [];
  const network = NETWORK_FILE_SYSTEMS.get(found.type);
  /** @type {Finding[]} */
  const findings = [];
  if (network !== undefined) {
    findings.push({
      id: "data-locks",
      level: "problem",
      what: `the data folder lies on ${network}, where SQLite's locks and shared memory do not hold`,
      cost: "the database can be damaged",
      fix: ["set DATA_DIR to a folder on a local disk"],
      canFix: false,
    });
  }
  const free = `${Math.floor(found.freeBytes / MIB)} MiB and ${found.freeInodes} inodes free`;
  const fewInodes = found.inodes > 0 && found.freeInodes < LEAST_INODES;
  if (found.freeBytes >= ENOUGH_BYTES && !fewInodes) {
    findings.push({ id: "disk", level: "ok", what: `room for data: ${free}`, canFix: false });
    return findings;
  }
  findings.push({
    id: "disk",
    level: found.freeBytes < LEAST_BYTES || fewInodes ? "problem" : "warning",
    what: `little room for data: ${free}`,
    cost: "uploads and records are refused when the disk is full",
    fix: ["free some, or set KEEP_EXECUTIONS lower"],
    canFix: false,
  });
  return findings;
}

/** @type {(machine: Machine, path: string) => string} */
function nearestExisting(machine, path) {
  let folder = path;
  while (!machine.exists(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/** For a shell. @type {(path: string) => string} */
function quoted(path) {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
