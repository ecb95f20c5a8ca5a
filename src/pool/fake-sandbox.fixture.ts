// Sandboxed processes without a sandbox: real socket pairs, with a test at the other end.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlatformError } from "../core/errors.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import type { Version } from "../core/program.ts";
import type { Ending, Sandbox, SandboxedProcess } from "../sandbox/sandbox.ts";
import { encodeFrame } from "./protocol.ts";

/** A frame that the server sent to a worker. */
export interface ServerFrame {
  readonly t: string;
  readonly id: number;
  readonly header: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export const KILLED: Ending = { exitCode: null, signal: "SIGKILL", outOfMemory: false, peakMemoryBytes: undefined };

export function exited(exitCode: number): Ending {
  return { exitCode, signal: null, outOfMemory: false, peakMemoryBytes: undefined };
}

export function version(id: string, base = "node"): Version {
  const program = { language: "javascript", base, code: `code of ${id}`, options: {}, alwaysReturns: false };
  const owner = { id, name: id, number: 1 };
  return { id, function: owner, program, egress: "none", concurrency: 1, singleUse: false, env: {}, secrets: [] };
}

/** Waits until something that sockets bring about is so. Real time only bounds the wait. */
export async function until(what: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + 3_000;
  while (!what()) {
    if (performance.now() > giveUpAtMs) throw new Error(`never became so: ${what.toString()}`);
    await turn();
  }
}

/** One turn of the event loop, sockets included. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Where the socket pairs come from. */
export class SocketPairs {
  readonly #dir = mkdtempSync(join(tmpdir(), "cloche-pairs-"));
  readonly #server: Server = createServer();
  readonly #listening: Promise<unknown>;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#listening = once(this.#server.listen(join(this.#dir, "s")), "listening");
  }

  /** One at a time, or the ends would be mixed up. */
  make(): Promise<[Socket, Socket]> {
    const made = this.#last.then(async (): Promise<[Socket, Socket]> => {
      await this.#listening;
      const accepted = once(this.#server, "connection");
      const near = connect(join(this.#dir, "s"));
      const [far] = (await accepted) as [Socket];
      return [near, far];
    });
    this.#last = made;
    return made;
  }

  close(): void {
    this.#server.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** The inside of one fake process. */
export interface Inside {
  readonly control: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
}

export class FakeProcess implements SandboxedProcess {
  readonly id: number;
  readonly control: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly inside: Inside;
  readonly ended: Promise<Ending>;
  /** What came from the server. */
  readonly received: ServerFrame[] = [];
  onFrame: (frame: ServerFrame) => void = () => {};
  memory: number | undefined = 1000;
  /** True: the kernel takes its time with a kill; `die` tells when it is done. */
  slowToDie = false;
  killed = false;
  background = true;
  reliefs = 0;
  /** What the gate was opened for. */
  egress: EgressPolicy | undefined;
  dead = false;
  readonly #end = Promise.withResolvers<Ending>();

  constructor(id: number, [control, stdout, stderr]: readonly [Socket, Socket][]) {
    if (control === undefined || stdout === undefined || stderr === undefined) throw new Error("three pairs, please");
    this.id = id;
    [this.control, this.stdout, this.stderr] = [control[0], stdout[0], stderr[0]];
    this.inside = { control: control[1], stdout: stdout[1], stderr: stderr[1] };
    this.ended = this.#end.promise;
    for (const socket of Object.values(this.inside)) (socket as Socket).on("error", () => {}).resume();
    let bytes: Buffer = Buffer.alloc(0);
    this.inside.control.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 8) {
        const bodyAt = 8 + bytes.readUInt32BE(0);
        const end = bodyAt + bytes.readUInt32BE(4);
        if (bytes.length < end) break;
        const header = JSON.parse(bytes.toString("utf8", 8, bodyAt)) as ServerFrame["header"];
        const { t, id } = header as { t: string; id: number };
        const frame = { t, id, header, body: bytes.toString("utf8", bodyAt, end) };
        bytes = bytes.subarray(end);
        this.received.push(frame);
        this.onFrame(frame);
      }
    });
  }

  /** Sends frames in one piece: the server sees them at once. */
  send(...frames: readonly (readonly [header: object, body?: string])[]): void {
    if (this.dead) return;
    this.inside.control.write(Buffer.concat(frames.map(([header, body = ""]) => encodeFrame(header, body))));
  }

  allowEgress(policy: EgressPolicy): void {
    this.egress = policy;
  }

  setBackground(background: boolean): void {
    this.background = background;
  }

  relieve(): void {
    this.reliefs++;
  }

  kill(): void {
    this.killed = true;
    if (!this.slowToDie) this.die(KILLED);
  }

  die(ending: Ending): void {
    if (this.dead) return;
    this.dead = true;
    for (const socket of Object.values(this.inside)) (socket as Socket).end();
    this.#end.resolve(ending);
  }

  memoryBytes(): Promise<number | undefined> {
    return Promise.resolve(this.memory);
  }
}

/** A sandbox whose processes live in the test. */
export class FakeSandbox implements Sandbox {
  readonly features = [];
  readonly limits = { memoryBytes: 1_000_000, cpus: 1, pids: 10, tmpBytes: 1000 };
  readonly processes: FakeProcess[] = [];
  readonly #pairs = new SocketPairs();
  readonly #program: (process: FakeProcess) => void;
  /** Set: launches fail with it. */
  refusal: string | undefined;
  launches = 0;
  mostAlive = 0;
  #launching = 0;

  /** @param program plays the worker that lives in each process */
  constructor(program: (process: FakeProcess) => void = () => {}) {
    this.#program = program;
  }

  get alive(): FakeProcess[] {
    return this.processes.filter((process) => !process.dead);
  }

  async launch(_base: string): Promise<FakeProcess> {
    this.launches++;
    this.mostAlive = Math.max(this.mostAlive, this.alive.length + ++this.#launching);
    try {
      if (this.refusal !== undefined) throw new PlatformError("SANDBOX_START_FAILED", this.refusal);
      const pairs = await Promise.all([this.#pairs.make(), this.#pairs.make(), this.#pairs.make()]);
      const process = new FakeProcess(this.launches, pairs);
      this.processes.push(process);
      setImmediate(() => this.#program(process));
      return process;
    } finally {
      this.#launching--;
    }
  }

  close(): Promise<void> {
    for (const process of this.processes) process.die(KILLED);
    this.#pairs.close();
    return Promise.resolve();
  }
}
