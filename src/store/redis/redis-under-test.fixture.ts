// A real Redis server of a test's own, on a unix socket in a folder of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TestContext } from "node:test";
import { createClient } from "redis";
import type { RedisSettings } from "../../core/redis-settings.ts";
import { openRedisStore, type RedisStore } from "./redis-store.ts";

const START_LIMIT_MS = 60_000;

export class RedisUnderTest {
  readonly folder: string;
  readonly path: string;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;

  /** @param args of redis-server, such as `--requirepass`, `secret` */
  static async start(...args: readonly string[]): Promise<RedisUnderTest> {
    const redis = new RedisUnderTest(args);
    await redis.start();
    return redis;
  }

  private constructor(args: readonly string[]) {
    this.folder = mkdtempSync(join(tmpdir(), "cloche-redis-"));
    this.path = join(this.folder, "redis.sock");
    this.#args = args;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("the Redis of this test does not run");
    return pid;
  }

  settings(changes: Partial<RedisSettings> = {}): RedisSettings {
    return {
      ...{ host: "localhost", port: 6379, path: this.path, tls: false },
      ...{ username: undefined, password: undefined, db: 0, timeoutMs: 10_000, prefix: "cloche:" },
      ...changes,
    };
  }

  /** Says something behind the backs of those who use it. */
  async tell(...words: string[]): Promise<unknown> {
    const client = createClient({ socket: { path: this.path, tls: false } });
    await client.connect();
    try {
      return await client.sendCommand(words);
    } finally {
      client.destroy();
    }
  }

  /** Again, with what it had written, after `kill`. */
  async start(): Promise<void> {
    const own = ["--port", "0", "--unixsocket", this.path, "--dir", this.folder, "--save", "", "--appendonly", "yes"];
    const args = ["--pdeathsig", "KILL", "redis-server", ...own, "--appendfsync", "always", ...this.#args];
    this.#process = spawn("setpriv", args, { stdio: "ignore" }); // so that it ends with the test, however that ends
    const giveUpAtMs = Date.now() + START_LIMIT_MS;
    while (!(await isListening(this.path))) {
      if (Date.now() > giveUpAtMs) throw new Error("redis-server did not start");
      await delay(10);
    }
  }

  /** As a crash does it: nothing is said to anybody. */
  async kill(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
    rmSync(this.path, { force: true });
  }

  /** It goes on living, but does nothing until `resume`. */
  freeze(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** For one test. */
export async function redisFor(t: TestContext, ...args: readonly string[]): Promise<RedisUnderTest> {
  const redis = await RedisUnderTest.start(...args);
  t.after(() => redis.dispose());
  return redis;
}

/** A store for one test, as a server of its own. */
export async function storeFor(t: TestContext, settings: RedisSettings): Promise<RedisStore> {
  const opened = await openRedisStore({ settings, keepExecutions: 1_000 });
  t.after(() => opened.store.close());
  return opened;
}

async function isListening(path: string): Promise<boolean> {
  const socket = createConnection(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
