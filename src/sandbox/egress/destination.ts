// From the target that a box names to the addresses that it may reach.
import { lookup } from "node:dns/promises";
import { isAddress, whyHostDenied, type EgressPolicy } from "../../core/egress-policy.ts";
import { whyAddressDenied } from "./addresses.ts";
import type { Target } from "./connect-request.ts";
import { denied, failed, type Refusal } from "./refusal.ts";

/**
 * Resolves the target once and checks every address. The connection goes to one of these, never to a name: a name that is
 * resolved again may lead elsewhere by then (DNS rebinding). One forbidden address condemns the name, since no honest name has one.
 */
export async function resolveTarget(
  { host, port }: Target,
  policy: EgressPolicy,
): Promise<readonly string[] | Refusal> {
  const hostDenied = whyHostDenied(policy, host, port);
  if (hostDenied !== undefined) return denied(hostDenied);
  // An address in a list is the operator's own word for it; a name's addresses are whatever its owner says.
  const allowsPrivate = policy === "all" || (Array.isArray(policy) && isAddress(host));
  let addresses: readonly string[];
  try {
    addresses = isAddress(host) ? [host] : await addressesOf(host);
  } catch (error) {
    return failed(`${host} could not be resolved (${codeOf(error)})`);
  }
  for (const address of addresses) {
    const why = whyAddressDenied(address, allowsPrivate);
    if (why !== undefined)
      return denied(address === host ? `${host} is ${why}` : `${host} leads to ${address}, which is ${why}`);
  }
  return addresses;
}

async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
}

/** `ENOTFOUND`, `ECONNREFUSED`: the words of the system, never those of the remote side. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown error";
}
