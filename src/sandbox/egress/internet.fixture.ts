// A small internet for tests, in two network namespaces of their own: a "host", in which the gate runs, and "the world",
// which has every address that a test needs, forbidden ones too. Both end with the processes that hold them, and those
// with the test's process: nothing stays behind, even if it is killed.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FromWorld, Published, Records, ToWorld } from "./world.fixture.ts";

const RESOLVER = "192.168.77.2";
export const HOST_ADDRESS = "192.168.77.1";

const HOST_LINKS = [
  "link set lo up",
  "link set veth0 up",
  `address add ${HOST_ADDRESS}/24 dev veth0`,
  "address add fd77::1/64 dev veth0 nodad",
  `route add default via ${RESOLVER}`,
  "route add default via fd77::2",
];

const WORLD_LINKS = [
  "link set lo up",
  "link set veth0 up",
  `address add ${RESOLVER}/24 dev veth0`,
  "address add fd77::2/64 dev veth0 nodad",
  "address add 93.184.216.34/32 dev lo",
  "address add 10.0.0.5/32 dev lo",
  "address add 169.254.169.254/32 dev lo",
  "address add 2606:2800:220:1::1/128 dev lo nodad",
  "address add 64:ff9b::5db8:d822/128 dev lo nodad",
  "address add fd12:3456::5/128 dev lo nodad",
];

const FILES = {
  "resolv.conf": `nameserver ${RESOLVER}\noptions timeout:5 attempts:3\n`,
  "nsswitch.conf": "hosts: files dns\n",
  hosts: "127.0.0.1 localhost\n::1 localhost\n",
};

export class Internet {
  /** The certificate authority that signed the HTTPS server of the world. */
  readonly caFile: string;
  /** Starts a program on the host. */
  readonly launcher: readonly [program: string, ...args: string[]];
  /** Starts a program in the world, where it may listen on each of its addresses. */
  readonly worldLauncher: readonly [program: string, ...args: string[]];
  readonly #dir: string;
  readonly #host: ChildProcess;
  readonly #world: ChildProcess;
  #lastQuestion = 0;

  static async open(): Promise<Internet> {
    assert.equal(process.getuid?.(), 0, "this test makes network namespaces and must be run as root");
    const dir = mkdtempSync(join(tmpdir(), "cloche-internet-"));
    const certificate = makeCertificate(dir);
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(dir, name), text);
    const binds = Object.keys(FILES).map((name) => `mount --bind ${dir}/${name} /etc/${name}`);
    const script = [...binds, "echo ready", "exec cat"].join(" && ");
    const host = spawn("unshare", ["--net", "--mount", "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
    const world = spawn("unshare", ["--net", process.execPath, join(import.meta.dirname, "world.fixture.ts")], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const internet = new Internet(dir, host, world);
    try {
      await Promise.all([once(host.stdout, "data"), once(world, "message")]);
      const pair = ["veth0", "netns", String(host.pid), "type", "veth", "peer", "veth0", "netns", String(world.pid)];
      execFileSync("ip", ["link", "add", ...pair]);
      internet.#links(host, HOST_LINKS);
      internet.#links(world, WORLD_LINKS);
      await internet.#ask({ t: "serve", resolver: RESOLVER, certificate });
      return internet;
    } catch (error) {
      await internet.close();
      throw error;
    }
  }

  private constructor(dir: string, host: ChildProcess, world: ChildProcess) {
    this.#dir = dir;
    this.#host = host;
    this.#world = world;
    this.caFile = join(dir, "ca.pem");
    this.launcher = ["nsenter", `--target=${host.pid}`, "--net", "--mount"];
    this.worldLauncher = ["nsenter", `--target=${world.pid}`, "--net"];
  }

  /** From now on the name has these records. Several sets are answered one after the other, and the last one for ever. */
  async setName(name: string, ...answers: readonly Records[]): Promise<void> {
    await this.#ask({ t: "name", name, answers });
  }

  /** From now on every web server of the world answers this for the path. */
  async publish(path: string, content: Buffer | string | { readonly location: string }): Promise<void> {
    const isContent = typeof content === "string" || Buffer.isBuffer(content);
    const answer: Published = isContent ? { base64: Buffer.from(content).toString("base64") } : content;
    await this.#ask({ t: "publish", path, answer });
  }

  /** How often the IPv4 addresses of the name have been asked for. */
  async timesResolved(name: string): Promise<number> {
    return (await this.#ask({ t: "count", name })).count;
  }

  async close(): Promise<void> {
    for (const child of [this.#host, this.#world]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #links(child: ChildProcess, commands: readonly string[]): void {
    execFileSync("nsenter", [`--target=${child.pid}`, "--net", "ip", "-batch", "-"], { input: commands.join("\n") });
  }

  async #ask(message: ToWorld): Promise<FromWorld> {
    const question = ++this.#lastQuestion;
    return new Promise((resolve) => {
      const onMessage = (answer: FromWorld): void => {
        if (answer.question !== question) return;
        this.#world.off("message", onMessage);
        resolve(answer);
      };
      this.#world.on("message", onMessage);
      this.#world.send({ ...message, question });
    });
  }
}

function makeCertificate(dir: string): { readonly cert: string; readonly key: string } {
  const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { cwd: dir, stdio: "ignore" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
  openssl("req", "-x509", ...newKey, ...ca, "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem");
  openssl("req", ...newKey, "-subj", "/CN=web.example", "-keyout", "web.key", "-out", "web.csr");
  writeFileSync(join(dir, "ext"), "subjectAltName=DNS:web.example,DNS:*.web.example\n");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
  openssl("x509", "-req", "-in", "web.csr", ...signed, "-out", "web.pem");
  return { cert: readFileSync(join(dir, "web.pem"), "utf8"), key: readFileSync(join(dir, "web.key"), "utf8") };
}
