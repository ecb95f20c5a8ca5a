// The real shim as a plain child process, for the tests of this folder. No sandbox: those tests are elsewhere.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { findInterpreter } from "./interpreter.ts";
import { PYTHON_FLAGS } from "./runtime.ts";
import { FrameSource } from "../frame-source.fixture.ts";

export interface Frame {
  readonly header: { readonly t: string; readonly [key: string]: unknown };
  readonly body: string;
}

/** What one run did. `end` is its result, error or exit frame. */
export interface Run {
  readonly end: Frame;
  readonly stdout: string;
  readonly stderr: string;
}

// Another version of Python can be tested with CLOCHE_TEST_PYTHON=/path/to/python3.
export const python = process.env["CLOCHE_TEST_PYTHON"] ?? findInterpreter()?.binary ?? "/usr/bin/python3";
const shim = fileURLToPath(new URL("shim/shim.py", import.meta.url));

export class WorkerUnderTest {
  readonly tmp = mkdtempSync(join(tmpdir(), "cloche-python-"));
  readonly process: ChildProcess;
  readonly #frames: FrameSource;
  #lastId = 0;

  constructor(t: TestContext) {
    this.process = spawn(python, [...PYTHON_FLAGS, shim, this.tmp], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { HOME: this.tmp, TMPDIR: this.tmp, LANG: "C.UTF-8" },
      cwd: "/",
    });
    this.#frames = new FrameSource(this.channel);
    t.after(async () => {
      this.process.kill("SIGKILL");
      if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
      rmSync(this.tmp, { recursive: true, force: true });
    });
  }

  get channel(): Socket {
    return this.process.stdio[3] as Socket;
  }

  send(header: object, body: string | Uint8Array = ""): void {
    this.channel.write(encode(header, body));
  }

  bind(code: string): void {
    this.send({ t: "bind", language: "python", options: { file: "script.py" } }, code);
  }

  async receive(): Promise<Frame> {
    const { header, bytes } = await this.receiveBytes();
    return { header, body: bytes.toString() };
  }

  async receiveBytes(): Promise<{ readonly header: Frame["header"]; readonly bytes: Buffer }> {
    const { header, bytes } = await this.#frames.next();
    return { header: header as Frame["header"], bytes };
  }

  async run(inputJson = "{}"): Promise<Run> {
    this.#lastId += 1;
    this.send({ t: "run", id: this.#lastId }, inputJson);
    const printed = { stdout: "", stderr: "" };
    for (;;) {
      const frame = await this.receive();
      if (frame.header.t === "ready") continue;
      if (frame.header.t !== "log") return { end: frame, ...printed };
      printed[frame.header["stream"] as "stdout" | "stderr"] += frame.body;
    }
  }

  /** Why the worker retires after its last run; undefined when it is quiet. */
  async whyRetired(): Promise<string | undefined> {
    this.send({ t: "ping", id: 0 });
    const { header } = await this.receive();
    return header.t === "retire" ? String(header["why"]) : undefined;
  }
}

export function encode(header: object, body: string | Uint8Array): Buffer {
  const headerBytes = Buffer.from(JSON.stringify(header));
  const bodyBytes = Buffer.from(body);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(headerBytes.length, 0);
  lengths.writeUInt32BE(bodyBytes.length, 4);
  return Buffer.concat([lengths, headerBytes, bodyBytes]);
}

/** Runs `code` once in a worker of its own. */
export async function runOnce(t: TestContext, code: string, inputJson = "{}"): Promise<Run> {
  const worker = new WorkerUnderTest(t);
  worker.bind(code);
  return worker.run(inputJson);
}

/** The JSON text that `code` returns; a failed run is shown in its place. */
export async function returned(t: TestContext, code: string, inputJson = "{}"): Promise<string> {
  const { end } = await runOnce(t, code, inputJson);
  return end.header.t === "result" ? end.body : `${end.header.t}: ${end.body}`;
}

/** What the caller is told about the failure of `code`. */
export async function failure(t: TestContext, code: string, inputJson = "{}") {
  const { end } = await runOnce(t, code, inputJson);
  if (end.header.t !== "error") throw new Error(`expected an error, got ${JSON.stringify(end)}`);
  return JSON.parse(end.body) as { name: string; message: string; stack: string; line?: number };
}
