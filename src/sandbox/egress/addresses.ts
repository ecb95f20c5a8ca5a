// Which addresses a function must not reach, and the word for each. Source: IANA's special-purpose address registries.
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { systemClock } from "../../core/clock.ts";

/** Addresses of one kind. IPv4 and IPv6 never share a list: an IPv6 subnet in one matches IPv4 addresses as well. */
interface Kind {
  readonly word: string;
  readonly list: BlockList;
}

const METADATA = "cloud metadata";

/** Out of reach under every policy. */
const NEVER_V4 = kinds("ipv4", {
  // Names and keys of the machine for whoever asks: Azure's is a public address, Alibaba's and Oracle's lie in shared ranges.
  [METADATA]: ["168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"],
  unspecified: ["0.0.0.0/8"], // Linux connects it to itself
  loopback: ["127.0.0.0/8"],
  "link-local (cloud metadata)": ["169.254.0.0/16"],
  "6to4": ["192.88.99.0/24"],
  multicast: ["224.0.0.0/4"],
  reserved: ["192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"],
});

const NEVER_V6 = kinds("ipv6", {
  [METADATA]: ["fd00:ec2::/32", "fd20:ce::/32"], // AWS, Google
  unspecified: ["::/128"],
  loopback: ["::1/128"],
  // Another address is inside these, and a router on the way may unwrap it: nobody needs them to reach a public host.
  "IPv4-mapped": ["::ffff:0:0/96"],
  "IPv4-compatible": ["::/96"],
  NAT64: ["64:ff9b::/96", "64:ff9b:1::/48"],
  "6to4": ["2002::/16"],
  Teredo: ["2001::/32"],
  "link-local": ["fe80::/10"],
  multicast: ["ff00::/8"],
  reserved: ["2001::/23", "2001:db8::/32", "3fff::/20"],
});

/** In reach only where private addresses are allowed. */
const PRIVATE_V4 = kinds("ipv4", {
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  "carrier-grade NAT": ["100.64.0.0/10"],
});

const PRIVATE_V6 = kinds("ipv6", { "unique-local": ["fc00::/7"] });

/** All of IPv6 that has been given to the public so far. */
const GLOBAL_V6 = blockList("ipv6", ["2000::/3"]);

const OWN_LASTS_MS = 5_000;
let own: { readonly list: BlockList; readonly since: number } | undefined;

/**
 * What keeps a function from `address`, in words that complete "address is …"; undefined where nothing does.
 *
 * @param address in its canonical spelling
 * @param allowsPrivate true where the policy opens the private networks around the host
 */
export function whyAddressDenied(address: string, allowsPrivate: boolean): string | undefined {
  const family = familyOf(address);
  if (family === undefined) return "no address";
  // Services that listen on all of the host's addresses trust who comes from the host itself.
  if (ownAddresses().check(address, family)) return "one of this host's own addresses";
  const isV4 = family === "ipv4";
  const never = wordFor(address, family, isV4 ? NEVER_V4 : NEVER_V6);
  if (never !== undefined) return never;
  const isPrivate = wordFor(address, family, isV4 ? PRIVATE_V4 : PRIVATE_V6);
  if (isPrivate !== undefined) return allowsPrivate ? undefined : isPrivate;
  return isV4 || GLOBAL_V6.check(address, family) ? undefined : "reserved";
}

type Family = "ipv4" | "ipv6";

function familyOf(address: string): Family | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? "ipv4" : "ipv6";
}

function wordFor(address: string, family: Family, among: readonly Kind[]): string | undefined {
  return among.find(({ list }) => list.check(address, family))?.word;
}

/** They change while the server runs (DHCP, a VPN), but asking the kernel for each connection would cost more than checking. */
function ownAddresses(): BlockList {
  const now = systemClock.monotonicMs();
  if (own === undefined || now - own.since > OWN_LASTS_MS) {
    const list = new BlockList();
    for (const { address, family } of Object.values(networkInterfaces()).flatMap((one) => one ?? []))
      if (!isLoopback(address)) list.addAddress(address, family === "IPv4" ? "ipv4" : "ipv6");
    own = { list, since: now };
  }
  return own.list;
}

/** It has a word of its own. */
function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

function kinds(family: Family, subnets: { readonly [word: string]: readonly string[] }): readonly Kind[] {
  return Object.entries(subnets).map(([word, ranges]) => ({ word, list: blockList(family, ranges) }));
}

function blockList(family: Family, ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}
