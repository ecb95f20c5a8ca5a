// Servers to attack: like any other server under test, but within a guard, so that a hole does not take the machine down.
import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, type RunNow, ServerUnderTest } from "../server-under-test.ts";
import { Guard } from "./guard.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const START_LIMIT_MS = 60_000;

/** Starts a server within a guard; `dispose` stops it, and fails where anything is left. */
export async function startAttacked(settings: Record<string, string> = {}): Promise<AttackedServer> {
  const guard = new Guard();
  const server = guard.around(() => new AttackedServer(guard, settings));
  try {
    await server.started;
    return server;
  } catch (error) {
    server.process.kill("SIGKILL"); // its test never gets it
    await server.bury();
    throw error;
  }
}

export class AttackedServer extends ServerUnderTest {
  readonly #guard: Guard;

  constructor(guard: Guard, settings: Record<string, string>) {
    super(mkdtempSync(join(tmpdir(), "cloche-attacked-")), settings);
    this.#guard = guard;
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    await this.#guard.remove();
  }

  /** The same after the server was killed: what can it leave but its data? */
  async bury(): Promise<void> {
    await this.exited;
    rmSync(this.dataDir, { recursive: true, force: true });
    await this.#guard.remove();
  }
}

export interface Launch {
  /** Ends by becoming the server: `[...launcher, node, main.ts]`. */
  readonly launcher: readonly string[];
  readonly settings?: Record<string, string>;
  /** The owner of the server's data; the caller's own user if absent. */
  readonly uid?: number;
  readonly guard?: Guard;
}

/** A server that is started by way of another program: as another user, or on a machine that the program has changed. */
export class LaunchedServer {
  readonly process: ChildProcess;
  /** Resolves to false where the server ended instead of listening. */
  readonly listening: Promise<boolean>;
  readonly exited: Promise<number | null>;
  stdout = "";
  stderr = "";
  #url = "";
  readonly #dataDir = mkdtempSync(join(tmpdir(), "cloche-attacked-"));
  readonly #guard: Guard;

  constructor({ launcher, settings = {}, uid, guard = new Guard() }: Launch) {
    this.#guard = guard;
    if (uid !== undefined) chownSync(this.#dataDir, uid, uid);
    const [program, ...args] = [...launcher, process.execPath, MAIN];
    this.process = guard.around(() =>
      spawn(program, args, {
        cwd: this.#dataDir,
        env: { PATH: "/usr/bin:/bin", HTTP_PORT: "0", DATA_DIR: this.#dataDir, ...settings },
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
    this.exited = new Promise((resolve) => {
      this.process.on("close", (code) => resolve(code));
    });
    this.listening = new Promise((resolve, reject) => {
      this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
        this.stdout += text;
        this.#url = /Listening on (\S+)\r?\n/.exec(this.stdout)?.[1] ?? "";
        if (this.#url !== "") resolve(true);
      });
      this.process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
      this.process.on("close", () => resolve(false));
      setTimeout(() => reject(new Error(`neither started nor ended: ${this.stderr}`)), START_LIMIT_MS).unref();
    });
  }

  async runNow(request: RunNow): Promise<Answer> {
    const response = await fetch(`${this.#url}/run-now`, { method: "POST", body: JSON.stringify(request) });
    const text = await response.text();
    const json: unknown = response.ok ? JSON.parse(text) : undefined;
    return { status: response.status, text, json, headers: response.headers };
  }

  /** The launcher, the server and all that they have started. */
  tree(): number[] {
    const tree = [this.process.pid ?? 0];
    for (const pid of tree) tree.push(...childrenOf(pid)); // for…of sees what is added
    return tree;
  }

  /** Ends it and waits until nothing of it is left; fails where something is. */
  async dispose(): Promise<void> {
    const server = this.tree().find((pid) => commandOf(pid)[1] === MAIN); // not a launcher that waits for it
    if (server !== undefined) process.kill(server, "SIGTERM");
    await this.exited;
    rmSync(this.#dataDir, { recursive: true, force: true });
    await this.#guard.remove();
  }
}

function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const lists = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8"));
    return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  } catch {
    return []; // gone
  }
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
