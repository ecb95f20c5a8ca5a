import { canonicalHost } from "../../core/egress-policy.ts";
import type { Refusal } from "./refusal.ts";

/** Where a box asks to be connected to. */
export interface Target {
  /** Canonical. */
  readonly host: string;
  readonly port: number;
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
