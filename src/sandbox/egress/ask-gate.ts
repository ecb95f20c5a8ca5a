import type { Socket } from "node:net";
import { EgressError } from "./egress-error.ts";

const END_OF_HEAD = "\r\n\r\n";
const MAX_HEAD_BYTES = 8192; // the gate's longest is some hundred

/**
 * Asks the gate, which is on the other side of `socket`, for a connection. When it resolves, the target is there instead.
 *
 * @throws EgressError; the socket is destroyed then
 */
export async function askGate(socket: Socket, host: string, port: number): Promise<void> {
  const answered = readHead(socket);
  socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`);
  try {
    const head = await answered;
    if (head.startsWith("HTTP/1.1 200 ")) return;
    const why = /^X-Egress-Error: (.*)$/m.exec(head)?.[1]?.trim() ?? "egress failed: the gate gave no reason";
    throw new EgressError(head.startsWith("HTTP/1.1 403 ") ? "EGRESS_REFUSED" : "EGRESS_FAILED", why);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Up to the empty line; what follows stays in the socket. */
function readHead(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen: Buffer = Buffer.alloc(0);
    const stop = (): void => {
      socket.off("data", onData).off("close", onClose).off("error", onClose).pause();
    };
    const onClose = (): void => {
      stop();
      reject(new EgressError("EGRESS_FAILED", "egress failed: the gate has ended the connection"));
    };
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf(END_OF_HEAD);
      if (end < 0) {
        if (seen.length > MAX_HEAD_BYTES) socket.destroy();
        return;
      }
      stop();
      const rest = seen.subarray(end + END_OF_HEAD.length);
      if (rest.length > 0) socket.unshift(rest);
      resolve(seen.toString("latin1", 0, end));
    };
    socket.on("data", onData).on("close", onClose).on("error", onClose);
  });
}
