// A function that calls: what the outbound calls know of it.
import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { Caller } from "../capabilities.ts";

let last = 0;

export function callerWith(
  egress: EgressPolicy,
  env: Readonly<Record<string, string>> = {},
  secrets: readonly string[] = [],
): Caller {
  const id = `f@${++last}`;
  const program = { language: "lua", base: "lua", code: "", options: {}, alwaysReturns: false };
  const version = {
    ...{ id, function: { id: "f", name: "f", number: last }, program, egress },
    ...{ concurrency: 1, singleUse: false, env, secrets },
  };
  return { version, executionId: `execution-${last}` };
}
