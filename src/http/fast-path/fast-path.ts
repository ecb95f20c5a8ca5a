import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { FastConnection, type FastPathLimits } from "./connection.ts";

/** The way of plain requests through an HTTP server of Node's: every connection of it begins here. */
export class FastPath {
  /** Those that have not left it. */
  readonly #connections = new Set<FastConnection>();

  /** @param server gets `request` for what comes on either way */
  constructor(server: Server, limits: FastPathLimits) {
    const nodeTakes = takeListener(server);
    const parts = {
      ...limits,
      answer: (message: IncomingMessage, response: ServerResponse) => void server.emit("request", message, response),
      handOver: (connection: FastConnection) => {
        this.#connections.delete(connection);
        nodeTakes(connection.socket);
      },
    };
    server.on("connection", (socket) => {
      const connection = new FastConnection(socket, parts);
      this.#connections.add(connection);
      socket.once("close", () => this.#connections.delete(connection));
    });
  }

  /** As the server's own method does it for those that it has. */
  closeIdleConnections(): void {
    for (const connection of this.#connections) connection.closeIfIdle();
  }
}

/** The one with which a server serves a connection: called by hand it takes any (Node's documentation, Event: "connection"). */
function takeListener(server: Server): (socket: Socket) => void {
  const [listener, another] = server.listeners("connection");
  if (listener === undefined || another !== undefined) throw new Error("a new server listens once to its connections");
  server.removeAllListeners("connection");
  return (socket) => void Reflect.apply(listener, server, [socket]);
}
