// The real shim bound to a function, and the server's part of the wire protocol played by the test.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";

import { WorkerUnderTest, type Frame } from "./worker-under-test.ts";

const WINDOW_BYTES = 262_144;
const MAX_FRAME_BYTES = 65_536;

export interface Binding {
  readonly file?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly concurrency?: number;
  /** False for ad-hoc code. */
  readonly isFunction?: boolean;
}

export interface RequestHead {
  readonly method?: string;
  readonly path?: string;
  readonly relativePath?: string;
  readonly query?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly requestId?: string;
}

export interface LogFrame {
  readonly level: string;
  readonly stream: string;
  readonly run: number | undefined;
  readonly text: string;
}

/** The answer to a call: a value, or an error's code. */
export type Answer = { readonly value: unknown } | { readonly code: string };

/** One run as the server sees it. */
export class RunUnderTest {
  readonly id: number;
  status: number | undefined;
  headers: readonly (readonly [string, string])[] = [];
  readonly chunks: Buffer[] = [];
  /** Bytes of the response so far. */
  receivedBytes = 0;
  /** Credit that the worker has given for the request's body. */
  creditBytes = 0;
  /** The frame that ended it. */
  end: Frame | undefined;
  #watchers: (() => void)[] = [];

  constructor(id: number) {
    this.id = id;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  get value(): unknown {
    assert.equal(this.end?.header.t, "result", `${this.end?.header.t}: ${this.end?.body}`);
    return this.end?.body === "" ? undefined : JSON.parse(this.end?.body ?? "");
  }

  get error(): { name: string; message: string; stack: string; line?: number } {
    assert.equal(this.end?.header.t, "error", `${this.end?.header.t}: ${this.end?.body}`);
    return JSON.parse(this.end?.body ?? "") as { name: string; message: string; stack: string; line?: number };
  }

  changed(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watch of watchers) watch();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#watchers.push(resolve);
      });
    }
  }

  async done(): Promise<this> {
    await this.until(() => this.end !== undefined);
    return this;
  }
}

export class FunctionUnderTest {
  readonly worker: WorkerUnderTest;
  readonly logs: LogFrame[] = [];
  readonly calls: { readonly name: string; readonly run: number; readonly arguments: Record<string, unknown> }[] = [];
  readonly retired: string[] = [];
  /** How calls are answered. */
  answer: (name: string, given: Record<string, unknown>) => Answer | Promise<Answer> = () => ({ code: "UNAVAILABLE" });
  /** False to hold back the credit for responses. */
  givesCredit = true;
  readonly #runs = new Map<number, RunUnderTest>();
  #lastId = 0;

  constructor(t: TestContext, code: string, binding: Binding = {}) {
    this.worker = new WorkerUnderTest(t);
    const { file = "script.py", files, env = {}, concurrency = 1, isFunction = true } = binding;
    const owner = { id: "f1", name: "greet", version: "3", baseUrl: "https://cloche.example" };
    this.worker.send(
      {
        ...{ t: "bind", language: "python", options: { file, ...(files && { files }) }, concurrency, env },
        ...(isFunction && { function: owner }),
      },
      code,
    );
    void this.#read();
  }

  /** A value in. */
  start(input: unknown = {}): RunUnderTest {
    const run = this.#add();
    this.worker.send({ t: "run", id: run.id, executionId: `e${run.id}` }, JSON.stringify(input));
    return run;
  }

  run(input: unknown = {}): Promise<RunUnderTest> {
    return this.start(input).done();
  }

  /** A request with its whole body, or with its first bytes where `end` is false. */
  startRequest(head: RequestHead = {}, body: string | Uint8Array = "", end = true): RunUnderTest {
    const run = this.#add();
    const { method = "GET", path = "/fn/greet", relativePath = "/", query = "", headers = [] } = head;
    const { requestId = `r${run.id}` } = head;
    const ids = { t: "request", id: run.id, executionId: `e${run.id}`, requestId };
    this.worker.send({ ...ids, method, path, relativePath, query, headers, end }, body);
    return run;
  }

  request(head: RequestHead = {}, body: string | Uint8Array = ""): Promise<RunUnderTest> {
    return this.startRequest(head, body).done();
  }

  check(): Promise<RunUnderTest> {
    const run = this.#add();
    this.worker.send({ t: "check", id: run.id });
    return run.done();
  }

  /** Sends `body` as the rest of the request's body, as fast as the worker gives credit. */
  async upload(run: RunUnderTest, body: Uint8Array): Promise<void> {
    for (let at = 0; at < body.length; at += MAX_FRAME_BYTES) {
      const piece = body.subarray(at, at + MAX_FRAME_BYTES);
      await run.until(() => at + piece.length - run.creditBytes <= WINDOW_BYTES);
      this.worker.send({ t: "body", id: run.id, end: at + MAX_FRAME_BYTES >= body.length }, piece);
    }
  }

  credit(run: RunUnderTest, bytes: number): void {
    this.worker.send({ t: "credit", id: run.id, bytes });
  }

  /** Resolves once `run` has printed something. */
  async started(run: RunUnderTest): Promise<void> {
    while (this.printed(run) === "") await new Promise(setImmediate);
  }

  printed(run?: RunUnderTest): string {
    return this.logs
      .filter((log) => run === undefined || log.run === run.id)
      .map(({ text }) => text)
      .join("");
  }

  #add(): RunUnderTest {
    const run = new RunUnderTest(++this.#lastId);
    this.#runs.set(run.id, run);
    return run;
  }

  async #read(): Promise<void> {
    for (;;) {
      let frame;
      try {
        frame = await this.worker.receiveBytes();
      } catch {
        return; // the test is over
      }
      this.#take(frame.header, frame.bytes);
    }
  }

  #take(header: Frame["header"], bytes: Buffer): void {
    const { t } = header;
    const id = header["id"] as number;
    if (t === "ready") return;
    if (t === "log") {
      const { level, stream, run: ofRun } = header as unknown as Omit<LogFrame, "text">;
      this.logs.push({ level, stream, run: ofRun, text: bytes.toString() });
      return;
    }
    if (t === "retire") return void this.retired.push(header["why"] as string);
    if (t === "call") return void this.#answer(id, header, bytes);
    const run = this.#runs.get(id);
    assert.ok(run !== undefined && run.end === undefined, `${t} of a run that is not in progress`);
    if (t === "credit") {
      run.creditBytes += header["bytes"] as number;
    } else if (t === "response" || t === "body") {
      assert.equal(run.status === undefined, t === "response", "the head comes first, and once");
      assert.ok(bytes.length <= MAX_FRAME_BYTES);
      if (t === "response") {
        run.status = header["status"] as number;
        run.headers = header["headers"] as [string, string][];
      }
      run.chunks.push(bytes);
      run.receivedBytes += bytes.length;
      if (header["end"] === true) run.end = { header, body: "" };
      else if (this.givesCredit && bytes.length > 0) this.credit(run, bytes.length);
    } else {
      run.end = { header, body: bytes.toString() };
    }
    run.changed();
  }

  async #answer(id: number, header: Frame["header"], bytes: Buffer): Promise<void> {
    const given = JSON.parse(bytes.toString()) as Record<string, unknown>;
    const name = header["name"] as string;
    this.calls.push({ name, run: header["run"] as number, arguments: given });
    const answer = await this.answer(name, given);
    if ("code" in answer) this.worker.send({ t: "answer", id, error: { code: answer.code, message: "refused" } });
    else this.worker.send({ t: "answer", id }, JSON.stringify(answer.value));
  }
}

/** Plays `kv` and `env` from memory. */
export function memory(): (name: string, given: Record<string, unknown>) => Answer {
  const stores = new Map<string, Map<string, unknown>>();
  return (name, given) => {
    const [kind, verb] = name.split(".");
    const place = kind === "env" ? "env" : given["global"] === true ? "global" : "own";
    const store = stores.get(place) ?? new Map<string, unknown>();
    stores.set(place, store);
    const key = String(given["key"] ?? given["name"]);
    const keys = [...store.keys()].filter((each) => each.startsWith((given["prefix"] ?? "") as string)).toSorted();
    switch (verb ?? "") {
      case "get":
        return { value: store.has(key) ? { value: store.get(key) } : {} };
      case "set":
        store.set(key, given["value"]);
        return { value: {} };
      case "delete":
        return { value: { deleted: store.delete(key) } };
      case "list": {
        const from = Number(given["cursor"] ?? 0); // two keys a page
        const cursor = from + 2 < keys.length ? { cursor: String(from + 2) } : {};
        return { value: { keys: keys.slice(from, from + 2), ...cursor } };
      }
      case "all":
        return { value: { entries: Object.fromEntries(keys.map((each) => [each, store.get(each)])) } };
      case "incr": {
        const sum = Number(store.get(key) ?? 0) + Number(given["by"] ?? 1);
        store.set(key, sum);
        return { value: { value: sum } };
      }
      case "cas": {
        const swapped = store.get(key) === given["old"];
        if (swapped) store.set(key, given["new"]);
        return { value: { swapped } };
      }
      default:
        return { code: "INVALID_ARGUMENT" };
    }
  };
}
