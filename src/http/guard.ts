// Who may talk to a server that listens on loopback only: programs on this machine, and no web page. Without these checks
// any page that its user opens could post code to it (cross-site), or read answers after pointing a name of its own at 127.0.0.1
// (DNS rebinding).
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { PlatformError } from "../core/errors.ts";

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/**
 * Refuses a request with two Host headers: what stands before us may have looked at the other one.
 *
 * @throws PlatformError INVALID_REQUEST
 */
export function checkOneHost({ rawHeaders }: IncomingMessage): void {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  if (hosts > 1) throw new PlatformError("INVALID_REQUEST", "a request has one Host header, not two");
}

/** Callers say the same name again and again; one comparison is cheaper than taking it apart. */
let lastGoodHost: string | undefined;

/** @throws PlatformError HOST_NOT_ALLOWED */
export function checkLoopbackHost({ headers: { host = "" } }: IncomingMessage): void {
  if (host !== lastGoodHost && !isLoopback(hostName(host))) {
    throw new PlatformError(
      "HOST_NOT_ALLOWED",
      `host ${JSON.stringify(host)} is not a name of this machine's loopback`,
    );
  }
  lastGoodHost = host;
}

/** @throws PlatformError HOST_NOT_ALLOWED */
export function checkOwnOrigin({ headers: { host = "", origin } }: IncomingMessage): void {
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
