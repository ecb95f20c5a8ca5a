import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type Handle, listenAt } from "./handles.ts";

/** A connection of this process with itself. */
export interface SocketPair {
  readonly near: Socket;
  /** For another process. */
  readonly far: Handle;
}

/** Makes connected sockets; Node has no `socketpair`. */
export class SocketPairs {
  readonly #path: string;
  readonly #listener: Handle;
  #accepted: ((far: Handle) => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param dir others must not be able to list it */
  constructor(dir: string) {
    this.#path = join(dir, randomBytes(8).toString("hex"));
    this.#listener = listenAt(this.#path, 0o600, (far) => {
      if (this.#accepted === undefined) far.close();
      else this.#accepted(far);
    });
  }

  /** One after the other, so that the two ends belong together. */
  make(): Promise<SocketPair> {
    const pair = this.#last.then(() => this.#connect());
    this.#last = pair.catch(() => {});
    return pair;
  }

  close(): void {
    this.#listener.close();
  }

  async #connect(): Promise<SocketPair> {
    const accepted = Promise.withResolvers<Handle>();
    this.#accepted = accepted.resolve;
    try {
      const near = connect({ path: this.#path });
      await once(near, "connect");
      return { near, far: await accepted.promise };
    } finally {
      this.#accepted = undefined;
    }
  }
}
