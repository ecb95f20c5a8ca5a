// A request as a program finds it in its environment. Source: RFC 3875, section 4.1.
import type { RequestHead } from "./exchange.ts";

/** Told in variables of their own, or none of the program's business: `Proxy` would become HTTP_PROXY (httpoxy, CVE-2016-5385). */
const NOT_AS_HTTP = new Set(["content-type", "content-length", "proxy"]);
/** With an underscore, `X_Real_Ip` would pass for `X-Real-Ip`. */
const NAME = /^[a-z0-9-]+$/;

/** Name -> value. There is no REMOTE_ADDR where `remoteAddress` is undefined. */
export function cgiVariables(head: RequestHead, executionId: string): Record<string, string> {
  const { method, path, relativePath, query, headers, requestId } = head;
  const whole = decoded(path);
  const isBare = relativePath === "/" && !whole.endsWith("/");
  const pathInfo = isBare ? "" : relativePath;
  const host = headers.find(([name]) => name === "host")?.[1] ?? "localhost";
  const [, serverName = host, serverPort = ""] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  return {
    ...httpVariables(headers),
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: "Cloche",
    SERVER_NAME: serverName,
    SERVER_PORT: serverPort === "" ? "80" : serverPort,
    REQUEST_METHOD: method,
    REQUEST_URI: query === "" ? path : `${path}?${query}`,
    SCRIPT_NAME: whole.endsWith(pathInfo) ? whole.slice(0, whole.length - pathInfo.length) : whole,
    PATH_INFO: pathInfo,
    QUERY_STRING: query,
    CLOCHE_EXECUTION_ID: executionId,
    ...(requestId === "" ? {} : { CLOCHE_REQUEST_ID: requestId }),
    ...(head.remoteAddress === undefined ? {} : { REMOTE_ADDR: head.remoteAddress }),
  };
}

function httpVariables(headers: RequestHead["headers"]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (!NAME.test(name)) continue;
    const upper = name.toUpperCase().replaceAll("-", "_");
    if (name === "content-type" || name === "content-length") variables[upper] = value;
    if (NOT_AS_HTTP.has(name)) continue;
    const known = variables[`HTTP_${upper}`];
    variables[`HTTP_${upper}`] = known === undefined ? value : `${known}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return variables;
}

/** A path that is no valid percent-encoding stays as it came. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
