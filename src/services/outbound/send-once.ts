// One request and its response, on a connection of its own through the gate.
import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import type { Caller } from "../capabilities.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { ConnectOut } from "./connect-out.ts";
import { decodeBody } from "./decode-body.ts";
import type { OutboundLimits } from "./limits.ts";
import { OutboundError } from "./outbound-error.ts";
import type { RequestHeaders } from "./request-headers.ts";
import type { Secure } from "./secure.ts";

export interface OutboundRequest {
  readonly method: string;
  /** `http:` or `https:`. */
  readonly url: URL;
  readonly headers: RequestHeaders;
  readonly body: Buffer | undefined;
}

export interface OutboundResponse {
  readonly status: number;
  /** Names in lower case, the first value of each; one character for a byte. */
  readonly headers: ReadonlyMap<string, string>;
  /** Decoded; empty for a redirect, whose body nobody wants. */
  readonly body: Buffer;
}

export interface SendDeps {
  readonly connect: ConnectOut;
  readonly secure: Secure;
  readonly limits: OutboundLimits;
  readonly budget: ByteBudget;
}

/** @throws OutboundError; where `signal` has ended it, the message is of no use */
export async function sendOnce(
  { version }: Caller,
  request: OutboundRequest,
  deps: SendDeps,
  signal: AbortSignal,
): Promise<OutboundResponse> {
  const { protocol, hostname: host, port } = request.url;
  const isSecure = protocol === "https:";
  const target = {
    owner: version.id,
    policy: version.egress,
    host,
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
  };
  let plain: Socket | undefined;
  let taken = 0;
  try {
    plain = await connected(target, deps, signal);
    plain.on("error", () => {}); // of its last bytes; whoever reads is told by its end
    const socket = isSecure ? await deps.secure(plain, host, signal) : plain;
    const message = await headOf(request, socket, deps, signal);
    const status = message.statusCode ?? 0;
    const headers = firstValues(message.rawHeaders);
    if (isRedirect(status, headers)) return { status, headers, body: Buffer.alloc(0) };
    const raw = await readBody(message, deps, (bytes) => (taken += bytes));
    const body = await decodeBody(raw, headers.get("content-encoding") ?? "", deps.limits.responseBytes);
    if (body === undefined || body === raw) return { status, headers, body: raw };
    for (const name of ["content-encoding", "content-length"]) headers.delete(name); // of what came, not of what we give
    return { status, headers, body };
  } finally {
    deps.budget.give(taken);
    plain?.destroy();
  }
}

/** True for a status that sends the client elsewhere, and says where. */
export function isRedirect(status: number, headers: ReadonlyMap<string, string>): boolean {
  return [301, 302, 303, 307, 308].includes(status) && headers.has("location");
}

async function connected(target: Parameters<ConnectOut>[0], deps: SendDeps, signal: AbortSignal): Promise<Socket> {
  try {
    return await deps.connect(target, signal);
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    const isRefused = code === "EGRESS_REFUSED";
    throw new OutboundError(isRefused ? "EGRESS_REFUSED" : "REQUEST_FAILED", String(message), { cause: error });
  }
}

function headOf(
  { method, url, headers, body }: OutboundRequest,
  socket: Socket,
  { limits }: SendDeps,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const sent: Record<string, string | number> = {
    host: url.host,
    "user-agent": "cloche",
    "accept-encoding": "gzip, deflate, br",
    ...basicAuthorization(url),
    ...Object.fromEntries(headers),
    connection: "close",
  };
  if (body !== undefined) sent["content-length"] = body.length;
  else if (["POST", "PUT", "PATCH"].includes(method)) sent["content-length"] = 0;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      ...{ method, path: `${url.pathname}${url.search}`, headers: sent, signal },
      ...{ setHost: false, maxHeaderSize: limits.headBytes, createConnection: () => socket },
    });
    outgoing.once("socket", () => socket.resume()); // it has been held until there is somebody to read
    outgoing.on("error", (error) => reject(broken(error)));
    outgoing.on("upgrade", () => reject(broken(new Error("the other side speaks another protocol"))));
    outgoing.once("response", resolve);
    outgoing.end(body);
  });
}

/** A name and password in the URL, which are never sent as part of it. */
function basicAuthorization({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const text = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(text).toString("base64")}` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function readBody(
  message: IncomingMessage,
  { limits, budget }: SendDeps,
  onTaken: (bytes: number) => void,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.responseBytes)
        throw new OutboundError("REQUEST_FAILED", `the response is larger than ${limits.responseBytes} bytes`);
      if (!budget.take(chunk.length))
        throw new OutboundError("REQUEST_FAILED", "the server is reading too many large responses; try again later");
      onTaken(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof OutboundError ? error : broken(error);
  }
  return Buffer.concat(chunks, bytes);
}

/** The words of the system and of the parser, never those of the other side. */
function broken(error: unknown): OutboundError {
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === "ECONNRESET" || code === "EPIPE"
      ? "the connection ended before the response was complete"
      : code === "HPE_HEADER_OVERFLOW"
        ? "the head of the response is too large"
        : `the response cannot be read (${code ?? "unknown error"})`;
  return new OutboundError("REQUEST_FAILED", why, { cause: error });
}

function firstValues(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    if (!headers.has(name)) headers.set(name, raw[at + 1] ?? "");
  }
  return headers;
}
