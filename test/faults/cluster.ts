// Several real servers on one real Redis, or one server on SQLite, behind a load balancer; to be killed, stopped and split from each other.
import { type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisUnderTest } from "../../src/store/redis/redis-under-test.fixture.ts";
import { ServerUnderTest } from "../server-under-test.ts";
import { Balancer } from "./balancer.ts";
import { RedisLine } from "./redis-line.ts";

/** Of a job's lease: recovery from the loss of a server takes as long, and some. */
const LEASE_MS = 5_000;

export interface ClusterOptions {
  readonly nodes: number;
  readonly store: "redis" | "sqlite";
  /** Of redis-server; what is written is synced before it is answered, unless these say otherwise. */
  readonly redisArgs?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  /** A program that becomes the server, by the number of the node. */
  readonly launcher?: (n: number) => readonly string[];
  /** By the number of the node; a new folder that is removed at the end where it says nothing. */
  readonly dataDir?: (n: number) => string | undefined;
}

/** One place in the cluster: whichever server runs there has its folder and its line to Redis. */
export class Node {
  readonly name: string;
  readonly dataDir: string;
  readonly line: RedisLine | undefined;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #launcher: readonly string[];
  readonly #isFolderOurs: boolean;
  #server: ServerUnderTest | undefined;

  constructor(given: {
    readonly name: string;
    readonly line: RedisLine | undefined;
    readonly settings: Readonly<Record<string, string>>;
    readonly launcher: readonly string[];
    readonly dataDir: string | undefined;
  }) {
    this.name = given.name;
    this.line = given.line;
    this.#settings = given.settings;
    this.#launcher = ["setpriv", "--pdeathsig", "KILL", ...given.launcher]; // so that it ends with the test, however that ends
    this.#isFolderOurs = given.dataDir === undefined;
    this.dataDir = given.dataDir ?? mkdtempSync(join(tmpdir(), "cloche-fault-"));
  }

  get server(): ServerUnderTest {
    if (this.#server === undefined) throw new Error(`${this.name} has not been started`);
    return this.#server;
  }

  get url(): string {
    return this.server.url;
  }

  get lives(): boolean {
    return this.#server !== undefined && isAlive(this.#server.process);
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const redis = this.line === undefined ? {} : { REDIS_URL: this.line.url };
    this.#server = new ServerUnderTest(this.dataDir, { ...this.#settings, ...redis, ...settings }, this.#launcher);
    await this.#server.started;
  }

  /** As a crash does it: resolves when its boxes are gone, too. */
  async kill(): Promise<void> {
    const pids = this.server.boxPids();
    this.server.process.kill("SIGKILL");
    await this.server.exited;
    await this.server.assertGone(pids);
  }

  /** As a deployment does it: what runs may end. */
  async stop(): Promise<void> {
    await this.server.stop();
  }

  async dispose(): Promise<void> {
    if (this.lives) {
      this.line?.restore();
      this.server.process.kill("SIGKILL");
      await this.server.exited;
    }
    await this.line?.close();
    if (this.#isFolderOurs) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export class Cluster {
  readonly nodes: readonly Node[];
  readonly balancer: Balancer;
  readonly #redis: RedisUnderTest | undefined;

  static async start(options: ClusterOptions): Promise<Cluster> {
    const redis = options.store === "redis" ? await RedisUnderTest.start(...(options.redisArgs ?? [])) : undefined;
    const settings = {
      ...{ MASTER_KEY: "m".repeat(32), MAX_CONTAINERS: "6", JOBS_CONCURRENCY: "3" },
      ...{ JOBS_LEASE_SECONDS: String(LEASE_MS / 1000), REDIS_TIMEOUT_SECONDS: "3" },
      ...options.settings,
    };
    const nodes: Node[] = [];
    for (let n = 0; n < options.nodes; n++) {
      const line = redis === undefined ? undefined : await RedisLine.open(redis.path);
      const launcher = options.launcher?.(n) ?? [];
      nodes.push(new Node({ name: `node-${n + 1}`, line, settings, launcher, dataDir: options.dataDir?.(n) }));
    }
    const cluster = new Cluster(nodes, await Balancer.listen(), redis);
    try {
      for (const node of nodes) await cluster.startNode(node);
      return cluster;
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  private constructor(nodes: readonly Node[], balancer: Balancer, redis: RedisUnderTest | undefined) {
    this.nodes = nodes;
    this.balancer = balancer;
    this.#redis = redis;
  }

  get redis(): RedisUnderTest {
    if (this.#redis === undefined) throw new Error("this cluster has no Redis");
    return this.#redis;
  }

  /** Where clients go. */
  get url(): string {
    return this.balancer.url;
  }

  node(n: number): Node {
    const node = this.nodes[n % this.nodes.length];
    if (node === undefined) throw new Error("a cluster has nodes");
    return node;
  }

  async startNode(node: Node): Promise<void> {
    await node.start();
    this.balancer.put(node.name, node.url);
  }

  async dispose(): Promise<void> {
    await this.balancer.close();
    for (const node of this.nodes) await node.dispose();
    await this.#redis?.dispose();
  }
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
