// Unix sockets as Node has them below its streams. Only these can be accepted without a byte being read, and be listened on by
// another process than the one that made them; Node has no public way to either.
import { chmodSync, renameSync } from "node:fs";
import type { SendHandle } from "node:child_process";
import { createServer, Socket, type SocketConstructorOpts } from "node:net";

/** An open unix socket that nobody reads. Whoever has it closes it. */
export interface Handle {
  onconnection: ((status: number, client: Handle | undefined) => void) | undefined;
  listen(backlog: number): number;
  close(): void;
}

const BACKLOG = 511; // Node's own

/**
 * Makes the socket `path` and takes connections on it; closing it leaves the file.
 *
 * @param mode who may connect, as of a file
 */
export function listenAt(path: string, mode: number, onClient: (client: Handle) => void): Handle {
  const server = createServer();
  // Closing the socket removes what it was bound to. But a copy may live on in another process, and needs its name.
  const bound = `${path}.new`;
  server.on("error", () => {}); // there is no handle then, which is told below
  server.listen({ path: bound });
  const handle = (server as unknown as { readonly _handle: Handle | null })._handle;
  if (handle === null) throw new Error(`the socket ${path} cannot be made`);
  acceptOn(handle, onClient);
  chmodSync(bound, mode);
  renameSync(bound, path);
  return handle;
}

/** Takes connections on a socket that has been bound, in this process or another. @throws Error where it is none */
export function listenOn(handle: Handle, onClient: (client: Handle) => void): void {
  acceptOn(handle, onClient);
  const failure = handle.listen(BACKLOG);
  if (failure !== 0) throw new Error(`a socket cannot be listened on (error ${failure})`);
}

function acceptOn(handle: Handle, onClient: (client: Handle) => void): void {
  handle.onconnection = (status, client) => {
    if (status === 0 && client !== undefined) onClient(client); // else we are out of descriptors, and it has been turned away
  };
}

/** From here on the socket belongs to the stream. */
export function streamOf(handle: Handle): Socket {
  const options = { handle, allowHalfOpen: true };
  return new Socket(options as unknown as SocketConstructorOpts);
}

/** What `send` takes beside a message. */
export function asSendable(handle: Handle): SendHandle {
  return handle as unknown as SendHandle;
}

/** Anything but undefined came from another of our processes and is one. */
export function asHandle(received: unknown): Handle | undefined {
  return received as Handle | undefined;
}
