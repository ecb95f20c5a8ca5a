// A server of our own in the guest, in a cgroup and as a user of the test's choice.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "./client.mjs";

const START_LIMIT_MS = 60_000; // an emulated processor is 30 times slower

const running = new Set();

/** SIGKILL for whatever a failed test has left, so that the next one does not see it. */
export async function endServers() {
  for (const server of running) await server.kill();
}

/**
 * Starts a server; rejects with what it printed where it does not start.
 *
 * @param group the folder of the cgroup that it starts in
 * @param uid undefined: root
 */
export async function startServer({ group, uid, settings = {} }) {
  const dataDir = mkdtempSync("/tmp/data-");
  if (uid !== undefined) chownSync(dataDir, uid, uid);
  const env = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: `/tmp/compiled-${uid ?? 0}`, // as `npm start` has it
    HTTP_PORT: "0",
    MAX_CONTAINERS: "6",
    DATA_DIR: dataDir,
    ...settings,
  };
  // The shell waits for a word, so that it is in its group before it becomes the server.
  const child = spawn("/bin/sh", ["-c", 'read -r _; exec "$@"', "sh", process.execPath, "/opt/cloche/src/main.ts"], {
    cwd: dataDir,
    env,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const server = new Server(child, dataDir);
  running.add(server);
  writeFileSync(join(group, "cgroup.procs"), String(child.pid));
  child.stdin.end("go\n");
  await server.started();
  return server;
}

class Server extends Client {
  #stdout = "";
  #stderr = "";
  #child;
  #closed;
  #dataDir;

  constructor(child, dataDir) {
    super("", child.pid);
    this.#child = child;
    this.#dataDir = dataDir;
    this.#closed = once(child, "close");
    child.stdout.setEncoding("utf8").on("data", (text) => (this.#stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (this.#stderr += text));
  }

  async started() {
    for (const giveUpAtMs = Date.now() + START_LIMIT_MS; Date.now() < giveUpAtMs; await delay(50)) {
      this.url = /Listening on (\S+)\n/.exec(this.#stdout)?.[1] ?? "";
      if (this.url !== "") return;
      if (this.#child.exitCode !== null) break;
    }
    await this.kill();
    throw new Error(this.#stderr || "the server did not start in time");
  }

  /** @returns its exit code */
  stop() {
    return this.#end("SIGTERM");
  }

  kill() {
    return this.#end("SIGKILL");
  }

  async #end(signal) {
    this.#child.kill(signal);
    const [code] = await this.#closed;
    running.delete(this);
    rmSync(this.#dataDir, { recursive: true, force: true });
    return code;
  }
}
