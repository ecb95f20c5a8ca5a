import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "../../core/clock.ts";
import { FastConnection } from "./connection.ts";

/** In which a connection comes to have rested for too long: it may be one of them late. */
const ROUNDS = 10;

export interface FastPathLimits {
  /** What clients are told that a connection may rest. */
  readonly keepAliveTimeoutMs: number;
  /** After so long it is closed, or a little later. */
  readonly restMs: number;
  readonly maxHeaderBytes: number;
}

/** The way of plain requests through an HTTP server of Node's: every connection of it begins here. */
export class FastPath {
  /** Those that have not left it. */
  readonly #connections = new Set<FastConnection>();
  readonly #roundMs: number;
  #stopRounds: (() => void) | undefined;

  /** @param server gets `request` for what comes on either way */
  constructor(server: Server, { restMs, ...limits }: FastPathLimits) {
    this.#roundMs = restMs / ROUNDS;
    const nodeTakes = takeListener(server);
    const parts = {
      ...limits,
      answer: (message: IncomingMessage, response: ServerResponse) => void server.emit("request", message, response),
      handOver: (connection: FastConnection) => {
        this.#forget(connection);
        nodeTakes(connection.socket);
      },
    };
    server.on("connection", (socket) => {
      const connection = new FastConnection(socket, parts);
      this.#connections.add(connection);
      this.#stopRounds ??= systemClock.every(this.#roundMs, () => this.#round());
      socket.once("close", () => this.#forget(connection));
    });
  }

  /** As the server's own method does it for those that it has. */
  closeIdleConnections(): void {
    for (const connection of this.#connections) connection.closeIfIdle();
  }

  #round(): void {
    for (const connection of this.#connections) connection.closeIfRested(ROUNDS);
  }

  #forget(connection: FastConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#stopRounds?.();
    this.#stopRounds = undefined;
  }
}

/** The one with which a server serves a connection: called by hand it takes any (Node's documentation, Event: "connection"). */
function takeListener(server: Server): (socket: Socket) => void {
  const [listener, another] = server.listeners("connection");
  if (listener === undefined || another !== undefined) throw new Error("a new server listens once to its connections");
  server.removeAllListeners("connection");
  return (socket) => void Reflect.apply(listener, server, [socket]);
}
