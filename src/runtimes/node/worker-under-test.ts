// Drives the real shim as a child process over fd 3, without a box.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { TestContext } from "node:test";
import type { Program, Source } from "../../core/program.ts";
import { prepare } from "./prepare.ts";
import { findNodeRuntime } from "./runtime.ts";
import { withoutUsage } from "../frame-source.fixture.ts";

export interface Frame {
  readonly t: string;
  readonly id?: number;
  readonly level?: string;
  readonly stream?: string;
  readonly code?: number;
  readonly why?: string;
  readonly run?: number;
  readonly name?: string;
  readonly end?: boolean;
  readonly status?: number;
  readonly headers?: [string, string][];
  readonly bytes?: number;
  readonly raw?: boolean;
  /** As text. */
  readonly body: string;
  /** The body as it came; it is not enumerable, so that comparisons leave it out. */
  readonly data: Buffer;
}

/** A frame whose body a test compares as text. */
function frameOf(header: object, data: Buffer): Frame {
  const frame = { ...header, body: data.toString("utf8") };
  return Object.defineProperty(frame, "data", { value: data }) as Frame;
}

export function encode(header: object, body: string | Uint8Array = ""): Buffer {
  const head = Buffer.from(JSON.stringify(header));
  const payload = Buffer.from(body);
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(head.length, 0);
  prefix.writeUInt32BE(payload.length, 4);
  return Buffer.concat([prefix, head, payload]);
}

/** A shim that hangs is killed after this, so that its test fails and no process stays. */
const LONGEST_TEST_MS = 60_000;

/** A live shim. Frames wait here until the test asks for them. */
export class ShimProcess {
  readonly child: ChildProcess;
  readonly control: Duplex;
  readonly tmp: string;
  #nextId = 1;
  #rest: Buffer = Buffer.alloc(0);
  readonly #frames: (Frame | undefined)[] = [];
  #wake: () => void = () => {};

  constructor() {
    const search = findNodeRuntime({ memoryBytes: 128 * 1_048_576, cpus: 1 });
    assert(search.found);
    const { image } = search.runtime;
    const onHost = new Map([...image.copies, ...image.binds].map(({ from, to }) => [to, from]));
    const [node = "", ...args] = image.command.map((word) => onHost.get(word) ?? word);
    this.tmp = mkdtempSync(join(tmpdir(), "shim-"));
    const env = { ...image.env, TMPDIR: this.tmp };
    this.child = spawn(node, args, { env, cwd: "/", stdio: ["ignore", "ignore", "inherit", "pipe"] });
    setTimeout(() => this.child.kill("SIGKILL"), LONGEST_TEST_MS).unref();
    const control = this.child.stdio[3];
    assert(control instanceof Duplex);
    this.control = control;
    control.on("data", (chunk: Buffer) => this.#receive(chunk));
    control.on("error", () => {});
    control.on("close", () => this.#arrived(undefined));
  }

  #receive(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (this.#rest.length - at >= 8) {
      const bodyAt = at + 8 + this.#rest.readUInt32BE(at);
      const end = bodyAt + this.#rest.readUInt32BE(at + 4);
      if (this.#rest.length < end) break;
      const header: object = withoutUsage(JSON.parse(this.#rest.toString("utf8", at + 8, bodyAt)) as object);
      this.#arrived(frameOf(header, this.#rest.subarray(bodyAt, end)));
      at = end;
    }
    this.#rest = this.#rest.subarray(at);
  }

  #arrived(frame: Frame | undefined): void {
    this.#frames.push(frame);
    this.#wake();
  }

  send(header: object, body: string | Uint8Array = ""): void {
    this.control.write(encode(header, body));
  }

  /** The next frame; undefined when the process closed its end. */
  async next(): Promise<Frame | undefined> {
    while (this.#frames.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#frames.shift();
  }

  /** @param more further members of the frame, such as `env` */
  async bind(source: string | Source, language = "javascript", more: object = {}): Promise<Program> {
    const program = await prepare(language, typeof source === "string" ? { text: source } : source);
    this.send({ t: "bind", language, options: program.options, ...more }, program.code);
    return program;
  }

  /** Sends one run; resolves with all frames up to its end. */
  async run(input: unknown = {}): Promise<{ logs: Frame[]; end: Frame }> {
    this.send({ t: "run", id: this.#nextId++ }, JSON.stringify(input));
    const logs: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      assert(frame !== undefined, "the shim ended before its run");
      if (frame.t === "log") logs.push(frame);
      else if (frame.t !== "ready") return { logs, end: frame };
    }
  }

  /** What the shim says after the end of a run: why it retires, or undefined when it takes another. */
  async afterwards(): Promise<string | undefined> {
    this.send({ t: "ping", id: 99 });
    for (;;) {
      const frame = await this.next();
      assert(frame !== undefined, "the shim ended");
      if (frame.t === "retire") return frame.why;
      if (frame.t === "pong") return undefined;
    }
  }

  async close(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.tmp, { recursive: true, force: true });
  }
}

/** A shim that is bound to `code` and ends with the test. */
export async function boundShim(
  t: TestContext,
  source: string | Source,
  language = "javascript",
  more: object = {},
): Promise<ShimProcess> {
  const shim = new ShimProcess();
  t.after(() => shim.close());
  await shim.bind(source, language, more);
  return shim;
}

/** Runs `code` once in a fresh shim. */
export async function runOnce(
  t: TestContext,
  code: string,
  { input = {}, language = "javascript" }: { input?: unknown; language?: string } = {},
): Promise<{ logs: Frame[]; end: Frame; shim: ShimProcess }> {
  const shim = await boundShim(t, code, language);
  return { ...(await shim.run(input)), shim };
}
