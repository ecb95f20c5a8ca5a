// @ts-check
// The machine that we really run on.
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
} from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import * as util from "node:util"; // Node before 20.12 has no `parseEnv`, and a named import of it would stop us there

/** @typedef {import("./examine.mjs").Machine} Machine */

const COMMAND_LIMIT_MS = 10_000;
/** Programs are looked for where the system keeps them, not where the caller's PATH leads. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * @param {string} productDir
 * @returns {Machine}
 */
export function thisMachine(productDir) {
  return {
    platform: process.platform,
    arch: process.arch,
    cores: availableParallelism(),
    uid: process.getuid?.() ?? -1,
    nodeVersion: process.version,
    productDir,
    workDir: process.cwd(),
    env: { ...util.parseEnv?.(orUndefined(() => readFileSync(".env", "utf8")) ?? ""), ...process.env },
    read: (path) => orUndefined(() => readFileSync(path, "utf8")),
    exists: existsSync,
    writable: (path) =>
      orUndefined(() => {
        accessSync(path, constants.W_OK);
        return true;
      }) ?? false,
    list: (path) => orUndefined(() => readdirSync(path)) ?? [],
    realPath: (path) => orUndefined(() => realpathSync(path)),
    stat: (path) => orUndefined(() => statSync(path)),
    fileSystem: (path) =>
      orUndefined(() => {
        const { type, bavail, bsize, files, ffree } = statfsSync(path);
        return { type, freeBytes: bavail * bsize, inodes: files, freeInodes: ffree };
      }),
    run(command, args, { uid } = {}) {
      const { status, stdout, stderr, error } = spawnSync(command, args, {
        cwd: "/", // another user may not be allowed to be where we are
        env: { PATH },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        timeout: COMMAND_LIMIT_MS,
        ...(uid === undefined ? {} : { uid, gid: uid }),
      });
      return { code: status ?? undefined, stdout: stdout ?? "", stderr: error?.message ?? stderr };
    },
    listen,
  };
}

/** @type {Machine["listen"]} */
function listen(host, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** @type {<T>(attempt: () => T) => T | undefined} */
function orUndefined(attempt) {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}
