// Starts our server and what it is compared with. Each is a process of its own, stopped by its id.
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ServerUnderTest } from "../test/server-under-test.ts";
import { post } from "./client.ts";
import { onStop, start, stopChild, track } from "./processes.ts";

const RIVALS = join(import.meta.dirname, "rivals");
const START_LIMIT_MS = 10_000;

export interface Running {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Ours extends Running {
  readonly server: ServerUnderTest;
}

/** Our server, with its default settings where none are given, in a data folder of its own or in `dataDir`, which is then kept. */
export async function startOurs(dataDir?: string, settings: Record<string, string> = {}): Promise<Ours> {
  const server = new ServerUnderTest(dataDir ?? mkdtempSync(join(tmpdir(), "cloche-bench-")), settings);
  track(server.process);
  const stop = onStop(() => (dataDir === undefined ? server.dispose() : server.stop()));
  await server.started;
  return { server, url: server.url, pid: pidOf(server.process), stop };
}

/** A server in `bench/rivals/` that tells its port on stdout. */
export async function startNodeRival(file: string, args: readonly string[] = []): Promise<Running> {
  const child = start(process.execPath, [join(RIVALS, file), ...args]);
  const stop = onStop(() => stopChild(child));
  const port = await new Promise<string>((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const found = /listening (\d+)/.exec(stdout)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("close", () => reject(new Error(`${file} ended at start: ${stderr}`)));
  });
  return { url: `http://127.0.0.1:${port}`, pid: pidOf(child), stop };
}

/**
 * An ASGI application on uvicorn with uvloop and httptools; undefined where they could not be installed.
 *
 * @param body that it answers
 */
export async function startUvicorn(code: string, body: string): Promise<Running | undefined> {
  const packages = join(import.meta.dirname, "node_modules/.python");
  if (!existsSync(join(packages, "uvicorn"))) return undefined;
  const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  writeFileSync(join(dir, "bare.py"), code);
  const port = String(await freePort());
  const quiet = ["--no-access-log", "--log-level", "error", "--lifespan", "off"];
  const args = ["-m", "uvicorn", "bare:app", "--app-dir", dir, "--port", port, ...quiet];
  const env = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" };
  const child = start("python3", args, { stdio: ["ignore", "ignore", "inherit"], env });
  const stop = onStop(async () => {
    await stopChild(child);
    rmSync(dir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(
    () => answers(url, body),
    child,
    () => "uvicorn did not start",
  );
  return { url, pid: pidOf(child), stop };
}

export async function startWorkerd(): Promise<Running> {
  const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  const port = await freePort();
  writeFileSync(join(dir, "hello.js"), readFileSync(join(RIVALS, "workerd-hello.js")));
  writeFileSync(
    join(dir, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .hello)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const hello :Workerd.Worker = (
  modules = [(name = "main", esModule = embed "hello.js")],
  compatibilityDate = "2026-01-01",
);
`,
  );
  const main = join(import.meta.dirname, "node_modules/@cloudflare", workerdPackage(), "bin/workerd");
  const child = start(main, ["serve", join(dir, "config.capnp")], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const stop = onStop(async () => {
    await stopChild(child);
    rmSync(dir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(
    () => answers(url, "{}"),
    child,
    () => `workerd did not start: ${stderr}`,
  );
  return { url, pid: pidOf(child), stop };
}

async function untilAnswers(isThere: () => Promise<boolean>, child: ChildProcess, why: () => string): Promise<void> {
  const giveUpAtMs = Date.now() + START_LIMIT_MS;
  while (!(await isThere())) {
    if (child.exitCode !== null || Date.now() > giveUpAtMs) throw new Error(why());
    await delay(50);
  }
}

function workerdPackage(): string {
  return `workerd-linux-${process.arch === "x64" ? "64" : process.arch}`;
}

async function answers(url: string, body: string): Promise<boolean> {
  try {
    return (await post(url, body)).status === 200;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("a process did not start");
  return pid;
}
