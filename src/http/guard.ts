// Who may talk to a server that listens on loopback only: programs on this machine, and no web page. Without these checks
// any page that its user opens could post code to it (cross-site), or read answers after pointing a name of its own at 127.0.0.1
// (DNS rebinding).
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { PlatformError } from "../core/errors.ts";

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Callers say the same name again and again; one comparison is cheaper than taking it apart. */
let lastGoodHost: string | undefined;

/** @throws PlatformError HOST_NOT_ALLOWED */
export function checkLoopbackCaller(message: IncomingMessage): void {
  const { host = "", origin } = message.headers;
  if (host !== lastGoodHost && !isLoopback(hostName(host))) {
    throw new PlatformError(
      "HOST_NOT_ALLOWED",
      `host ${JSON.stringify(host)} is not a name of this machine's loopback`,
    );
  }
  lastGoodHost = host;
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new PlatformError("HOST_NOT_ALLOWED", `origin ${JSON.stringify(origin)} is not this server's own`);
  }
}

function hostName(host: string): string {
  return host
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
}
