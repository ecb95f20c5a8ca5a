import { canonicalHost } from "../../core/egress-policy.ts";

/** Where a box asks to be connected to. */
export interface Target {
  /** Canonical. */
  readonly host: string;
  readonly port: number;
}

/** What a connection is told instead of being connected. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/**
 * The target of a request's head. Only CONNECT is spoken: with requests in absolute form the gate would have to read and
 * rewrite HTTP of a hostile sender, which is where proxies are smuggled past.
 *
 * @param head everything before the empty line
 */
export function parseConnect(head: string): Target | Refusal {
  const [line = ""] = head.split("\r\n", 1);
  const { host: name = "", port = "" } =
    /^CONNECT (?<host>[^ ]+):(?<port>\d{1,5}) HTTP\/1\.[01]$/.exec(line)?.groups ?? {};
  if (name === "") return { status: 405, text: "egress failed: the gate speaks only CONNECT host:port HTTP/1.1" };
  const host = canonicalHost(name);
  if (host === undefined) return { status: 400, text: "egress failed: that is no host name and no address" };
  return { host, port: Number(port) };
}

/** The answer to a refused request, complete. `text` must be one line of printable ASCII. */
export function refusalAnswer({ status, text }: Refusal): string {
  return (
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Egress Failed"}\r\nX-Egress-Error: ${text}\r\n` +
    `Content-Type: text/plain\r\nContent-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${text}\n`
  );
}

const REASONS: { readonly [status: number]: string } = { 403: "Egress Denied", 405: "Method Not Allowed" };
