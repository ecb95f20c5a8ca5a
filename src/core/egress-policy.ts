/**
 * Where a function may connect to. `public`: any public address. `all`: private addresses, too. A list: these hosts and no
 * others, each a name (`api.example.com`), all names below one (`*.example.com`) or an address, with `:port` behind it or
 * without; names of a list may only lead to public addresses. The host itself and its neighbours on the link (loopback,
 * link-local, cloud metadata, the host's own addresses) are out of reach under every policy.
 */
export type EgressPolicy = "none" | "public" | "all" | readonly string[];

interface Entry {
  /** Canonical; for `*.example.com` it is `example.com`. */
  readonly host: string;
  readonly isWildcard: boolean;
  /** Undefined: every ordinary port. */
  readonly port: number | undefined;
}

const LONGEST_NAME = 253; // characters, RFC 1035
const HIGHEST_PORT = 65_535;

/** @returns undefined where a word is no policy and no host */
export function parseEgressPolicy(text: string): EgressPolicy | undefined {
  const words = text.split(",").map((word) => word.trim());
  const only = words.length === 1 ? words[0]?.toLowerCase() : undefined;
  if (only === "none" || only === "public" || only === "all") return only;
  const hosts: string[] = [];
  for (const word of words) {
    const entry = parseEntry(word);
    if (entry === undefined) return undefined;
    hosts.push(showEntry(entry));
  }
  return hosts;
}

/** True when `asked` opens nothing that `allowed` keeps closed. */
export function isWithin(asked: EgressPolicy, allowed: EgressPolicy): boolean {
  if (asked === "none") return true;
  if (typeof asked === "string") return asked === allowed || (asked === "public" && allowed === "all");
  return asked.every((word) => {
    const entry = parseEntry(word);
    return entry !== undefined && isEntryWithin(entry, allowed);
  });
}

function isEntryWithin(asked: Entry, allowed: EgressPolicy): boolean {
  switch (allowed) {
    case "none":
      return false;
    case "public": // an address in a list may be a private one, and a port any port; `public` has neither
      return !isAddress(asked.host) && isOrdinaryOrOpen(asked.port);
    case "all":
      return isOrdinaryOrOpen(asked.port);
    default:
      return allowed.some((word) => {
        const entry = parseEntry(word);
        return entry !== undefined && covers(entry, asked);
      });
  }
}

function covers(wide: Entry, narrow: Entry): boolean {
  if (wide.port === undefined ? !isOrdinaryOrOpen(narrow.port) : wide.port !== narrow.port) return false;
  if (narrow.isWildcard) return wide.isWildcard && (wide.host === narrow.host || isBelow(narrow.host, wide.host));
  return namesHost(wide, narrow.host);
}

/**
 * Why `policy` does not let a function connect to `host`, or undefined where it does; what the name leads to is not looked at.
 *
 * @param host canonical (`canonicalHost`)
 */
export function whyHostDenied(policy: EgressPolicy, host: string, port: number): string | undefined {
  if (policy === "none") return "no network for this function (EGRESS=none)";
  if (typeof policy === "string") return isOrdinary(port) ? undefined : portDenied(port);
  const named = policy.map(parseEntry).filter((entry) => entry !== undefined && namesHost(entry, host));
  if (named.length === 0) return `${host} is not in the list of allowed hosts`;
  const fits = named.some((entry) => (entry?.port === undefined ? isOrdinary(port) : entry.port === port));
  return fits ? undefined : portDenied(port);
}

function portDenied(port: number): string {
  return `port ${port} is not allowed`;
}

/**
 * Ports below 1024 other than the web's are where abuse starts: mail (25), ssh (22), telnet (23), SMB (445). Above lie the
 * databases, queues and second web servers that functions talk to. A list opens any port by naming it.
 */
function isOrdinary(port: number): boolean {
  return port === 80 || port === 443 || (port >= 1024 && port <= HIGHEST_PORT);
}

function isOrdinaryOrOpen(port: number | undefined): boolean {
  return port === undefined || isOrdinary(port);
}

function namesHost(entry: Entry, host: string): boolean {
  return entry.isWildcard ? isBelow(host, entry.host) : host === entry.host;
}

function isBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`);
}

/**
 * The one spelling of a host: lower case, punycode, no dot at the end; addresses as four numbers or the shortest IPv6 form
 * without brackets. A rule that compares texts is otherwise passed with `0x7f.1`, `2130706433` or `LOCALHOST.`.
 *
 * @param text a name, an IPv4 address or an IPv6 address in brackets
 * @returns undefined where it is none of these
 */
export function canonicalHost(text: string): string | undefined {
  // What a URL gives another meaning (user, port, path, escapes) or drops without a word (tabs, line ends) is no host.
  if (!/^(?:[^\s/?#@\\:%[\]]+|\[[\da-f:.]+\])$/i.test(text)) return undefined;
  const url = URL.parse(`http://${text}`);
  if (url === null) return undefined;
  const host = url.hostname.replace(/^\[|\]$|\.$/g, "");
  return host === "" || host.length > LONGEST_NAME || /^\.|\.\.|\.$/.test(host) ? undefined : host;
}

/** True for an address, and for nothing that `canonicalHost` calls a name. */
export function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+(?:\.\d+){3}$/.test(host);
}

function parseEntry(word: string): Entry | undefined {
  const { wildcard, name, port } = /^(?<wildcard>\*\.)?(?<name>.+?)(?::(?<port>\d+))?$/.exec(word)?.groups ?? {};
  const host = canonicalHost(name ?? "");
  if (host === undefined || host.includes("*")) return undefined;
  if (wildcard !== undefined && (isAddress(host) || !host.includes("."))) return undefined; // `*.com` is allowed by no mistake
  if (port !== undefined && (Number(port) < 1 || Number(port) > HIGHEST_PORT)) return undefined;
  return { host, isWildcard: wildcard !== undefined, port: port === undefined ? undefined : Number(port) };
}

function showEntry({ host, isWildcard, port }: Entry): string {
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${isWildcard ? "*." : ""}${shown}${port === undefined ? "" : `:${port}`}`;
}
