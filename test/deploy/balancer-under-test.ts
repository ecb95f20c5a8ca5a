// A load balancer of deploy/ as it is there, but for its ports, in front of two real servers on one Redis.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RedisUnderTest } from "../../src/store/redis/redis-under-test.fixture.ts";
import { freePorts } from "../free-ports.ts";
import { ServerUnderTest } from "../server-under-test.ts";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const START_LIMIT_MS = 60_000;
/** What stands in the samples. */
const FRONT = "127.0.0.1:8080";
const NODES = ["127.0.0.1:8081", "127.0.0.1:8082"] as const;

export type BalancerName = "nginx" | "haproxy";
export const PROGRAMS: Readonly<Record<BalancerName, string>> = {
  nginx: "/usr/sbin/nginx",
  haproxy: "/usr/sbin/haproxy",
};

export interface Answered {
  /** 0: none, `text` says why. */
  readonly status: number;
  readonly text: string;
}

let prefixes = 0;

/** Two servers, each of which can be stopped and started again at its place. */
export class BalancedServers {
  readonly url: string;
  readonly servers: ServerUnderTest[] = [];
  readonly #name: BalancerName;
  readonly #folder: string;
  readonly #places: readonly string[];
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #stderr = "";

  /** Both servers and the balancer, until they are disposed of. */
  static async start(name: BalancerName, redis: RedisUnderTest): Promise<BalancedServers> {
    const [front = 0, ...ports] = await freePorts(1 + NODES.length);
    const balanced = new BalancedServers(name, front, ports, {
      ...{ REDIS_URL: `unix://${redis.path}`, REDIS_PREFIX: `balanced-${++prefixes}:`, MASTER_KEY: "m".repeat(32) },
      ...{ MAX_CONTAINERS: "6", DRAIN_SECONDS: "5" },
    });
    try {
      for (const place of NODES.keys()) await balanced.startServer(place);
      await balanced.#startBalancer();
      return balanced;
    } catch (error) {
      await balanced.dispose();
      throw error;
    }
  }

  private constructor(
    name: BalancerName,
    front: number,
    ports: readonly number[],
    settings: Readonly<Record<string, string>>,
  ) {
    this.#name = name;
    this.#folder = mkdtempSync(join(tmpdir(), "cloche-balancer-"));
    this.#places = ports.map((port) => `127.0.0.1:${port}`);
    this.#settings = settings;
    this.url = `http://127.0.0.1:${front}`;
  }

  async startServer(place: number): Promise<void> {
    const port = this.#places[place]?.split(":")[1] ?? "";
    const dataDir = this.servers[place]?.dataDir ?? mkdtempSync(join(tmpdir(), "cloche-test-"));
    const server = new ServerUnderTest(dataDir, { ...this.#settings, HTTP_PORT: port });
    this.servers[place] = server;
    await server.started;
  }

  /** As the sample says that one is taken out without losing a request; resolves when it has ended. */
  async drain(place: number): Promise<void> {
    const server = this.servers[place];
    assert.ok(server);
    if (this.#name === "nginx") await this.#reload(place);
    server.process.kill("SIGTERM");
    const { code } = await server.exited;
    assert.equal(code, 0, server.stderr);
    await server.assertGone([]);
  }

  /** As a crash does it. */
  async kill(place: number): Promise<void> {
    const server = this.servers[place];
    assert.ok(server);
    const pids = server.boxPids();
    server.process.kill("SIGKILL");
    await server.exited;
    await server.assertGone(pids);
  }

  /** A request over a connection of its own: one that a proxy closes while it is asked again would be nobody's fault. */
  call(method: string, path: string, body?: unknown): Promise<Answered> {
    return new Promise((resolve) => {
      const headers = { "Content-Type": "application/json" };
      const options = { method, headers, agent: new Agent({ keepAlive: false }) };
      const outgoing = request(this.url + path, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("error", (error) => resolve({ status: 0, text: error.message }));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      outgoing.on("error", (error) => resolve({ status: 0, text: error.message }));
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Deploys functions that answer with the address of the server that runs them; returns the versions' numbers. */
  async deployFunctions(names: readonly string[]): Promise<number[]> {
    const versions: number[] = [];
    const code = "export default (request, env, ctx) => new Response(ctx.baseUrl);";
    for (const name of names) {
      const { status, text } = await this.call("POST", "/api/functions", { name, language: "javascript", code });
      assert.equal(status, 201, text);
      versions.push((JSON.parse(text) as { readonly version: { readonly version: number } }).version.version);
    }
    return versions;
  }

  async dispose(): Promise<void> {
    await this.#stopBalancer();
    for (const [place, server] of this.servers.entries()) {
      // Not by SIGTERM: they would wait for the balancer to notice.
      if (server.process.exitCode === null && server.process.signalCode === null) await this.kill(place);
      rmSync(server.dataDir, { recursive: true, force: true });
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startBalancer(): Promise<void> {
    const [program, ...args] = this.#name === "nginx" ? this.#prepareNginx() : this.#prepareHaproxy();
    // So that it ends with the test, however that ends.
    this.#process = spawn("setpriv", ["--pdeathsig", "TERM", program, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    const giveUpAtMs = Date.now() + START_LIMIT_MS;
    while (!(await isListening(Number(new URL(this.url).port)))) {
      const { exitCode } = this.#process;
      assert.ok(exitCode === null && Date.now() < giveUpAtMs, `${this.#name} did not start: ${this.#stderr}`);
      await delay(20);
    }
  }

  async #stopBalancer(): Promise<void> {
    const balancer = this.#process;
    if (balancer === undefined || balancer.exitCode !== null || balancer.signalCode !== null) return;
    const exited = once(balancer, "exit");
    balancer.kill("SIGTERM");
    await exited;
  }

  #prepareHaproxy(): [string, ...string[]] {
    const file = join(this.#folder, "haproxy.cfg");
    writeFileSync(file, this.#adapted("haproxy/cloche.cfg"));
    return [PROGRAMS.haproxy, "-db", "-f", file];
  }

  #prepareNginx(): [string, ...string[]] {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (what) => `${what}_temp_path ${this.#folder}/${what};`,
    );
    const main = [
      ...["daemon off;", "worker_processes 1;", `pid ${this.#folder}/nginx.pid;`, "error_log stderr;"],
      ...["events { worker_connections 512; }", "http {", "access_log off;", ...temporary],
      ...[`include ${this.#folder}/cloche.conf;`, "}", ""],
    ];
    writeFileSync(join(this.#folder, "nginx.conf"), main.join("\n"));
    writeFileSync(join(this.#folder, "cloche.conf"), this.#adapted("nginx/cloche.conf"));
    return [PROGRAMS.nginx, "-p", this.#folder, "-e", "stderr", "-c", join(this.#folder, "nginx.conf")];
  }

  /** Writes `down` behind the server's line, and waits until nginx works by it. */
  async #reload(place: number): Promise<void> {
    const file = join(this.#folder, "cloche.conf");
    const line = `server ${this.#places[place] ?? ""}`;
    const before = readFileSync(file, "utf8");
    assert.ok(before.includes(line));
    writeFileSync(file, before.replace(line, `${line} down`));
    const master = this.#process?.pid ?? 0;
    const workers = (): string => readFileSync(`/proc/${master}/task/${master}/children`, "utf8").trim();
    const [old = ""] = workers().split(" ");
    this.#process?.kill("SIGHUP");
    const giveUpAtMs = Date.now() + START_LIMIT_MS;
    while (existsSync(`/proc/${old}`)) {
      assert.ok(Date.now() < giveUpAtMs, `nginx did not take its new configuration: ${this.#stderr}`);
      await delay(20);
    }
  }

  #adapted(sample: string): string {
    let text = readFileSync(join(DEPLOY, sample), "utf8");
    const places = [[FRONT, new URL(this.url).host], ...NODES.map((node, at) => [node, this.#places[at] ?? ""])];
    for (const [from = "", to = ""] of places) {
      assert.equal(text.split(from).length, 2, `${sample} names ${from} once`);
      text = text.replace(from, to);
    }
    return text;
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
