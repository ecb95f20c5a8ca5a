// One gate for the tests of a file, the boxes' side of its sockets, and an internet of its own around it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, type TestContext } from "node:test";
import { sleep, systemClock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { EgressGateProcess } from "./gate-process.ts";
import { Internet } from "./internet.fixture.ts";
import { EGRESS_LIMITS, type EgressLimits } from "./limits.ts";

export const WEB = "93.184.216.34";
export const WEB_V6 = "2606:2800:220:1::1";

export class GateUnderTest {
  internet!: Internet;
  gate!: EgressGateProcess;
  /** What the gates have told about the boxes of all tests. */
  readonly log: string[] = [];
  #lastBox = 0;

  /** There from before the file's first test until after its last one. */
  static ofThisFile(): GateUnderTest {
    const own = new GateUnderTest();
    before(async () => {
      own.internet = await Internet.open();
      own.gate = await own.openGate({ connectMs: 2_000 });
      await own.internet.setName("web.example", [WEB, WEB_V6]);
    });
    after(async () => {
      await own.gate?.close();
      await own.internet?.close();
    });
    return own;
  }

  openGate(limits: Partial<EgressLimits>, launcher = this.internet.launcher): Promise<EgressGateProcess> {
    return EgressGateProcess.open({
      log: (line) => this.log.push(line),
      limits: { ...EGRESS_LIMITS, ...limits },
      launcher,
    });
  }

  /** The socket of a new box, in a gate of its own where the test needs other limits. */
  async box(
    t: TestContext,
    policy: EgressPolicy | undefined,
    limits?: Partial<EgressLimits>,
  ): Promise<{ path: string; id: number; gate: EgressGateProcess }> {
    const gate = limits === undefined ? this.gate : await this.openGate(limits);
    const id = ++this.#lastBox;
    const path = await gate.admit(id);
    if (policy !== undefined) gate.setPolicy(id, policy);
    t.after(() => (gate === this.gate ? gate.release(id) : gate.close()));
    return { path, id, gate };
  }

  /** What was told about a box, without its number. */
  linesOf(id: number): string[] {
    const start = `sandbox ${id}: `;
    return this.log.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
  }

  async firstLine(id: number): Promise<string> {
    await until(() => this.linesOf(id).length > 0);
    return this.linesOf(id)[0] ?? "";
  }
}

export async function dial(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** The head of the answer to what was written; the bytes behind it stay in the socket. */
export async function head(socket: Socket): Promise<string> {
  let seen = "";
  while (!seen.includes("\r\n\r\n")) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) seen += chunk.toString("latin1");
    else if (socket.readableEnded || socket.destroyed) return seen;
    else await Promise.race([once(socket, "readable"), once(socket, "end"), once(socket, "close")]);
  }
  const end = seen.indexOf("\r\n\r\n") + 4;
  if (end < seen.length) socket.unshift(Buffer.from(seen.slice(end), "latin1"));
  return seen.slice(0, end);
}

/** A tunnel to the target. */
export async function tunnel(path: string, target: string): Promise<Socket> {
  const socket = await dial(path);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  assert.match(await head(socket), /^HTTP\/1\.1 200 /);
  return socket;
}

/** What a box is told that sends `request`, with its status in front. */
export async function told(path: string, request: string | Buffer): Promise<string> {
  const socket = await dial(path);
  socket.on("error", () => {});
  socket.write(request);
  const answer = await head(socket);
  if (!/^HTTP\/1\.1 [45]/.test(answer)) socket.destroy(new Error(`this should have been refused: ${answer}`));
  const body = await text(socket);
  socket.destroy();
  const [, status = ""] = answer.split(" ");
  const error = /^X-Egress-Error: (.*)\r$/m.exec(answer)?.[1];
  assert.equal(body, `${error}\n`, "the body repeats the header");
  return `${status} ${error}`;
}

export const asked = (path: string, target: string): Promise<string> =>
  told(path, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);

export async function get(path: string, target: string, route = "/"): Promise<string> {
  const socket = await tunnel(path, target);
  socket.write(`GET ${route} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
  const answer = await text(socket);
  socket.destroy();
  return answer;
}

/** The processes of all gates of this test, oldest first, as the kernel lists them: the numbers of newer ones may be lower. */
export function gates(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number);
  return children.filter((pid) => /gate-main/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")));
}

export function newestGate(): number {
  return gates().at(-1) ?? 0;
}

export function rssBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

/** Resolves when the other side has ended the connection, in whatever way. */
export async function closed(socket: Socket): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  socket.on("error", () => {});
  socket.on("end", () => socket.destroy());
  socket.resume();
  await within(gone);
}

/** A gate that waits where it should act fails its test, instead of holding it up. */
export async function within<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.after(30_000, () => late.reject(new Error("it did not happen within 30 s")));
  return Promise.race([promise, late.promise]).finally(cancel);
}

export async function until(condition: () => boolean): Promise<void> {
  for (let waits = 0; !condition(); waits += 1) {
    assert.ok(waits < 3_000, "it did not happen within 30 s");
    await sleep(10);
  }
}
