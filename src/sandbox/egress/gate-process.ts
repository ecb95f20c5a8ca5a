import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { PlatformError } from "../../core/errors.ts";
import { compileCacheVariable } from "../compile-cache.ts";
import type { FromGate, ToGate } from "./gate-messages.ts";
import { EGRESS_LIMITS, type EgressLimits } from "./limits.ts";

/** Half of them resolve names (libuv keeps the rest free); Node's four would let one box's slow names block all others. */
const THREADS = 32;

export interface EgressGateProcessOptions {
  /** Takes one line about something denied, failed or ended by a limit. The text is hostile in part, but printable ASCII. */
  readonly log: (line: string) => void;
  /** Called once when the gate has ended without being asked to. */
  readonly onLost: (reason: string) => void;
  readonly limits?: EgressLimits;
  /** Another program to start the gate with, which must become Node: puts it into a network namespace. */
  readonly launcher?: readonly [program: string, ...args: string[]];
}

/** The server's side of the egress gate, which is a process of its own: it reads what hostile sides send. */
export class EgressGateProcess {
  /** What protects the host, in words for the start message. */
  readonly feature: string;
  readonly #gate: ChildProcess;
  readonly #admissions = new Map<number, PromiseWithResolvers<string>>();
  #closed = false;

  /** Starts the gate. @throws PlatformError SANDBOX_START_FAILED with what is missing */
  static async open(options: EgressGateProcessOptions): Promise<EgressGateProcess> {
    const gate = start(options.launcher);
    const opened = Promise.withResolvers<number>();
    gate.on("message", (message: FromGate) => {
      if (message.t === "opened") opened.resolve(message.user);
      if (message.t === "refused") opened.reject(new PlatformError("SANDBOX_START_FAILED", message.message));
    });
    gate.on("error", (error) => opened.reject(error));
    gate.on("exit", (code, signal) => {
      const how = signal ?? code;
      opened.reject(new PlatformError("SANDBOX_START_FAILED", `the egress gate ended at start (${how})`));
    });
    gate.send({ t: "open", limits: options.limits ?? EGRESS_LIMITS } satisfies ToGate);
    try {
      return new EgressGateProcess(gate, await opened.promise, options);
    } catch (error) {
      gate.kill("SIGKILL");
      throw error;
    }
  }

  private constructor(gate: ChildProcess, user: number, { log, onLost }: EgressGateProcessOptions) {
    this.#gate = gate;
    this.feature = `only through the egress gate (a process of user ${user}): CONNECT, one socket per sandbox, checked addresses`;
    gate.on("message", (message: FromGate) => {
      if (message.t === "log") log(message.line);
      else this.#receive(message);
    });
    gate.on("exit", (code, signal) => {
      for (const admission of this.#admissions.values()) admission.reject(lost());
      this.#admissions.clear();
      if (!this.#closed) onLost(`the egress gate ended unexpectedly (${signal ?? `exit code ${code}`})`);
    });
  }

  /**
   * Makes the socket of a box; resolves with its path on the host. It must be released when the box has ended.
   *
   * @throws PlatformError SANDBOX_START_FAILED
   */
  admit(boxId: number): Promise<string> {
    if (this.#closed || !this.#gate.connected) return Promise.reject(lost());
    const admission = Promise.withResolvers<string>();
    this.#admissions.set(boxId, admission);
    this.#send({ t: "admit", boxId });
    return admission.promise;
  }

  /** Until it is called, connections of the box wait, and are denied after a while. */
  setPolicy(boxId: number, policy: EgressPolicy): void {
    this.#send({ t: "policy", boxId, policy });
  }

  /** Ends the connections of a box and removes its socket. */
  release(boxId: number): void {
    this.#send({ t: "release", boxId });
  }

  /** Ends every connection and the gate; resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#gate.exitCode !== null || this.#gate.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => {
      this.#gate.once("exit", () => resolve());
    });
    this.#send({ t: "close" });
    await gone;
  }

  #receive(message: FromGate): void {
    if (message.t !== "admitted" && message.t !== "not-admitted") return;
    const admission = this.#admissions.get(message.boxId);
    this.#admissions.delete(message.boxId);
    if (message.t === "admitted") admission?.resolve(message.path);
    else admission?.reject(new PlatformError("SANDBOX_START_FAILED", message.message));
  }

  #send(message: ToGate): void {
    if (this.#gate.connected) this.#gate.send(message);
  }
}

function lost(): PlatformError {
  return new PlatformError("SANDBOX_START_FAILED", "the egress gate has ended");
}

function start([program, ...args]: readonly string[] = []): ChildProcess {
  const options = ["--max-old-space-size=128", "--max-semi-space-size=4"];
  // Nothing of the server's environment: it holds secrets, and proxies and resolvers are none of the gate's.
  const env = { UV_THREADPOOL_SIZE: String(THREADS), ...compileCacheVariable() };
  return fork(join(import.meta.dirname, "gate-main.ts"), {
    env,
    execPath: program ?? process.execPath,
    execArgv: program === undefined ? options : [...args, process.execPath, ...options],
  });
}
