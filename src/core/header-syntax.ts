// What the names and values of HTTP headers can be: RFC 9110, 5.5 and 5.6.2.

/** Of one request or response. */
export const MAX_HEADERS = 200;

export const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A header could end, and another one begin, with these; what is not Latin-1 cannot be sent at all. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
export const UNSENDABLE = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;

/** Said by one connection to the next, in lower case. */
export const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
