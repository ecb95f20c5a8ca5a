import { readFileSync } from "node:fs";
import { isIP, type Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { OutboundError } from "./outbound-error.ts";

/** Puts TLS on a connection. Rejects with OutboundError where the other side is not who it should be. */
export type Secure = (socket: Socket, host: string, signal: AbortSignal) => Promise<TLSSocket>;

/** @param caFile authorities to trust, PEM; undefined: those that come with Node */
export function createSecure(caFile: string | undefined): Secure {
  let context: SecureContext | undefined; // takes milliseconds to make, and a megabyte to keep: not before it is needed
  return async (socket, host, signal) => {
    context ??= createSecureContext(caFile === undefined ? {} : { ca: readFileSync(caFile) });
    const name = host.replace(/^\[|\]$/g, "");
    const secured = connect({
      socket,
      host: name,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      secureContext: context,
      ALPNProtocols: ["http/1.1"],
    });
    secured.on("error", () => {}); // for all of its life: an error that nobody hears ends the process
    const abort = (): void => void secured.destroy();
    signal.addEventListener("abort", abort);
    try {
      await new Promise<void>((resolve, reject) => {
        secured.once("secureConnect", resolve);
        secured.once("error", reject);
        secured.once("close", () => reject(new Error("the connection ended")));
      });
      return secured;
    } catch (error) {
      secured.destroy();
      const why = (error as NodeJS.ErrnoException).code ?? "the connection ended";
      throw new OutboundError("REQUEST_FAILED", `no secure connection to ${host} (${why})`, { cause: error });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}
