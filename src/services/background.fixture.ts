// Everything that is done in the background, over a real store and a real queue; the clock stands still, and the test says how runs end.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { FunctionSettings } from "../core/function.ts";
import { newId } from "../core/id.ts";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Queue } from "../queue/queue.ts";
import { openSqliteQueue } from "../queue/sqlite/sqlite-queue.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { type Background, createBackground } from "./background.ts";
import { Catalog, type StoredFunction } from "./catalog.ts";
import { FakeRuntime } from "./fake-runtime.fixture.ts";
import { FunctionFolders } from "./function-folders.ts";
import { Functions } from "./functions.ts";
import { InTurn } from "./in-turn.ts";
import type { Invocation, Invoke } from "./invoke.ts";
import { Programs } from "./programs.ts";
import { SecretBox } from "./secret-box.ts";
import { Variables } from "./variables.ts";

const KEEP = { count: 10_000, ageMs: 1_000 * 86_400_000 };
const SOON_MS = 20_000;

/** A run that was begun, and goes on until the test ends it. */
export interface Begun {
  readonly invocation: Invocation;
  readonly atMs: number;
  readonly isCancelled: () => boolean;
  end(outcome: Outcome): void;
  refuse(error: Error): void;
}

/** One node; several of them share a world. */
export interface Node extends Background {
  readonly catalog: Catalog;
  readonly functions: Functions;
  readonly begun: Begun[];
}

export class World {
  readonly clock = new ManualClock();
  readonly #folder = mkdtempSync(join(tmpdir(), "cloche-background-"));
  readonly #nodes: Node[] = [];
  store!: Store;
  queue!: Queue;

  static async open(): Promise<World> {
    const world = new World();
    world.store = await openSqliteStore({ file: join(world.#folder, "store.db"), keepExecutions: 100 });
    await world.#openQueue();
    return world;
  }

  async #openQueue(): Promise<void> {
    const keep = { completed: KEEP, dead: KEEP };
    this.queue = await openSqliteQueue({ file: join(this.#folder, "queue.db"), keep, clock: this.clock });
  }

  async addNode(): Promise<Node> {
    const { store, queue, clock } = this;
    const programs = new Programs([{ found: true, runtime: new FakeRuntime() }]);
    const variables = new Variables(store, new SecretBox(Buffer.alloc(32, 1)), clock);
    const catalog = await Catalog.open({ store, programs, variables, egress: "public", onStale: () => {} });
    const folders = new FunctionFolders(this.#folder);
    const functions = new Functions({ store, catalog, inTurn: new InTurn(), egress: "public", clock, folders });
    const begun: Begun[] = [];
    const invoke: Invoke = (invocation) => {
      const executionId = invocation.executionId ?? newId();
      const ended = Promise.withResolvers<Outcome>();
      let isCancelled = false;
      begun.push({
        ...{ invocation, atMs: clock.now(), isCancelled: () => isCancelled },
        end: (outcome) => ended.resolve(outcome),
        refuse: (error) => ended.reject(error),
      });
      const result = ended.promise.then((outcome) => ({
        ...{ executionId, outcome, printed: "", stderr: "", coldStart: false, waitMs: 0, runMs: 0 },
      }));
      const cancel = (): void => {
        isCancelled = true;
        ended.resolve({ kind: "cancelled" });
      };
      return { executionId, result, cancel };
    };
    const background = createBackground({
      ...{ queue, catalog, functions, invoke, clock, log: () => {} },
      openExchange: () => assert.fail("no requests here"),
      callbacks: { connect: undefined, caFile: undefined, egress: "public", secret: Buffer.alloc(32, 2) },
      ...{ concurrency: 10, leaseMs: 30_000, maxQueued: 1_000, inputBytes: 1_000, longestRunMs: 1_000 },
    });
    const node: Node = { ...background, catalog, functions, begun };
    this.#nodes.push(node);
    node.start();
    return node;
  }

  /** All nodes end, time passes, and one is there again; before it is, `meanwhile` may do something to the queue. */
  async restartAfter(downMs: number, meanwhile = (): Promise<void> => Promise.resolve()): Promise<Node> {
    await quiet();
    await this.#drainNodes();
    await this.queue.close();
    this.clock.advance(downMs);
    await this.#openQueue();
    await meanwhile();
    return await this.addNode();
  }

  /** Lets time pass when what is under way has set its timers. */
  async pass(ms: number): Promise<void> {
    await quiet();
    this.clock.advance(ms);
    await quiet();
    this.clock.advance(0); // timers that were set when their time had come
  }

  /** A function of one script. */
  async addFunction(node: Node, settings: Partial<FunctionSettings> = {}): Promise<StoredFunction> {
    const { id } = await node.functions.create(`f-${newId()}`, {}, async (functionName, newFunction) => {
      const code = { functionName, newFunction, language: "javascript", source: "1", nowMs: this.clock.now() };
      const added = await this.store.addVersion(code);
      await node.catalog.refresh(added.version.functionId);
      return added;
    });
    return await node.functions.update(id, { settings });
  }

  async close(): Promise<void> {
    await this.#drainNodes();
    await this.queue.close();
    await this.store.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #drainNodes(): Promise<void> {
    for (const node of this.#nodes.splice(0)) {
      const drained = node.drain();
      this.clock.advance(1_000); // the patience with what runs
      await drained;
    }
  }
}

/** Waits, in real time, for what the queue's thread and the nodes have to do. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const giveUpAtMs = Date.now() + SOON_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert.ok(Date.now() < giveUpAtMs, `${what} within ${SOON_MS} ms`);
    await delay(2);
  }
}

/** What is under way has time to happen: for what must not happen. */
export async function quiet(): Promise<void> {
  await delay(60);
}
