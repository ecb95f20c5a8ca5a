// The way out of the boxes: one unix socket for each, which is bound into it and so says who is asking.
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { systemClock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { Connection, type ConnectionOwner, refuse } from "./connection.ts";
import { denied } from "./destination.ts";
import type { EgressLimits } from "./limits.ts";
import { Turnstile } from "./turnstile.ts";

/** A box that tries forbidden hosts in a loop must not fill the server's log. */
const LINES_PER_BOX = 20;

export interface EgressGateOptions {
  /** Where the sockets are made; must be short (`MAX_SOCKET_PATH_BYTES`). */
  readonly dir: string;
  readonly limits: EgressLimits;
  /** One line about something denied, failed or ended by a limit in a box. */
  readonly onEvent: (boxId: number, text: string) => void;
}

/** Lets boxes out by their policies. What a policy allows is in `core/egress-policy.ts`, which addresses never in `addresses.ts`. */
export class EgressGate {
  readonly #options: EgressGateOptions;
  readonly #boxes = new Map<number, BoxExit>();

  constructor(options: EgressGateOptions) {
    this.#options = options;
  }

  /** Opens the socket of a box; resolves with its path when it takes connections. */
  async admit(boxId: number): Promise<string> {
    // The folder hides its names; with one that cannot be guessed, no other user of the host passes as this box.
    const path = join(this.#options.dir, randomBytes(8).toString("hex"));
    const exit = new BoxExit(this.#options.limits, (text) => this.#options.onEvent(boxId, text));
    this.#boxes.set(boxId, exit);
    await exit.listen(path);
    return path;
  }

  /** What a box that is not there would be allowed does not matter: its messages may cross with its end. */
  setPolicy(boxId: number, policy: EgressPolicy): void {
    this.#boxes.get(boxId)?.setPolicy(policy);
  }

  /** Ends the connections of a box and removes its socket. */
  release(boxId: number): void {
    this.#boxes.get(boxId)?.close();
    this.#boxes.delete(boxId);
  }

  close(): void {
    for (const boxId of this.#boxes.keys()) this.release(boxId);
  }
}

/** One box's socket, with the connections through it. */
class BoxExit implements ConnectionOwner {
  readonly limits: EgressLimits;
  readonly lookups: Turnstile;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #firstPolicy = Promise.withResolvers<void>();
  readonly #onEvent: (text: string) => void;
  #policy: EgressPolicy | undefined;
  #linesLeft = LINES_PER_BOX;

  constructor(limits: EgressLimits, onEvent: (text: string) => void) {
    this.limits = limits;
    this.lookups = new Turnstile(limits.lookups);
    this.#onEvent = onEvent;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      // For all to read and write: the box's user is not ours. Who reaches the socket is decided by what the box shows.
      this.#server.listen({ path, readableAll: true, writableAll: true }, () => {
        this.#server.off("error", reject);
        // Out of descriptors: the connection fails, the gate goes on.
        this.#server.on("error", (error) => this.tell(`egress failed: ${messageOf(error)}`));
        resolve();
      });
    });
  }

  setPolicy(policy: EgressPolicy): void {
    this.#policy = policy;
    this.#firstPolicy.resolve();
  }

  async policy(): Promise<EgressPolicy | undefined> {
    if (this.#policy === undefined) {
      const waited = Promise.withResolvers<void>();
      const cancel = systemClock.after(this.limits.policyWaitMs, waited.resolve);
      await Promise.race([this.#firstPolicy.promise, waited.promise]);
      cancel();
    }
    return this.#policy;
  }

  tell(text: string): void {
    if (this.#linesLeft === 0) return;
    this.#linesLeft -= 1;
    this.#onEvent(this.#linesLeft > 0 ? text : `${text} (more of this sandbox are not shown)`);
  }

  close(): void {
    this.#server.close(); // removes the socket's file
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(client: Socket): void {
    if (this.#connections.size >= this.limits.connections) {
      const refusal = denied(`more than ${this.limits.connections} connections at once`);
      this.tell(refusal.text);
      client.on("error", () => {});
      refuse(client, refusal);
      return;
    }
    const connection = new Connection(client, this);
    this.#connections.add(connection);
    client.on("close", () => this.#connections.delete(connection));
    connection.serve().catch((error: unknown) => {
      // A fault of ours ends the connection, not the gate: the other boxes have done nothing.
      this.tell(`egress failed: ${messageOf(error)}`);
      connection.destroy();
    });
  }
}
