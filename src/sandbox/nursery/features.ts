import type { CgroupFactory } from "../cgroup/cgroup.ts";
import type { Bubblewrap } from "../find-bubblewrap.ts";
import type { Ability } from "../try-bubblewrap.ts";
import type { SandboxFeature, SandboxLimits } from "../sandbox.ts";

const MIB = 1024 * 1024;

/** What protects the host on this machine, each with the words for it; the start message and `/api/system` show them. */
export function featuresInForce(found: {
  readonly bubblewrap: Bubblewrap;
  readonly ability: Ability;
  readonly cgroups: CgroupFactory;
  readonly asRoot: boolean;
  readonly limits: SandboxLimits;
  readonly gate: string | undefined;
}): SandboxFeature[] {
  const { cgroups, limits } = found;
  return [
    {
      name: "namespaces",
      inForce: true,
      detail: `bubblewrap ${found.bubblewrap.version}: user, pid, mount, network, ipc, uts, cgroup`,
    },
    { name: "network", inForce: true, detail: found.gate ?? "none" },
    {
      name: "files",
      inForce: true,
      detail: `read-only root, ${limits.tmpBytes / MIB} MiB in /tmp, ${found.ability.proc ? "masked /proc" : "no /proc"}`,
    },
    { name: "capabilities", inForce: true, detail: "none, no new privileges" },
    {
      name: "user",
      inForce: true,
      detail: found.asRoot
        ? "an own unprivileged user per sandbox"
        : "the user that runs the server, in its own user namespace",
    },
    {
      name: "memory",
      inForce: cgroups.enforces.memory,
      detail: cgroups.enforces.memory ? `${limits.memoryBytes / MIB} MiB by ${cgroups.title}` : cgroups.title,
    },
    {
      name: "cpu",
      inForce: cgroups.enforces.cpu,
      detail: cgroups.enforces.cpu ? `${limits.cpus} cores by ${cgroups.title}` : cgroups.title,
    },
    {
      name: "processes",
      inForce: cgroups.enforces.pids,
      detail: cgroups.enforces.pids ? `${limits.pids} by ${cgroups.title}` : cgroups.title,
    },
    { name: "seccomp", inForce: true, detail: "an allow-list of system calls" },
  ];
}
