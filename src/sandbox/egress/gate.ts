// The way out of the boxes: one unix socket for each, which is bound into it and so says who is asking. The server has made it.
import type { Socket } from "node:net";
import { messageOf } from "../../core/errors.ts";
import { systemClock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { BoxLog } from "./box-log.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import { type Handle, listenOn, streamOf } from "./handles.ts";
import type { EgressLimits } from "./limits.ts";
import { denied, refuse } from "./refusal.ts";
import { Turnstile } from "./turnstile.ts";

export interface EgressGateOptions {
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

  /** @param policy undefined: its connections wait for one */
  admit(boxId: number, policy: EgressPolicy | undefined): void {
    const exit = new BoxExit(this.#options.limits, (text) => this.#options.onEvent(boxId, text));
    this.#boxes.set(boxId, exit);
    if (policy !== undefined) exit.setPolicy(policy);
  }

  /** Takes connections on the socket of a box; false where the box has gone. */
  listen(boxId: number, socket: Handle): boolean {
    const exit = this.#boxes.get(boxId);
    if (exit === undefined) socket.close();
    else exit.listen(socket);
    return exit !== undefined;
  }

  /** Takes one connection of a box. */
  serve(boxId: number, client: Handle): void {
    const exit = this.#boxes.get(boxId);
    if (exit === undefined) client.close();
    else exit.accept(streamOf(client));
  }

  /** What a box that is not there would be allowed does not matter: its messages may cross with its end. */
  setPolicy(boxId: number, policy: EgressPolicy): void {
    this.#boxes.get(boxId)?.setPolicy(policy);
  }

  /** Ends the connections of a box, and takes no more. */
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
  readonly #connections = new Set<Connection>();
  readonly #firstPolicy = Promise.withResolvers<void>();
  readonly #log: BoxLog;
  #socket: Handle | undefined;
  #policy: EgressPolicy | undefined;

  constructor(limits: EgressLimits, onEvent: (text: string) => void) {
    this.limits = limits;
    this.lookups = new Turnstile(limits.lookups);
    this.#log = new BoxLog(onEvent);
  }

  listen(socket: Handle): void {
    this.#socket = socket;
    listenOn(socket, (client) => this.accept(streamOf(client)));
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
    this.#log.tell(text);
  }

  close(): void {
    this.#socket?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  accept(client: Socket): void {
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
