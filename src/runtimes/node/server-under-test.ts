// Plays the server for a shim: asks for runs, passes bodies on with credit, and answers calls from a map.
import assert from "node:assert/strict";
import type { Json } from "../../core/program.ts";
import type { Frame, ShimProcess } from "./worker-under-test.ts";

export const WINDOW_BYTES = 262_144;
export const FRAME_BYTES = 65_536;

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly relativePath?: string;
  readonly query?: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** Undefined: one of its own. */
  readonly requestId?: string;
  readonly body?: string | Uint8Array;
  /** The body's end comes later, in `body` frames. */
  readonly streams?: boolean;
}

/** How a run ended, with all that came before. */
export interface Ended {
  readonly end: Frame;
  readonly status: number | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly logs: readonly Frame[];
  readonly calls: readonly { readonly name: string; readonly input: { readonly [name: string]: Json } }[];
}

const ENDS = new Set(["result", "error", "exit"]);

/** Talks with one shim. `store` answers its `kv` and `env` calls. */
export class TestServer {
  readonly shim: ShimProcess;
  readonly store = new Map<string, Json>();
  #lastId = 0;

  constructor(shim: ShimProcess) {
    this.shim = shim;
  }

  /** Sends a `request`; returns its run. */
  request({
    method = "GET",
    path = "/fn/test/",
    relativePath = "/",
    query = "",
    headers = [],
    requestId,
    body = "",
    streams = false,
  }: Ask): number {
    const id = ++this.#lastId;
    const ids = { id, executionId: `exec-${id}`, requestId: requestId ?? `req-${id}` };
    this.shim.send({ t: "request", ...ids, method, path, relativePath, query, headers, end: !streams }, body);
    return id;
  }

  /** Sends a `run`; returns it. */
  run(input: Json): number {
    const id = ++this.#lastId;
    this.shim.send({ t: "run", id, executionId: `exec-${id}` }, JSON.stringify(input));
    return id;
  }

  async ask(ask: Ask = {}): Promise<Ended> {
    return (await this.ended(this.request(ask)))[0] as Ended;
  }

  async value(input: Json = {}): Promise<Ended> {
    return (await this.ended(this.run(input)))[0] as Ended;
  }

  async check(): Promise<Frame> {
    const id = ++this.#lastId;
    this.shim.send({ t: "check", id });
    const [ended] = await this.ended(id);
    assert(ended !== undefined);
    return ended.end;
  }

  /** Waits until all of these runs are over; in the order in which they were named. */
  async ended(...ids: number[]): Promise<Ended[]> {
    const found = new Map(ids.map((id) => [id, new Exchange()]));
    while ([...found.values()].some((exchange) => !exchange.isOver)) {
      const frame = await this.shim.next();
      assert(frame !== undefined, "the shim ended before its run");
      if (frame.t === "call") this.#answer(frame);
      const id = frame.t === "call" || frame.t === "log" ? (frame.run ?? oldestOpen(found)) : frame.id;
      found.get(id ?? 0)?.take(frame);
      if (frame.t === "response" || frame.t === "body") this.credit(id ?? 0, frame.data.length);
    }
    return [...found.values()].map((exchange) => exchange.ended());
  }

  credit(id: number, bytes: number): void {
    if (bytes > 0) this.shim.send({ t: "credit", id, bytes });
  }

  #answer({ id, name = "", body }: Frame): void {
    try {
      this.shim.send({ t: "answer", id }, JSON.stringify(this.#call(name, JSON.parse(body))));
    } catch (error) {
      const { message } = error as Error;
      this.shim.send({ t: "answer", id, error: { code: "INVALID_REQUEST", message } });
    }
  }

  #call(name: string, input: { [name: string]: Json }): Json {
    const key = `${name.split(".")[0]}${input["global"] === true ? ":global" : ""}:${textOf(input["key"] ?? input["name"])}`;
    const known = this.store.get(key);
    switch (name) {
      case "kv.get":
      case "env.get":
        return known === undefined ? {} : { value: known };
      case "kv.set":
      case "env.set":
        this.store.set(key, input["value"] ?? null);
        return {};
      case "kv.delete":
      case "env.delete":
        return { deleted: this.store.delete(key) };
      case "kv.incr":
        if (known !== undefined && typeof known !== "number") throw new Error("not a number");
        this.store.set(key, (known ?? 0) + Number(input["by"] ?? 1));
        return { value: this.store.get(key) ?? null };
      case "kv.cas":
        if (known !== input["old"]) return { swapped: false };
        this.store.set(key, input["new"] ?? null);
        return { swapped: true };
      case "kv.list": {
        const all = [...this.store.keys()]
          .map((one) => one.slice(3))
          .filter((one) => one.startsWith(textOf(input["prefix"])));
        const from = Number(input["cursor"] ?? 0);
        const next = from + Number(input["limit"] ?? 1_000);
        return { keys: all.slice(from, next), ...(next < all.length ? { cursor: String(next) } : {}) };
      }
      case "kv.all":
        return { entries: Object.fromEntries([...this.store].map(([one, value]) => [one.slice(3), value])) };
      case "ai.chat":
        return { content: "hello", model: textOf(input["model"]), usage: { input_tokens: 1, output_tokens: 2 } };
      case "email.send":
        return { id: "mail-1" };
      default:
        throw new Error(`no call ${name}`);
    }
  }
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function oldestOpen(found: ReadonlyMap<number, Exchange>): number | undefined {
  for (const [id, exchange] of found) if (!exchange.isOver) return id;
  return undefined;
}

/** What has come of one run. */
class Exchange {
  readonly #logs: Frame[] = [];
  readonly #calls: { name: string; input: { [name: string]: Json } }[] = [];
  readonly #chunks: Buffer[] = [];
  #head: Frame | undefined;
  #end: Frame | undefined;

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  take(frame: Frame): void {
    if (frame.t === "log") this.#logs.push(frame);
    else if (frame.t === "call") this.#calls.push({ name: frame.name ?? "", input: JSON.parse(frame.body) });
    else if (frame.t === "response" || frame.t === "body") {
      if (frame.t === "response") this.#head = frame;
      assert.ok(frame.data.length <= FRAME_BYTES);
      this.#chunks.push(frame.data);
      if (frame.end === true) this.#end = frame;
    } else if (ENDS.has(frame.t)) this.#end = frame;
  }

  ended(): Ended {
    assert(this.#end !== undefined);
    return {
      end: this.#end,
      status: this.#head?.status,
      headers: this.#head?.headers ?? [],
      body: this.#head === undefined ? this.#end.body : Buffer.concat(this.#chunks).toString("utf8"),
      logs: this.#logs,
      calls: this.#calls,
    };
  }
}
