import type { CgroupFactory } from "./cgroup.ts";
import { NoCgroups } from "./none.ts";
import { openCgroupV1 } from "./v1.ts";
import { openCgroupV2 } from "./v2.ts";

/** The best that this machine offers: v2, then v1, then nothing. */
export function openCgroups(): CgroupFactory {
  const v2 = openCgroupV2();
  if (v2.opened) return v2.factory;
  const v1 = openCgroupV1();
  if (v1.opened) return v1.factory;
  return new NoCgroups(`no cgroups (v2: ${v2.reason}; v1: ${v1.reason})`);
}
