import type { CgroupFactory } from "./cgroup.ts";
import { SoftLimits } from "./soft.ts";
import { openCgroupV1 } from "./v1.ts";
import { openCgroupV2 } from "./v2.ts";

/**
 * The best that this machine offers: v2, then v1, then soft limits.
 *
 * @param ownUsers true when each box has a user of its own
 * @param server processes of the server, which is to be beside its boxes while the factory is open
 */
export function openCgroups(ownUsers: boolean, server: readonly number[] = []): CgroupFactory {
  const v2 = openCgroupV2(server);
  if (v2.opened) return v2.factory;
  const v1 = openCgroupV1(server);
  if (v1.opened) return v1.factory;
  return new SoftLimits(`no cgroups (v2: ${v2.reason}; v1: ${v1.reason})`, ownUsers);
}
