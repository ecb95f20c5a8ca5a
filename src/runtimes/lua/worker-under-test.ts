// The real shim as a plain child process, for the tests of this folder. No sandbox: those tests are elsewhere.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { findInterpreter } from "./interpreter.ts";
import { LUAJIT_FLAGS } from "./compile-files.ts";
import { FrameSource } from "../frame-source.fixture.ts";

export interface Frame {
  readonly header: { readonly t: string; readonly [key: string]: unknown };
  readonly body: string;
}

interface RawFrame {
  readonly header: Frame["header"];
  readonly bytes: Buffer;
}

/** What one run did. `end` is its result or error frame; `logs` are texts with their levels, `info: hello\n`. */
export interface Run {
  readonly end: Frame;
  readonly logs: readonly string[];
}

/** What one request got. `end` is the frame that ended it; without a `response` frame `status` is 0. */
export interface Answer extends Run {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly bytes: Buffer;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly file?: string;
  readonly line?: number;
  readonly tip?: string;
}

/** What the worker is bound to beside its code. */
export interface Binding {
  readonly options?: object;
  readonly function?: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly baseUrl: string;
  };
}

/** Plays the server: the answer to a call as JSON; an error is told to the worker. */
export type Server = (name: string, given: Record<string, unknown>) => unknown;

/** An error that the played server gives for a call. */
export class Refusal extends Error {}

export const DEMO = { id: "f1", name: "demo", version: "3", baseUrl: "https://example.com/" } as const;

const FRAME_MAX_BYTES = 65_536;
const WINDOW_BYTES = 262_144;

const luajit = findInterpreter()?.binary ?? "/usr/bin/luajit";
const shim = fileURLToPath(new URL("shim/shim.lua", import.meta.url));

export class WorkerUnderTest {
  readonly process: ChildProcess;
  server: Server = () => {
    throw new Refusal("nobody plays the server");
  };
  readonly #frames: FrameSource;
  #lastId = 0;

  constructor(t: TestContext) {
    this.process = spawn(luajit, [...LUAJIT_FLAGS, shim], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
      env: { TZ: "UTC0" },
      cwd: "/",
    });
    this.#frames = new FrameSource(this.channel);
    t.after(async () => {
      this.process.kill("SIGKILL");
      if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
    });
  }

  get channel(): Socket {
    return this.process.stdio[3] as Socket;
  }

  send(header: object, body: string | Buffer = ""): void {
    this.channel.write(encode(header, body));
  }

  bind(code: string, binding: Binding = {}): void {
    const options = { file: "script.lua", ...binding.options };
    this.send({ t: "bind", language: "lua", options, concurrency: 1, env: {}, function: binding.function }, code);
  }

  async receive(): Promise<Frame> {
    const { header, bytes } = await this.#receive();
    return { header, body: bytes.toString() };
  }

  async run(inputJson = "{}"): Promise<Run> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.send({ t: "run", id, executionId: `execution-${id}` }, inputJson);
    const { end, logs } = await this.#finish(id, () => {});
    return { end, logs };
  }

  async check(): Promise<Frame> {
    this.#lastId += 1;
    this.send({ t: "check", id: this.#lastId });
    return (await this.#finish(this.#lastId, () => {})).end;
  }

  /** Sends as much of the body as there is credit for, and gives credit for what comes back as the real server does. */
  async request(head: object = {}, body: string | Buffer = ""): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const bytes = Buffer.from(body);
    let credit = WINDOW_BYTES;
    let sent = Math.min(bytes.length, FRAME_MAX_BYTES);
    const first = bytes.subarray(0, sent);
    this.send({ ...requestHead(id), ...head, end: sent === bytes.length }, first);
    const sendMore = (given: number): void => {
      credit += given;
      while (sent < Math.min(bytes.length, credit)) {
        const stop = Math.min(sent + FRAME_MAX_BYTES, bytes.length, credit);
        this.send({ t: "body", id, end: stop === bytes.length }, bytes.subarray(sent, stop));
        sent = stop;
      }
    };
    sendMore(0);
    return await this.#finish(id, sendMore);
  }

  /** Why the worker retires after its last run; undefined when it is quiet. */
  async whyRetired(): Promise<string | undefined> {
    this.send({ t: "ping", id: 0 });
    const { header } = await this.receive();
    return header.t === "retire" ? String(header["why"]) : undefined;
  }

  /** Reads until run `id` is over. */
  async #finish(id: number, onCredit: (bytes: number) => void): Promise<Answer> {
    const logs: string[] = [];
    const pieces: Buffer[] = [];
    let head: Frame["header"] | undefined;
    let uncredited = 0;
    for (;;) {
      const { header, bytes } = await this.#receive();
      if (header.t === "ready") continue;
      if (header.t === "log") logs.push(`${String(header["level"])}: ${bytes.toString()}`);
      else if (header.t === "call") await this.#answer(header, bytes);
      else {
        assert.equal(header["id"], id, `a frame ${header.t} of another run`);
        if (header.t === "credit") {
          onCredit(Number(header["bytes"]));
          continue;
        }
        if (header.t === "response") head = header;
        if (header.t === "response" || header.t === "body") {
          assert.ok(bytes.length <= FRAME_MAX_BYTES, `a frame with ${bytes.length} bytes of a body`);
          pieces.push(bytes);
          uncredited += bytes.length;
          assert.ok(uncredited <= WINDOW_BYTES, `${uncredited} bytes of a body without credit`);
          if (header["end"] !== true) {
            // Late on purpose: the worker must wait for it.
            if (uncredited === WINDOW_BYTES) this.send({ t: "credit", id, bytes: uncredited });
            if (uncredited === WINDOW_BYTES) uncredited = 0;
            continue;
          }
        }
        const { status, headers } = (head ?? { status: 0, headers: [] }) as unknown as Answer;
        return { end: { header, body: bytes.toString() }, logs, status, headers, bytes: Buffer.concat(pieces) };
      }
    }
  }

  async #answer({ id, name }: Frame["header"], bytes: Buffer): Promise<void> {
    const given = JSON.parse(bytes.toString()) as Record<string, unknown>;
    try {
      const answer = await this.server(String(name), given);
      this.send({ t: "answer", id }, JSON.stringify(answer));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.send({ t: "answer", id, error: { code: "REFUSED", message: error.message } });
    }
  }

  async #receive(): Promise<RawFrame> {
    const { header, bytes } = await this.#frames.next();
    return { header: header as Frame["header"], bytes };
  }
}

/** Of a request for `/fn/demo`, in the order of the server's own. */
export function requestHead(id: number): object {
  return {
    t: "request",
    id,
    executionId: `execution-${id}`,
    timeoutMs: 30_000,
    end: true,
    requestId: `request-${id}`,
    remoteAddress: "127.0.0.1",
    method: "GET",
    path: "/fn/demo",
    relativePath: "/",
    query: "",
    headers: [],
  };
}

export function encode(header: object, body: string | Buffer): Buffer {
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
export async function failure(t: TestContext, code: string, inputJson = "{}"): Promise<Failure> {
  return failureIn(await runOnce(t, code, inputJson));
}

export function failureIn({ end }: Run): Failure {
  if (end.header.t !== "error") throw new Error(`expected an error, got ${JSON.stringify(end)}`);
  return JSON.parse(end.body) as Failure;
}
