import { type ChildProcess, fork } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import { PlatformError } from "../core/errors.ts";
import { compileCacheVariable } from "./compile-cache.ts";
import type { EgressGateProcess } from "./egress/gate-process.ts";
import type { FromNursery, NurserySettings, SocketName, ToNursery } from "./nursery/messages.ts";
import type { Ending, Sandbox, SandboxedProcess, SandboxFeature, SandboxLimits } from "./sandbox.ts";
import { LIFELINE_STDIO } from "./lifeline.ts";

const LOST: Ending = { exitCode: null, signal: null, outOfMemory: false, peakMemoryBytes: undefined };

/** A launch on its way, or a box that lives. */
interface Tracked {
  readonly sockets: Partial<Record<SocketName, Socket>>;
  readonly launched: PromiseWithResolvers<SandboxedProcess>;
  readonly ended: PromiseWithResolvers<Ending>;
}

/** Bubblewrap boxes, started by a nursery process of their own. The server's process only ever sees their sockets. */
export class NurserySandbox implements Sandbox {
  readonly features: readonly SandboxFeature[];
  readonly limits: SandboxLimits;
  readonly #nursery: ChildProcess;
  readonly #gate: EgressGateProcess | undefined;
  readonly #tracked = new Map<number, Tracked>();
  readonly #measurements = new Map<number, (bytes: number | undefined) => void>();
  #lastId = 0;
  #closed = false;

  /** Starts the nursery. Rejects with what is missing where the machine cannot hold the configured isolation. */
  static async open(
    settings: Omit<NurserySettings, "gate">,
    onLost: (reason: string) => void,
    gate?: EgressGateProcess,
  ): Promise<NurserySandbox> {
    const nursery = fork(join(import.meta.dirname, "nursery/main.ts"), {
      env: { ...compileCacheVariable() }, // and nothing else of the server's
      execArgv: ["--max-old-space-size=64", "--max-semi-space-size=1"],
      stdio: [...LIFELINE_STDIO],
    });
    const opened = Promise.withResolvers<readonly SandboxFeature[]>();
    nursery.on("message", (message: FromNursery) => {
      if (message.t === "opened") opened.resolve(message.features);
      if (message.t === "refused") opened.reject(new PlatformError("SANDBOX_START_FAILED", message.message));
    });
    nursery.on("error", (error) => opened.reject(error));
    nursery.on("exit", (code, signal) => {
      opened.reject(
        new PlatformError("SANDBOX_START_FAILED", `the nursery process ended at start (${signal ?? code})`),
      );
    });
    nursery.send({ t: "open", settings: { ...settings, gate: gate?.feature } } satisfies ToNursery, ignore);
    try {
      return new NurserySandbox(nursery, await opened.promise, settings.limits, onLost, gate);
    } catch (error) {
      nursery.kill("SIGKILL");
      throw error;
    }
  }

  private constructor(
    nursery: ChildProcess,
    features: readonly SandboxFeature[],
    limits: SandboxLimits,
    onLost: (reason: string) => void,
    gate: EgressGateProcess | undefined,
  ) {
    this.#nursery = nursery;
    this.#gate = gate;
    this.features = features;
    this.limits = limits;
    nursery.on("message", (message: FromNursery, handle: unknown) => this.#receive(message, handle));
    nursery.on("exit", (code, signal) => {
      // Its death took every box with it (--die-with-parent).
      for (const [id, tracked] of this.#tracked) {
        tracked.launched.reject(new PlatformError("SANDBOX_START_FAILED", "the nursery process ended"));
        this.#finish(id, LOST);
      }
      for (const answer of this.#measurements.values()) answer(undefined);
      if (!this.#closed) onLost(`the nursery process ended unexpectedly (${signal ?? `exit code ${code}`})`);
    });
  }

  async launch(base: string): Promise<SandboxedProcess> {
    const id = ++this.#lastId;
    const gateSocket = await this.#gate?.admit(id);
    if (this.#closed || !this.#nursery.connected) {
      this.#gate?.release(id);
      throw new PlatformError("SANDBOX_START_FAILED", "the nursery process has ended");
    }
    const tracked: Tracked = { sockets: {}, launched: Promise.withResolvers(), ended: Promise.withResolvers() };
    this.#tracked.set(id, tracked);
    this.#send({ t: "launch", id, base, gateSocket });
    return await tracked.launched.promise;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const gone = new Promise<void>((resolve) => {
      this.#nursery.once("exit", () => resolve());
    });
    if (this.#nursery.exitCode !== null || this.#nursery.signalCode !== null) return;
    this.#send({ t: "close" });
    await gone;
  }

  #receive(message: FromNursery, handle: unknown): void {
    switch (message.t) {
      case "socket":
        if (handle instanceof Socket) this.#takeSocket(message.id, message.name, handle);
        break;
      case "not-launched":
        this.#tracked.get(message.id)?.launched.reject(new PlatformError("SANDBOX_START_FAILED", message.message));
        this.#tracked.delete(message.id);
        this.#gate?.release(message.id);
        break;
      case "ended":
        this.#finish(message.id, message.ending);
        break;
      case "measured":
        this.#measurements.get(message.question)?.(message.memoryBytes);
        break;
      case "opened":
      case "refused":
        break;
    }
  }

  #takeSocket(id: number, name: SocketName, socket: Socket): void {
    const tracked = this.#tracked.get(id);
    if (tracked === undefined) {
      socket.destroy();
      return;
    }
    tracked.sockets[name] = socket;
    const { control, stdout, stderr } = tracked.sockets;
    if (control === undefined || stdout === undefined || stderr === undefined) return;
    tracked.launched.resolve({
      id,
      control,
      stdout,
      stderr,
      ended: tracked.ended.promise,
      allowEgress: (policy) => this.#gate?.setPolicy(id, policy),
      setBackground: (background) => this.#send({ t: "background", id, background }),
      relieve: () => this.#send({ t: "relieve", id }),
      kill: () => this.#send({ t: "kill", id }),
      memoryBytes: () => this.#measure(id),
    });
  }

  #finish(id: number, ending: Ending): void {
    const tracked = this.#tracked.get(id);
    this.#tracked.delete(id);
    this.#gate?.release(id);
    tracked?.ended.resolve(ending);
  }

  #measure(id: number): Promise<number | undefined> {
    if (!this.#tracked.has(id) || !this.#nursery.connected) return Promise.resolve(undefined);
    const question = ++this.#lastId;
    return new Promise<number | undefined>((resolve) => {
      this.#measurements.set(question, resolve);
      this.#send({ t: "measure", id, question });
    }).finally(() => this.#measurements.delete(question));
  }

  #send(message: ToNursery): void {
    if (this.#nursery.connected) this.#nursery.send(message, ignore);
  }
}

/** What could not be sent: the nursery has ended, which `exit` tells. */
function ignore(): void {}
