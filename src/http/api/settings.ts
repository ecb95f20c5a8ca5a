import type { z } from "zod";
import { type EgressPolicy, parseEgressPolicy } from "../../core/egress-policy.ts";
import { PlatformError } from "../../core/errors.ts";
import type { FunctionSettings, Schedule } from "../../core/function.ts";
import type { egressIn, scheduleIn, settingsIn } from "./schemas.ts";

const MAX_SCHEDULE_INPUT_BYTES = 64 * 1024;

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
  const { egress, timeoutMs, schedule } = given;
  if (typeof timeoutMs === "number" && timeoutMs > mostTimeoutMs) {
    throw new PlatformError("INVALID_REQUEST", `timeoutMs: ${mostTimeoutMs} at most (setting TIMEOUT_SCRIPT)`);
  }
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const changes = Object.fromEntries(named.map(([name, value]) => [name, value ?? undefined]));
  const policy = egress === undefined || egress === null ? {} : { egress: egressOf(egress) };
  const fires = schedule === undefined || schedule === null ? {} : { schedule: scheduleOf(schedule) };
  return { ...changes, ...policy, ...fires }; // the schema has looked at each
}

/** @throws PlatformError INVALID_REQUEST */
export function scheduleOf({ input, ...schedule }: z.infer<typeof scheduleIn>): Schedule {
  const json = input === undefined ? undefined : JSON.stringify(input);
  if (json !== undefined && Buffer.byteLength(json) > MAX_SCHEDULE_INPUT_BYTES) {
    throw new PlatformError("INVALID_REQUEST", `schedule.input: ${MAX_SCHEDULE_INPUT_BYTES} bytes at most`);
  }
  return { ...schedule, input: json };
}

/** @throws PlatformError INVALID_REQUEST */
export function egressOf(given: z.infer<typeof egressIn>): EgressPolicy {
  const policy = parseEgressPolicy(typeof given === "string" ? given : given.join(","));
  if (policy !== undefined && (typeof policy === "string") === (typeof given === "string")) return policy;
  throw new PlatformError("INVALID_REQUEST", 'egress: each entry is a host ("api.example.com", "*.example.org:8443")');
}
