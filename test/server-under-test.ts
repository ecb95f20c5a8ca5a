// A real server in its own process, with real sandboxes, a data folder and a port of its own.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ownMark } from "../src/sandbox/process-mark.ts";
import { folderName } from "../src/sandbox/cgroup/files.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const COMPILE_CACHE = join(import.meta.dirname, "../node_modules/.cache/cloche"); // as `npm start` has it
const START_LIMIT_MS = 60_000; // one second is usual; many tests share few cores
const SETTLE_LIMIT_MS = 20_000;

export interface SystemReport {
  readonly memoryBytes: number;
  readonly pool: {
    readonly maxWorkers: number;
    readonly waiting: number;
    readonly workers: readonly {
      readonly id: number;
      readonly base: string;
      readonly state: string;
      readonly version?: string;
      readonly ageMs: number;
      readonly runs: number;
      readonly memoryBytes?: number;
    }[];
  };
}

export interface RunNow {
  readonly language: string;
  readonly code: string;
  readonly input?: unknown;
  readonly stream?: boolean;
}

export interface ScriptEvent {
  readonly event: string;
  readonly data: unknown;
  readonly type: string;
}

/** Starts a server in a data folder of its own, which `dispose` removes. */
export async function startServer(settings: Record<string, string> = {}): Promise<ServerUnderTest> {
  const server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), settings);
  try {
    await server.started;
    return server;
  } catch (error) {
    server.process.kill("SIGKILL"); // its test will not do so: it never gets it
    await server.exited;
    rmSync(server.dataDir, { recursive: true, force: true });
    throw error;
  }
}

export class ServerUnderTest {
  readonly dataDir: string;
  readonly process: ChildProcess;
  readonly started: Promise<void>;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  url = "";
  stdout = "";
  stderr = "";
  #boxesDir: string | undefined;
  #rootsDir: string | undefined;

  /** @param launcher a program that becomes the server, in another namespace for example */
  constructor(dataDir: string, settings: Record<string, string> = {}, launcher: readonly string[] = []) {
    this.dataDir = dataDir;
    const [program, ...args] = [...launcher, process.execPath, MAIN];
    this.process = spawn(program, args, {
      cwd: dataDir, // no .env of the developer's
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, HTTP_PORT: "0", DATA_DIR: dataDir, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a process group of its own, as from a shell
    });
    this.exited = new Promise((resolve) => {
      this.process.on("close", (code, signal) => resolve({ code, signal }));
    });
    this.started = new Promise((resolve, reject) => {
      this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
        this.stdout += text;
        const url = /Listening on (\S+)\n/.exec(this.stdout)?.[1];
        if (url === undefined || this.url !== "") return;
        this.url = url;
        this.#boxesDir = this.findBoxesDir();
        this.#rootsDir = join("/var/lib/cloche-boxes", ownMark(this.nurseryPid));
        resolve();
      });
      this.process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
      this.process.on("close", () => reject(new Error(`the server ended at start: ${this.stderr}`)));
      setTimeout(() => reject(new Error(`the server did not start: ${this.stderr}`)), START_LIMIT_MS).unref();
    });
    this.started.catch(() => {}); // whoever awaits it is told
  }

  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return fetch(this.url + path, { method: "POST", body: text, ...init });
  }

  async runNow(request: RunNow): Promise<Answer> {
    return await answerOf(await this.post("/run-now", request));
  }

  async upload(path: string, language: string, code: string): Promise<number> {
    const response = await this.post("/upload", { path, language, code });
    assert.equal(response.status, 200, await response.clone().text());
    return ((await response.json()) as { version: number }).version;
  }

  async run(path: string, input?: unknown): Promise<Answer> {
    return await answerOf(await this.post(`/run/${path}`, { input }));
  }

  /** The events of a streamed run. */
  async stream(request: RunNow): Promise<ScriptEvent[]> {
    const response = await this.post("/run-now", { ...request, stream: true });
    return parseEvents(await response.text());
  }

  async system(): Promise<SystemReport> {
    return (await (await fetch(`${this.url}/api/system`)).json()) as SystemReport;
  }

  /** Waits until no run is at work and exactly the live workers have a box; fails when something stays behind. */
  async settled(): Promise<SystemReport> {
    const giveUpAtMs = Date.now() + SETTLE_LIMIT_MS;
    for (;;) {
      const system = await this.system();
      const live = system.pool.workers.map((worker) => String(worker.id)).toSorted();
      const resting = system.pool.workers.every(({ state }) => state === "idle" || state === "warm");
      const boxes = this.boxes().toSorted();
      if (resting && system.pool.waiting === 0 && boxes.join() === live.join()) return system;
      if (Date.now() > giveUpAtMs) {
        assert.fail(`left behind: boxes ${boxes.join()}, workers ${JSON.stringify(system.pool.workers)}`);
      }
      await delay(20);
    }
  }

  /** The names of the cgroups of live boxes: the workers' ids. */
  boxes(): string[] {
    const dir = this.#boxesDir;
    if (dir === undefined || !existsSync(dir)) return [];
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && /^\d+$/.test(entry.name))
      .map((entry) => entry.name);
  }

  /** Host pids of everything that runs in boxes of this server. */
  boxPids(): number[] {
    return this.boxes().flatMap((name) => {
      try {
        const text = readFileSync(join(this.#boxesDir ?? "", name, "cgroup.procs"), "utf8");
        return text.split("\n").filter(Boolean).map(Number);
      } catch {
        return []; // gone between the listing and the reading
      }
    });
  }

  /** SIGTERM, and the proof that nothing is left: no process, no cgroup, no prepared root. */
  async stop(): Promise<void> {
    const pids = this.boxPids();
    this.process.kill("SIGTERM");
    await this.exited;
    await this.assertGone(pids);
  }

  /** Stops it with that proof, and removes its data. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async assertGone(pids: readonly number[]): Promise<void> {
    const giveUpAtMs = Date.now() + SETTLE_LIMIT_MS;
    const left = (): string[] => [
      ...pids.filter((pid) => existsSync(`/proc/${pid}`)).map((pid) => `process ${pid}`),
      ...(this.#boxesDir !== undefined && existsSync(this.#boxesDir) ? [this.#boxesDir] : []),
      ...(this.#rootsDir !== undefined && existsSync(this.#rootsDir) ? [this.#rootsDir] : []),
      ...(existsSync(join(this.dataDir, "boxes")) ? [join(this.dataDir, "boxes")] : []),
    ];
    while (left().length > 0 && Date.now() < giveUpAtMs) await delay(10);
    assert.deepEqual(left(), []);
  }

  /** Pid of the process that starts the sandboxes. */
  get nurseryPid(): number {
    const { pid } = this.process;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
    const nursery = children.find((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("nursery"));
    assert.ok(nursery, "the server has a nursery");
    return nursery;
  }

  private findBoxesDir(): string | undefined {
    const nursery = this.nurseryPid;
    const lines = readFileSync(`/proc/${nursery}/cgroup`, "utf8").split("\n");
    const own = (
      lines.find((line) => line.includes(":pids:")) ??
      lines.find((line) => line.startsWith("0::")) ??
      ""
    ).split(":")[2];
    const roots = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];
    const candidates = roots.flatMap((root) => [
      join(root, own ?? "", folderName(nursery)),
      join(root, folderName(nursery)),
    ]);
    return candidates.find((dir) => existsSync(dir));
  }
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The parsed body; undefined where it is not JSON. */
  readonly json: unknown;
  readonly headers: Headers;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, text, json, headers: response.headers };
}

/** The events of a body of server-sent events; fails on anything that is neither an event nor a comment. */
export function parseEvents(body: string): ScriptEvent[] {
  assert.ok(body.endsWith("\n\n"), "the last event is complete");
  const frames = body.split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
  return frames.map((frame) => {
    assert.match(frame, /^data: [^\n]*$/);
    return JSON.parse(frame.slice("data: ".length)) as ScriptEvent;
  });
}
