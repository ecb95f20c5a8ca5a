// The head of a request, where it says nothing unusual. Node's parser reads every request there can be; most are of one kind,
// and to read those here is a third of what a warm call costs (docs/decisions/0011-fast-path.md). What is taken is a strict subset:
// of anything that two readers could understand in two ways nothing is taken, and Node's parser decides.
import type { IncomingHttpHeaders } from "node:http";

export interface PlainHead {
  readonly method: string;
  /** As it was sent: path and query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: string[];
  /** Of the body, which follows the head; 0 where there is none. */
  readonly bodyBytes: number;
}

/** What RFC 3986 lets a path and a query have. */
const REQUEST_LINE = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\w\-.~!$&'()*+,;=:@%/?]*) HTTP\/1\.1$/;
const NAME = /^[A-Za-z0-9-]+$/;
const VALUE = /^[\x20-\x7e]*$/;
const LENGTH = /^\d{1,9}$/;
const SEVERAL: ReadonlySet<string> = new Set(["set-cookie"]); // Node makes lists of these
/** They say how to read what follows, or how to go on with the connection. */
const UNUSUAL: ReadonlySet<string> = new Set(["expect", "proxy-connection", "trailer", "transfer-encoding", "upgrade"]);

/** @param text up to the empty line that ends the head, as Latin-1; undefined where it is for Node's parser to read */
export function plainHead(text: string): PlainHead | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const [, method, url] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined || url === undefined) return undefined;
  const headers: Record<string, string> = {};
  const rawHeaders: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const sent = line.slice(colon + 1);
    const key = name.toLowerCase();
    if (!NAME.test(name) || !VALUE.test(sent) || Object.hasOwn(headers, key)) return undefined;
    if (UNUSUAL.has(key) || SEVERAL.has(key)) return undefined;
    const value = sent.trim();
    headers[key] = value;
    rawHeaders.push(name, value);
  }
  const { host, connection = "keep-alive", "content-length": length = "0" } = headers;
  if (host === undefined || connection.toLowerCase() !== "keep-alive" || !LENGTH.test(length)) return undefined;
  return { method, url, headers, rawHeaders, bodyBytes: Number(length) };
}
