import type { z } from "zod";
import { type EgressPolicy, parseEgressPolicy } from "../../core/egress-policy.ts";
import { PlatformError } from "../../core/errors.ts";
import type { FunctionSettings } from "../../core/function.ts";
import type { egressIn, settingsIn } from "./schemas.ts";

export type GivenSettings = {
  readonly [Name in keyof typeof settingsIn]?: z.infer<(typeof settingsIn)[Name]> | undefined;
};

/**
 * The settings that a request changes. What it does not name stays; null goes back to what holds for all.
 *
 * @param mostTimeoutMs the server's own limit
 * @throws PlatformError INVALID_REQUEST
 */
export function settingsOf(given: GivenSettings, mostTimeoutMs: number): Partial<FunctionSettings> {
  const { egress, timeoutMs } = given;
  if (typeof timeoutMs === "number" && timeoutMs > mostTimeoutMs) {
    throw new PlatformError("INVALID_REQUEST", `timeoutMs: ${mostTimeoutMs} at most (setting TIMEOUT_SCRIPT)`);
  }
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const changes = Object.fromEntries(named.map(([name, value]) => [name, value ?? undefined]));
  const policy = egress === undefined || egress === null ? {} : { egress: egressOf(egress) };
  return { ...changes, ...policy }; // the schema has looked at each
}

/** @throws PlatformError INVALID_REQUEST */
export function egressOf(given: z.infer<typeof egressIn>): EgressPolicy {
  const policy = parseEgressPolicy(typeof given === "string" ? given : given.join(","));
  if (policy !== undefined && (typeof policy === "string") === (typeof given === "string")) return policy;
  throw new PlatformError("INVALID_REQUEST", 'egress: each entry is a host ("api.example.com", "*.example.org:8443")');
}
