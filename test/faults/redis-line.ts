// The network between one server and Redis, as a TCP proxy that can be split: each server has a line of its own.
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";

/** A message to those who listen, in either version of the protocol; what else comes on such a connection are answers to pings. */
const PUBLISHED = /^[*>]3\r\n\$7\r\nmessage\r\n/;

export class RedisLine {
  readonly #server: Server;
  readonly #path: string;
  readonly #pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  #state: "open" | "silent" | "mute" | "cut" = "open";

  /** @param path of the unix socket on which Redis listens */
  static async open(path: string): Promise<RedisLine> {
    const line = new RedisLine(path);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  private constructor(path: string) {
    this.#path = path;
    this.#server = createServer((near) => this.#join(near));
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}/0`;
  }

  /** Nothing comes through any more, and nobody is told: a network that is split. */
  silence(): void {
    this.#state = "silent";
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.pause();
  }

  /** Every connection is reset, and no other is taken. */
  cut(): void {
    this.#state = "cut";
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.destroy();
  }

  /** Messages to those who listen are lost; commands and their answers come through. */
  mute(): void {
    this.#state = "mute";
  }

  /** What was held back comes through, as TCP sends it again. */
  restore(): void {
    this.#state = "open";
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket): void {
    if (this.#state === "cut") {
      near.destroy();
      return;
    }
    const far = createConnection(this.#path);
    const pair = { near, far };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
    near.setNoDelay(true).on("data", (bytes: Buffer) => far.write(bytes));
    far.on("data", (bytes: Buffer) => {
      if (this.#state === "mute" && PUBLISHED.test(bytes.toString("latin1", 0, 32))) return;
      near.write(bytes);
    });
    if (this.#state === "silent") for (const socket of [near, far]) socket.pause();
  }
}
