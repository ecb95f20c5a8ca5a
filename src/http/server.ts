import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { sleep } from "../core/clock.ts";
import { messageOf, PlatformError } from "../core/errors.ts";
import type { Access } from "./access.ts";
import { addFaultHeaders, sendFault, sendJsonFault } from "./answer.ts";
import { FastPath } from "./fast-path/fast-path.ts";
import { type HttpRequest, type Route, Router } from "./router.ts";

// Node's own defaults (60 s, 300 s) let a few slow clients hold every connection.
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** What clients are told that a connection may rest. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** And may be late, when they or we are busy: a request that meets the closing is lost, and many clients send none twice. */
const KEEP_ALIVE_GRACE_MS = 5_000;
const TIMEOUT_CHECK_MS = 1_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 10_000;
const READINESS_PATH = "/readyz";
/** After the last connection. */
const LAST_REQUESTS_MS = 500;

export interface HttpServerOptions {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly access: Access;
  readonly log: (line: string) => void;
}

/** The listening server. One request in, one route, one answer; every fault is answered in its route's dialect. */
export class HttpServer {
  readonly #server: Server;
  readonly #fastPath: FastPath;
  readonly #router: Router;
  readonly #access: Access;
  readonly #log: (line: string) => void;
  #leaving = false;
  /** Connections, not requests: a set of these, added to and taken from with each call, costs a tenth of all calls (bench/warm.ts). */
  readonly #sockets = new Set<Socket>();
  #draining = false;

  /** Rejects where the address is taken or not ours. */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(options.port, options.host, resolve);
    });
    return server;
  }

  private constructor({ access, routes, log }: HttpServerOptions) {
    this.#router = new Router(routes);
    this.#access = access;
    this.#log = log;
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        keepAliveTimeoutBuffer: KEEP_ALIVE_GRACE_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      (message, response) => void this.#answer(message, response),
    );
    this.#fastPath = new FastPath(this.#server, {
      keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
      restMs: KEEP_ALIVE_TIMEOUT_MS + KEEP_ALIVE_GRACE_MS,
      maxHeaderBytes: MAX_HEADER_BYTES,
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("clientError", answerClientError);
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  get address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
    return address;
  }

  /** For `delayMs` takes work as before, but says at `/readyz` that it goes, and lets no connection live on; then drains. */
  async leave(delayMs: number): Promise<void> {
    this.#leaving = true;
    if (delayMs > 0) {
      await sleep(delayMs);
      // What has just connected is served, too: its request may be on the way, and a proxy would not send it twice.
      const closed = once(this.#server, "close");
      setImmediate(() => this.#stopListening()); // right after the loop has taken in who waited
      await Promise.race([closed, sleep(LAST_REQUESTS_MS)]);
    }
    this.drain();
  }

  /** Takes no new work; requests that have begun are answered, and their connections are told to be no good for another one. */
  drain(): void {
    this.#draining = true;
    for (const socket of this.#sockets) {
      const answer = responseOn(socket);
      if (answer !== undefined) answer.shouldKeepAlive = false;
    }
    this.#stopListening();
  }

  /** Cuts every connection. */
  close(): void {
    this.drain();
    for (const socket of this.#sockets) socket.destroy();
  }

  #stopListening(): void {
    this.#server.close();
    this.#closeIdle();
  }

  #closeIdle(): void {
    this.#server.closeIdleConnections();
    this.#fastPath.closeIdleConnections();
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = message.url ?? "/";
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    if (this.#leaving) response.shouldKeepAlive = false; // its next request goes to another server
    const request: HttpRequest = { message, path, query: mark < 0 ? "" : url.slice(mark + 1) };
    try {
      this.#access.checkHost(message);
      const route = this.#router.find(message.method ?? "GET", path);
      if (message.headers.origin !== undefined && route.anyOrigin?.(request) !== true)
        this.#access.checkOrigin(message);
      this.#access.checkKey(message, route.scope);
      if (this.#draining || (this.#leaving && path === READINESS_PATH))
        throw new PlatformError("DRAINING", "the server is stopping");
      await route.handle(request, response);
    } catch (error) {
      if (this.#draining) response.shouldKeepAlive = false;
      this.#answerFault(this.#asFault(error), request, response);
    } finally {
      if (this.#draining) setImmediate(() => this.#closeIdle()); // its head had gone out before
    }
  }

  #answerFault(error: PlatformError, request: HttpRequest, response: ServerResponse): void {
    if (response.destroyed) return;
    const { message, path } = request;
    if (!response.headersSent) addFaultHeaders(error, message, response);
    if (error.code === "METHOD_NOT_ALLOWED") response.setHeader("Allow", this.#router.allowed(path).join(", "));
    const dialect = this.#router.dialectAt(path);
    if (dialect !== undefined) dialect(error, request, response);
    else if (path.startsWith("/api/")) sendJsonFault(response, error);
    else sendFault(error, request, response, error.message);
  }

  #asFault(error: unknown): PlatformError {
    if (error instanceof PlatformError) return error;
    // A bug of ours: the caller learns that much, the operator the rest.
    this.#log(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`);
    return new PlatformError("INTERNAL", "internal error; the server's log has the details", { cause: error });
  }
}

/** The answer that is being made on a connection, as Node keeps it there; it has no other name. */
function responseOn(socket: Socket): ServerResponse | undefined {
  return (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

const CLIENT_ERRORS: ReadonlyMap<string, string> = new Map([
  [
    "HPE_HEADER_OVERFLOW",
    `431 Request Header Fields Too Large\r\n\r\nheaders too large (max ${MAX_HEADER_BYTES} bytes)`,
  ],
  ["ERR_HTTP_REQUEST_TIMEOUT", `408 Request Timeout\r\n\r\nthe request took longer than ${REQUEST_TIMEOUT_MS / 1000}s`],
]);

/** Requests that Node's parser refused; no route has seen them. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status = "", text = ""] = (CLIENT_ERRORS.get(error.code ?? "") ?? "400 Bad Request\r\n\r\nnot HTTP").split(
    "\r\n\r\n",
  );
  const headers = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${text}`);
}
