// One connection of a box: its request, the way to the target, and the bytes between both.
import { connect, type Socket } from "node:net";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { systemClock } from "../../core/clock.ts";
import { parseConnect } from "./connect-request.ts";
import { codeOf, resolveTarget } from "./destination.ts";
import type { EgressLimits } from "./limits.ts";
import { denied, failed, type Refusal, refuse } from "./refusal.ts";
import type { Turnstile } from "./turnstile.ts";

const END_OF_HEAD = "\r\n\r\n";

/** What a connection needs to know of its box. */
export interface ConnectionOwner {
  readonly limits: EgressLimits;
  readonly lookups: Turnstile;
  /** Undefined when none has come within the wait. */
  policy(): Promise<EgressPolicy | undefined>;
  /** One line about something denied, failed or ended by a limit. */
  tell(text: string): void;
}

/** Serves one connection of a box from its request to its end. Everything that comes from either side is hostile. */
export class Connection {
  readonly #client: Socket;
  readonly #owner: ConnectionOwner;
  readonly #cancels: (() => void)[] = [];
  #upstream: Socket | undefined;
  #shown = "a connection";

  constructor(client: Socket, owner: ConnectionOwner) {
    this.#client = client;
    this.#owner = owner;
    client.on("error", () => {}); // `close` follows
    client.on("close", () => this.destroy());
    this.#endAfter(owner.limits.lifeMs, () => `was open for ${owner.limits.lifeMs} ms`);
  }

  /** Resolves when both sides are connected, or the connection has been refused. */
  async serve(): Promise<void> {
    const head = await this.#readHead();
    if (head === undefined) return;
    const upstream = typeof head === "string" ? await this.#reach(head) : head;
    if ("status" in upstream) this.#refuse(upstream);
    else if (this.#client.destroyed) upstream.destroy();
    else this.#tunnel(upstream);
  }

  /** Ends both sides at once. Calling it again does nothing. */
  destroy(): void {
    for (const cancel of this.#cancels) cancel();
    this.#client.destroy();
    this.#upstream?.destroy();
  }

  /** The text before the empty line; what comes behind it stays in the socket. Undefined when the client has gone. */
  #readHead(): Promise<string | Refusal | undefined> {
    const { headBytes, headMs } = this.#owner.limits;
    const client = this.#client;
    return new Promise((resolve) => {
      let seen: Buffer = Buffer.alloc(0);
      const finish = (head: string | Refusal | undefined): void => {
        cancel();
        client.off("data", onData).off("end", onEnd).off("close", onEnd).pause();
        resolve(head);
      };
      const onData = (chunk: Buffer): void => {
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf(END_OF_HEAD);
        if (end > headBytes || (end < 0 && seen.length > headBytes)) {
          finish({ status: 431, text: `egress failed: the request's head is larger than ${headBytes} bytes` });
        } else if (end >= 0) {
          const rest = seen.subarray(end + END_OF_HEAD.length);
          finish(seen.toString("utf8", 0, end));
          if (rest.length > 0) client.unshift(rest);
        }
      };
      const onEnd = (): void => {
        finish(undefined);
        this.destroy();
      };
      const cancel = systemClock.after(headMs, () =>
        finish({ status: 408, text: `egress failed: no complete request within ${headMs} ms` }),
      );
      client.on("data", onData).on("end", onEnd).on("close", onEnd);
    });
  }

  async #reach(head: string): Promise<Socket | Refusal> {
    const target = parseConnect(head);
    if ("status" in target) return target;
    const policy = await this.#owner.policy();
    if (policy === undefined) return denied("this sandbox has no network policy yet");
    this.#shown = `a connection to ${target.host}:${target.port}`;
    const addresses = await this.#owner.lookups.pass(() =>
      this.#client.destroyed ? Promise.resolve(failed("the client has gone")) : resolveTarget(target, policy),
    );
    return "status" in addresses ? addresses : this.#connectToFirst(addresses, target.host, target.port);
  }

  async #connectToFirst(addresses: readonly string[], host: string, port: number): Promise<Socket | Refusal> {
    const { connectMs } = this.#owner.limits;
    const until = systemClock.monotonicMs() + connectMs;
    let why = "no address";
    for (const [index, address] of addresses.entries()) {
      const leftMs = until - systemClock.monotonicMs();
      if (leftMs <= 0 || this.#client.destroyed) break;
      const shareMs = leftMs / (addresses.length - index); // one that does not answer leaves time for the next
      const result = await connectTo(address, port, shareMs);
      if (typeof result !== "string") return result;
      why = result;
    }
    return failed(`${host} port ${port} cannot be reached (${why})`);
  }

  #tunnel(upstream: Socket): void {
    const { idleMs, bytesEachWay } = this.#owner.limits;
    const client = this.#client;
    this.#upstream = upstream;
    upstream.on("close", () => this.#closeAfterLastBytes());
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");

    let lastByteAt = systemClock.monotonicMs();
    for (const [from, way] of [
      [client, "sent"],
      [upstream, "received"],
    ] as const) {
      let bytes = 0;
      from.on("data", (chunk: Buffer) => {
        lastByteAt = systemClock.monotonicMs();
        bytes += chunk.length;
        if (bytes > bytesEachWay) this.#end(`has ${way} more than ${bytesEachWay} bytes`);
      });
    }
    const watchIdle = (waitMs: number): void =>
      this.#after(waitMs, () => {
        const restMs = lastByteAt + idleMs - systemClock.monotonicMs();
        if (restMs > 0) watchIdle(restMs);
        else this.#end(`was idle for ${idleMs} ms`);
      });
    watchIdle(idleMs);

    // A side that cannot take more stops the other one; a side that has ended still receives.
    client.pipe(upstream);
    upstream.pipe(client);
  }

  /** The target is gone; what it has said may still be on its way to the client. */
  #closeAfterLastBytes(): void {
    if (this.#client.writableEnded && !this.#client.writableFinished) this.#client.once("finish", () => this.destroy());
    else this.destroy();
  }

  #refuse(refusal: Refusal): void {
    if (this.#client.destroyed) return; // it did not wait for the answer
    this.#owner.tell(refusal.text);
    refuse(this.#client, refusal);
  }

  #endAfter(delayMs: number, why: () => string): void {
    this.#after(delayMs, () => this.#end(why()));
  }

  #end(why: string): void {
    this.#owner.tell(`egress ended: ${this.#shown} ${why}`);
    this.destroy();
  }

  #after(delayMs: number, task: () => void): void {
    this.#cancels.push(systemClock.after(delayMs, task));
  }
}

/** A connected socket, or the system's word for what failed. */
function connectTo(address: string, port: number, waitMs: number): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const cancel = systemClock.after(waitMs, () => give("ETIMEDOUT"));
    const give = (result: Socket | string): void => {
      cancel();
      resolve(result); // only the first one counts
      if (typeof result === "string") socket.destroy();
    };
    socket.on("error", (error) => give(codeOf(error))); // for all of its life: an error that nobody hears ends the process
    socket.once("connect", () => give(socket));
  });
}
