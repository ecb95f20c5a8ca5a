// The server's end of a box's way out: a socket that waits for its first connection. The gate listens on it from then on, so that a
// box that connects in a loop costs the gate its time and not the server.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type EgressPolicy, whyHostDenied } from "../../core/egress-policy.ts";
import { messageOf } from "../../core/errors.ts";
import { BoxLog } from "./box-log.ts";
import type { GateChild } from "./gate-child.ts";
import { type Handle, listenAt, listenOn, streamOf } from "./handles.ts";
import { denied, type Refusal, refuse } from "./refusal.ts";

/** Of a box without network; the server tells it this often, and then stops listening to it. */
const REFUSALS_PER_BOX = 1000;
/** Of one who is refused, in bytes; the rest stays in the kernel. */
const MAX_HEARD_BYTES = 16_384;

export const NO_NETWORK: Refusal = denied(whyHostDenied("none", "", 0) ?? "");

export interface EntranceOptions {
  readonly boxId: number;
  /** Where the socket is made. */
  readonly dir: string;
  /** Connections that may wait for the gate. */
  readonly maxWaiting: number;
  readonly onLine: (text: string) => void;
  /** Somebody waits for the gate: it is to be given to `enter`, or its absence to `turnAwayAll`. */
  readonly onWaiting: () => void;
}

export class Entrance {
  /** Of the socket, on the host. */
  readonly path: string;
  readonly #options: EntranceOptions;
  readonly #log: BoxLog;
  #policy: EgressPolicy | undefined;
  /** What we listen on; undefined while only the gate does. */
  #socket: Handle | undefined;
  /** A copy of what the gate listens on. */
  #spare: Handle | undefined;
  #gate: GateChild | undefined;
  #waiting: Handle[] = [];
  /** Connections that the gate got by way of us since it has been given the socket. */
  #given = 0;
  #refusalsLeft = REFUSALS_PER_BOX;
  #closed = false;

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#log = new BoxLog(options.onLine);
    // The folder hides its names; with one that cannot be guessed, no other user of the host passes as this box.
    this.path = join(options.dir, randomBytes(8).toString("hex"));
    // For all to read and write: the box's user is not ours. Who reaches the socket is decided by what the box shows.
    this.#socket = listenAt(this.path, 0o666, (client) => this.#arrive(client));
  }

  setPolicy(policy: EgressPolicy): void {
    this.#policy = policy;
    this.#gate?.send({ t: "policy", boxId: this.#options.boxId, policy });
  }

  /** Hands the socket and everybody who waits to the gate. */
  enter(gate: GateChild): void {
    const { boxId } = this.#options;
    if (this.#closed) return;
    if (this.#gate !== gate) {
      this.#gate = gate;
      gate.send({ t: "admit", boxId, policy: this.#policy });
      if (this.#socket !== undefined) gate.share({ t: "listen", boxId }, this.#socket);
    }
    const clients = this.#waiting.splice(0);
    this.#given += clients.length;
    for (const client of clients) gate.give({ t: "serve", boxId }, client);
  }

  turnAwayAll(refusal: Refusal): void {
    for (const client of this.#waiting.splice(0)) this.#turnAway(client, refusal);
  }

  /** The gate listens; `copy` is ours to keep. */
  passOver(copy: Handle): void {
    if (this.#closed) {
      copy.close();
      return;
    }
    this.#socket?.close();
    this.#socket = undefined;
    this.#spare?.close();
    this.#spare = copy;
    this.#given = 0;
  }

  /** The gate is gone: we wait for the next connection again. */
  takeBack(): void {
    const spare = this.#spare;
    this.#gate = undefined;
    this.#spare = undefined;
    this.#given = 0;
    if (spare === undefined) return;
    try {
      listenOn(spare, (client) => this.#arrive(client));
      this.#socket = spare;
    } catch (error) {
      spare.close(); // the box has no network any more
      this.#log.tell(`egress failed: ${messageOf(error)}`);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const handle of [this.#socket, this.#spare, ...this.#waiting.splice(0)]) handle?.close();
    this.#gate?.send({ t: "release", boxId: this.#options.boxId });
    rmSync(this.path, { force: true });
  }

  #arrive(client: Handle): void {
    const { maxWaiting } = this.#options;
    if (this.#policy === "none") this.#turnAway(client, NO_NETWORK);
    else if (this.#waiting.length + this.#given < maxWaiting) {
      this.#waiting.push(client);
      this.#options.onWaiting();
    } else this.#turnAway(client, denied(`more than ${maxWaiting} connections at once`));
  }

  #turnAway(client: Handle, refusal: Refusal): void {
    if (this.#refusalsLeft === 0) {
      client.close();
      return;
    }
    this.#refusalsLeft -= 1;
    if (this.#refusalsLeft === 0 && this.#policy === "none") {
      this.#socket?.close(); // it finds nobody from here on
      this.#socket = undefined;
    }
    this.#log.tell(refusal.text);
    const socket = streamOf(client);
    let heardBytes = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      heardBytes += chunk.length;
      if (heardBytes > MAX_HEARD_BYTES) socket.pause();
    });
    refuse(socket, refusal);
  }
}
