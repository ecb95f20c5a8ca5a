// The real launcher as a plain child process, for the tests of this folder. No sandbox: native.test.ts has those.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { findNativeRuntime } from "./runtime.ts";
import { FrameSource } from "../frame-source.fixture.ts";

export interface Frame {
  readonly header: { readonly t: string; readonly [key: string]: unknown };
  readonly body: Buffer;
}

/** How a run went. `end` is the frame that it was over with. */
export interface Ran {
  readonly end: Frame;
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined where there was no response. */
  readonly response: Frame["header"] | undefined;
  readonly answer: Buffer;
}

const WINDOW_BYTES = 262_144;
const FRAME_BYTES = 65_536;
const LONGEST_MS = 30_000;

export class WorkerUnderTest {
  readonly process: ChildProcess;
  readonly folder: string;
  /** The one that programs can write to. */
  readonly writable: string;
  readonly #frames: FrameSource;
  #lastId = 0;

  constructor(t: TestContext) {
    const search = findNativeRuntime();
    assert(search.found);
    const { command, copies } = search.runtime.image;
    this.folder = mkdtempSync(join(tmpdir(), "native-"));
    this.writable = join(this.folder, "writable");
    mkdirSync(this.writable);
    for (const { from, to } of copies) {
      mkdirSync(dirname(join(this.folder, to)), { recursive: true });
      cpSync(from, join(this.folder, to));
    }
    const [luajit = "", flags = "", main = ""] = command;
    this.process = spawn(luajit, [flags, join(this.folder, main), this.writable], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
      env: { OURS: "must not be seen" },
      cwd: this.writable,
    });
    const kill = setTimeout(() => this.process.kill("SIGKILL"), LONGEST_MS);
    this.#frames = new FrameSource(this.channel);
    t.after(async () => {
      clearTimeout(kill);
      this.process.kill("SIGKILL");
      if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  get channel(): Socket {
    return this.process.stdio[3] as Socket;
  }

  send(header: object, body: string | Buffer = ""): void {
    const head = Buffer.from(JSON.stringify(header));
    const bytes = Buffer.from(body);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32BE(head.length, 0);
    lengths.writeUInt32BE(bytes.length, 4);
    this.channel.write(Buffer.concat([lengths, head, bytes]));
  }

  bind(code: Buffer, more: object = {}): void {
    this.send({ t: "bind", language: "native", options: { style: "program" }, concurrency: 1, env: {}, ...more }, code);
  }

  get nextId(): number {
    return ++this.#lastId;
  }

  async run(input: unknown): Promise<Ran> {
    const id = this.nextId;
    this.send({ t: "run", id, executionId: "e" }, input === undefined ? "" : JSON.stringify(input));
    return await this.finish(id);
  }

  async check(): Promise<Frame> {
    const id = this.nextId;
    this.send({ t: "check", id });
    return (await this.finish(id)).end;
  }

  /** Sends as much of the body as there is credit for, and gives credit for what comes back, as the server does. */
  async request(cgi: object = {}, body: Buffer = Buffer.alloc(0), more: object = {}): Promise<Ran> {
    const id = this.nextId;
    let sent = Math.min(body.length, FRAME_BYTES);
    let credit = WINDOW_BYTES - sent;
    this.send({ t: "request", id, executionId: "e", cgi, end: sent === body.length, ...more }, body.subarray(0, sent));
    const feed = (given: number): void => {
      credit += given;
      while (sent < body.length && credit > 0) {
        const stop = Math.min(body.length, sent + FRAME_BYTES, sent + credit);
        this.send({ t: "body", id, end: stop === body.length }, body.subarray(sent, stop));
        credit -= stop - sent;
        sent = stop;
      }
    };
    feed(0);
    return await this.finish(id, feed);
  }

  /** Reads until run `id` is over. */
  async finish(id: number, onCredit: (bytes: number) => void = () => {}): Promise<Ran> {
    const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    const answer: Buffer[] = [];
    let response: Frame["header"] | undefined;
    let uncredited = 0;
    for (;;) {
      const frame = await this.receive();
      const { header, body } = frame;
      if (header.t === "ready") continue;
      if (header.t === "log") {
        printed[header["stream"] as "stdout" | "stderr"].push(body);
        continue;
      }
      assert.equal(header["id"], id, `a frame ${header.t} of another run`);
      if (header.t === "credit") {
        onCredit(Number(header["bytes"]));
        continue;
      }
      if (header.t === "response") response = header;
      if (header.t === "response" || header.t === "body") {
        assert.ok(body.length <= FRAME_BYTES, `a frame with ${body.length} bytes of a body`);
        answer.push(body);
        uncredited += body.length;
        assert.ok(uncredited <= WINDOW_BYTES, `${uncredited} bytes of a body without credit`);
        if (header["end"] !== true) {
          // Late on purpose: the worker must wait for it.
          if (uncredited === WINDOW_BYTES) {
            this.send({ t: "credit", id, bytes: uncredited });
            uncredited = 0;
          }
          continue;
        }
      }
      const [stdout, stderr] = [printed.stdout, printed.stderr].map((pieces) => Buffer.concat(pieces).toString());
      return { end: frame, stdout: stdout ?? "", stderr: stderr ?? "", response, answer: Buffer.concat(answer) };
    }
  }

  /** Why the worker retires after its last run; undefined when it takes another one. */
  async whyRetired(): Promise<string | undefined> {
    this.send({ t: "ping", id: 0 });
    const { header } = await this.receive();
    return header.t === "retire" ? String(header["why"]) : undefined;
  }

  async receive(): Promise<Frame> {
    const { header, bytes: body } = await this.#frames.next();
    return { header: header as Frame["header"], body };
  }
}
