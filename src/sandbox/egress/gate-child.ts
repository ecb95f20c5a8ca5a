import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { PlatformError } from "../../core/errors.ts";
import { compileCacheVariable } from "../compile-cache.ts";
import type { FromGate, ToGate } from "./gate-messages.ts";
import { asHandle, asSendable, type Handle } from "./handles.ts";
import type { EgressLimits } from "./limits.ts";
import { LIFELINE_STDIO } from "../lifeline.ts";

/** Half of them resolve names (libuv keeps the rest free); Node's four would let one box's slow names block all others. */
const THREADS = 32;

/** Another program to start the gate with, which must become Node: puts it into a network namespace. */
export type Launcher = readonly [program: string, ...args: string[]];

export interface GateEvents {
  onMessage(message: FromGate, handle: Handle | undefined): void;
  /** Called once, when the gate has ended; `how` is a signal or an exit code. */
  onEnd(how: string): void;
}

/** One run of the gate's process, as the server has it. */
export class GateChild {
  readonly #child: ChildProcess;
  /** On their way to the gate: the kernel copies them, ours are to be closed. */
  readonly #leaving = new Set<Handle>();

  /** Resolves when it takes boxes. @throws PlatformError SANDBOX_START_FAILED with what is missing */
  static async start(limits: EgressLimits, launcher: Launcher | undefined, events: GateEvents): Promise<GateChild> {
    const child = forkGate(launcher);
    const opened = Promise.withResolvers<void>();
    child.on("message", (message: FromGate) => {
      if (message.t === "opened") opened.resolve();
      if (message.t === "refused") opened.reject(new PlatformError("SANDBOX_START_FAILED", message.message));
    });
    child.on("error", (error) => opened.reject(error));
    child.on("exit", (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      opened.reject(new PlatformError("SANDBOX_START_FAILED", `the egress gate ended at start (${how})`));
    });
    child.send({ t: "open", limits } satisfies ToGate, () => {}); // its end is told by `exit`
    try {
      await opened.promise; // it closes what it has inherited before that, and may take a handle for such
      return new GateChild(child, events);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  private constructor(child: ChildProcess, events: GateEvents) {
    this.#child = child;
    child.on("message", (message: FromGate, handle: unknown) => {
      if (this.hasEnded) asHandle(handle)?.close(); // said before its end, and no longer true
      else events.onMessage(message, asHandle(handle));
    });
    child.on("exit", (code, signal) => {
      for (const handle of this.#leaving) handle.close();
      this.#leaving.clear();
      events.onEnd(signal ?? `exit code ${code}`);
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  send(message: ToGate): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Lends the gate a copy. */
  share(message: ToGate, handle: Handle): void {
    if (this.#child.connected) this.#child.send(message, asSendable(handle), {}, () => {});
  }

  /** Gives it away: from here on it is the gate's alone. */
  give(message: ToGate, handle: Handle): void {
    if (!this.#child.connected) {
      handle.close();
      return;
    }
    this.#leaving.add(handle);
    this.#child.send(message, asSendable(handle), {}, () => {
      if (this.#leaving.delete(handle)) handle.close();
    });
  }

  /** Resolves when nothing of it is left. */
  async end(): Promise<void> {
    if (this.hasEnded) return;
    const gone = new Promise<void>((resolve) => {
      this.#child.once("exit", () => resolve());
    });
    this.send({ t: "close" });
    await gone;
  }
}

function forkGate([program, ...args]: readonly string[] = []): ChildProcess {
  const options = ["--max-old-space-size=128", "--max-semi-space-size=4"];
  // Nothing of the server's environment: it holds secrets, and proxies and resolvers are none of the gate's.
  const env = { UV_THREADPOOL_SIZE: String(THREADS), ...compileCacheVariable() };
  return fork(join(import.meta.dirname, "gate-main.ts"), {
    env,
    stdio: [...LIFELINE_STDIO],
    execPath: program ?? process.execPath,
    execArgv: program === undefined ? options : [...args, process.execPath, ...options],
  });
}
