import type { Socket } from "node:net";
import { sleep, systemClock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { messageOf, PlatformError } from "../../core/errors.ts";
import { askGate } from "./ask-gate.ts";
import { EgressError } from "./egress-error.ts";
import { Entrance, NO_NETWORK } from "./entrance.ts";
import { GateChild, type Launcher } from "./gate-child.ts";
import { makeGateFolder, removeGateFolder } from "./gate-folder.ts";
import type { FromGate } from "./gate-messages.ts";
import type { Handle } from "./handles.ts";
import { EGRESS_LIMITS, type EgressLimits } from "./limits.ts";
import { NOBODY } from "./nobody.ts";
import { failed } from "./refusal.ts";
import { SocketPairs } from "./socket-pairs.ts";

/** From one start of the gate to the next: one that dies at once must not take the machine's time. */
const RESTART_MS = 1000;

export interface EgressGateProcessOptions {
  /** Takes one line about something denied, failed or ended by a limit. The text is hostile in part, but printable ASCII. */
  readonly log: (line: string) => void;
  /** Told of each gate that has ended without being asked to, beside the line in the log. */
  readonly onLost?: (reason: string) => void;
  readonly limits?: EgressLimits;
  readonly launcher?: Launcher;
}

/** A connection that the server makes in the name of code. */
export interface OutwardConnection {
  /** The version that asks; all its connections count together, and have the same policy. */
  readonly owner: string;
  readonly policy: EgressPolicy;
  readonly host: string;
  readonly port: number;
}

interface Guest {
  readonly boxId: number;
  readonly gate: GateChild;
  connections: number;
}

/**
 * The server's side of the egress gate, which is a process of its own: it reads what hostile sides send. It is started when a box first
 * connects that may, and started again at the next need where it has died; until then nothing gets out.
 */
export class EgressGateProcess {
  /** What protects the host, in words for the start message. */
  readonly feature: string;
  readonly #options: EgressGateProcessOptions;
  readonly #limits: EgressLimits;
  readonly #folder: string;
  readonly #entrances = new Map<number, Entrance>();
  readonly #guests = new Map<string, Guest>();
  #pairs: SocketPairs | undefined;
  #gate: Promise<GateChild> | undefined;
  #lastStartMs = -Infinity;
  #lastGuest = 0;
  #closed = false;

  /** Makes a place for sockets, and starts no process yet. Rejects where there is none. */
  static async open(options: EgressGateProcessOptions): Promise<EgressGateProcess> {
    return new EgressGateProcess(options);
  }

  private constructor(options: EgressGateProcessOptions) {
    this.#options = options;
    this.#limits = options.limits ?? EGRESS_LIMITS;
    this.#folder = makeGateFolder();
    const user = process.getuid?.() === 0 ? NOBODY : process.getuid?.();
    this.feature = `only through the egress gate (a process of user ${user}, started when it is needed): CONNECT, one socket per sandbox, checked addresses`;
  }

  /**
   * Makes the socket of a box; resolves with its path on the host. It must be released when the box has ended.
   *
   * @throws PlatformError SANDBOX_START_FAILED
   */
  async admit(boxId: number): Promise<string> {
    if (this.#closed) throw closed();
    const entrance = new Entrance({
      ...{ boxId, dir: this.#folder, maxWaiting: this.#limits.connections },
      onLine: (text) => this.#tell(boxId, text),
      onWaiting: () => void this.#letIn(entrance),
    });
    this.#entrances.set(boxId, entrance);
    return entrance.path;
  }

  /** Until it is called, connections of the box wait, and are denied after a while. */
  setPolicy(boxId: number, policy: EgressPolicy): void {
    this.#entrances.get(boxId)?.setPolicy(policy);
  }

  /** Ends the connections of a box and removes its socket. */
  release(boxId: number): void {
    this.#entrances.get(boxId)?.close();
    this.#entrances.delete(boxId);
  }

  /**
   * Connects to a target through the gate, which looks at it as if a box had asked. The server itself never connects to what code names.
   *
   * @param signal ends the attempt
   * @throws EgressError
   */
  async connect({ owner, policy, host, port }: OutwardConnection, signal: AbortSignal): Promise<Socket> {
    if (policy === "none") throw new EgressError("EGRESS_REFUSED", NO_NETWORK.text);
    const { gate, near, far } = await this.#pair();
    const abort = (): void => void near.destroy();
    near.on("error", () => {}); // `close` follows
    signal.addEventListener("abort", abort);
    try {
      gate.give({ t: "serve", boxId: this.#enterAsGuest(gate, owner, policy, near) }, far);
      if (signal.aborted) abort();
      await askGate(near, host, port);
      return near;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Ends every connection and the gate; resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const boxId of this.#entrances.keys()) this.release(boxId);
    this.#pairs?.close();
    const gate = await this.#gate?.catch(() => undefined);
    await gate?.end();
    removeGateFolder(this.#folder);
  }

  async #letIn(entrance: Entrance): Promise<void> {
    try {
      entrance.enter(await this.#need());
    } catch (error) {
      entrance.turnAwayAll(failed(messageOf(error)));
    }
  }

  async #pair(): Promise<{ readonly gate: GateChild; readonly near: Socket; readonly far: Handle }> {
    try {
      await this.#need();
      this.#pairs ??= new SocketPairs(this.#folder);
      const pair = await this.#pairs.make();
      return { ...pair, gate: await this.#need() };
    } catch (error) {
      throw new EgressError("EGRESS_FAILED", failed(messageOf(error)).text, { cause: error });
    }
  }

  /** The number under which the gate has the owner's connections, while there are any. */
  #enterAsGuest(gate: GateChild, owner: string, policy: EgressPolicy, socket: Socket): number {
    const key = `${owner} ${JSON.stringify(policy)}`;
    let guest = this.#guests.get(key);
    if (guest === undefined || guest.gate !== gate) {
      guest = { boxId: --this.#lastGuest, gate, connections: 0 };
      this.#guests.set(key, guest);
      gate.send({ t: "admit", boxId: guest.boxId, policy });
    }
    const entered = guest;
    entered.connections += 1;
    socket.once("close", () => {
      entered.connections -= 1;
      if (entered.connections > 0) return;
      if (this.#guests.get(key) === entered) this.#guests.delete(key);
      gate.send({ t: "release", boxId: entered.boxId });
    });
    return entered.boxId;
  }

  /** The gate, running. @throws PlatformError SANDBOX_START_FAILED */
  async #need(): Promise<GateChild> {
    if (this.#closed) throw closed();
    const gate = await (this.#gate ??= this.#start());
    if (gate.hasEnded) throw new PlatformError("SANDBOX_START_FAILED", "the egress gate has ended");
    return gate;
  }

  async #start(): Promise<GateChild> {
    const { log, launcher } = this.#options;
    const restMs = this.#lastStartMs + RESTART_MS - systemClock.monotonicMs();
    if (restMs > 0) await sleep(restMs);
    this.#lastStartMs = systemClock.monotonicMs();
    try {
      return await GateChild.start(this.#limits, launcher, {
        onMessage: (message, handle) => this.#receive(message, handle),
        onEnd: (how) => this.#lose(how),
      });
    } catch (error) {
      this.#gate = undefined;
      log(`the egress gate cannot be started: ${messageOf(error)}`);
      throw error;
    }
  }

  #lose(how: string): void {
    this.#gate = undefined;
    if (this.#closed) return;
    const reason = `the egress gate ended unexpectedly (${how})`;
    this.#options.log(`${reason}; it is started again when it is needed`);
    this.#options.onLost?.(reason);
    for (const entrance of this.#entrances.values()) entrance.takeBack();
  }

  #receive(message: FromGate, handle: Handle | undefined): void {
    if (message.t === "log") this.#tell(message.boxId, message.text);
    else if (message.t === "listening" && handle !== undefined) {
      const entrance = this.#entrances.get(message.boxId);
      if (entrance === undefined) handle.close();
      else entrance.passOver(handle);
    } else handle?.close();
  }

  #tell(boxId: number, text: string): void {
    this.#options.log(`${boxId < 0 ? "a call of a function" : `sandbox ${boxId}`}: ${text}`);
  }
}

function closed(): PlatformError {
  return new PlatformError("SANDBOX_START_FAILED", "the egress gate has ended");
}
