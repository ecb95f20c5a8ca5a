import { type EgressPolicy, isWithin } from "../core/egress-policy.ts";
import { PlatformError } from "../core/errors.ts";

/**
 * What code gets that asks for `asked`: undefined asks for all that the operator allows.
 *
 * @throws PlatformError INVALID_REQUEST where it asks for more
 */
export function grantEgress(asked: EgressPolicy | undefined, allowed: EgressPolicy): EgressPolicy {
  if (asked === undefined || isWithin(asked, allowed)) return asked ?? allowed;
  const message = `egress ${show(asked)} is more than this server allows (setting EGRESS=${show(allowed)})`;
  throw new PlatformError("INVALID_REQUEST", message);
}

/** The same for what was granted once, possibly by an operator who allowed more: it shrinks to what is allowed now. */
export function shrinkEgress(granted: EgressPolicy | undefined, allowed: EgressPolicy): EgressPolicy {
  return granted !== undefined && isWithin(granted, allowed) ? granted : allowed;
}

function show(policy: EgressPolicy): string {
  return typeof policy === "string" ? policy : policy.join(",");
}
