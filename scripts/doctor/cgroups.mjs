// @ts-check
// Which limits the server would hold its sandboxes to, when it was started from here. Decides as src/sandbox/cgroup/ does,
// by looking only: it makes no group and moves no process.
import { dirname, join } from "node:path";
import { containerName } from "./container.mjs";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */
/** @typedef {import("./settings.mjs").Settings} Settings */

const MOUNT = "/sys/fs/cgroup";
const CONTROLLERS = ["memory", "pids", "cpu"];
const PRLIMIT = ["/usr/bin/prlimit", "/bin/prlimit"]; // where src/sandbox/cgroup/soft.ts looks
const USER_SCOPE = "systemd-run --user --scope -p Delegate=yes npm start";
const DELEGATE_FILE = "/etc/systemd/system/user@.service.d/60-cloche-delegate.conf";

/**
 * @param {Machine} machine
 * @param {Settings} settings
 * @returns {Finding[]}
 */
export function checkCgroups(machine, settings) {
  const id = "limits";
  const v2 = lookAtV2(machine);
  if (v2.usable) {
    const whose = machine.uid === 0 ? "as root" : "delegated to this user";
    const what = `hard limits on memory, CPU and processes by cgroup v2, ${whose} (${v2.folder})`;
    return [{ id, level: "ok", what, canFix: false }];
  }
  const v1 = lookAtV1(machine);
  if (v1.usable) {
    return [
      {
        id,
        level: "info",
        what: "hard limits on memory, CPU and processes by cgroup v1",
        cost: "none to the limits; v1 is no longer developed, and distributions drop it",
        fix: ["for v2 boot with: systemd.unified_cgroup_hierarchy=1"],
        canFix: false,
      },
    ];
  }
  return [softLimits(machine, settings, { v2, v1 })];
}

/** @typedef {{ usable: true, folder: string } | { usable: false, reason: string, missing?: string[] }} Look */

/** @type {(machine: Machine) => Look} */
function lookAtV2(machine) {
  if (!machine.exists(join(MOUNT, "cgroup.controllers"))) return { usable: false, reason: `not mounted at ${MOUNT}` };
  const own = ownV2Folder(machine);
  const looks = (own === MOUNT ? [MOUNT] : [own, MOUNT]).map((folder) => lookAtV2Folder(machine, folder));
  const usable = looks.find((look) => look.usable);
  if (usable !== undefined) return usable;
  // What is wrong with our own group is what can be cured; the top of the tree is root's anyway.
  return looks[0] ?? { usable: false, reason: "no group" };
}

/** @type {(machine: Machine, folder: string) => Look} */
function lookAtV2Folder(machine, folder) {
  const offered = machine.read(join(folder, "cgroup.controllers"))?.trim().split(" ") ?? [];
  const files = ["", "cgroup.procs", "cgroup.subtree_control"];
  if (!files.every((file) => machine.writable(join(folder, file)))) {
    return { usable: false, reason: `${folder} is not ours to write` };
  }
  const missing = CONTROLLERS.filter((controller) => !offered.includes(controller));
  if (missing.length === 0) return { usable: true, folder };
  return { usable: false, reason: `${folder} has no ${missing.join(", ")} controller`, missing };
}

/** @type {(machine: Machine) => Look} */
function lookAtV1(machine) {
  const folders = ["memory", "pids", "cpu"].map((controller) => ownV1Folder(machine, controller));
  if (!folders.every((folder) => folder !== undefined && machine.exists(join(folder, "cgroup.procs")))) {
    return { usable: false, reason: "no memory, pids and cpu hierarchies are mounted" };
  }
  const shut = folders.find((folder) => folder !== undefined && !machine.writable(folder));
  return shut === undefined
    ? { usable: true, folder: MOUNT }
    : { usable: false, reason: `${shut} is not ours to write` };
}

/** @type {(machine: Machine, settings: Settings, looks: { v2: Look, v1: Look }) => Finding} */
function softLimits(machine, settings, { v2, v1 }) {
  const processes =
    machine.uid === 0 || PRLIMIT.some((path) => machine.exists(path))
      ? "processes are counted per sandbox"
      : "processes are not counted (no prlimit; it is in the package util-linux)";
  const reasons = [v2, v1].map((look, index) => `v${2 - index}: ${look.usable ? "usable" : look.reason}`).join("; ");
  return {
    id: "limits",
    level: settings.allowSoftLimits ? "warning" : "problem",
    what: `no cgroup can limit sandboxes that are started from here (${reasons})`,
    cost:
      (settings.allowSoftLimits
        ? "ALLOW_SOFT_LIMITS=true: "
        : "the server does not start; with ALLOW_SOFT_LIMITS=true ") +
      `memory is watched every 50 ms instead of limited, ${processes}, CPU has no limit`,
    ...betterLimits(machine, v2),
  };
}

/** @type {(machine: Machine, v2: Look) => Pick<Finding, "fix" | "canFix">} */
function betterLimits(machine, v2) {
  const container = containerName(machine);
  if (container !== undefined) {
    return {
      fix: [
        "limit the container itself (--memory, --cpus, --pids-limit) and set ALLOW_SOFT_LIMITS=true, as deploy/container/compose.yaml does",
      ],
      canFix: false,
    };
  }
  if (!machine.exists("/run/systemd/system")) return { fix: ["start the server as root"], canFix: false };
  if (!v2.usable && v2.missing !== undefined && machine.uid !== 0) {
    return {
      fix: [
        `sudo mkdir -p ${dirname(DELEGATE_FILE)}`,
        `printf '[Service]\\nDelegate=cpu memory pids\\n' | sudo tee ${DELEGATE_FILE}`,
        "sudo systemctl daemon-reload",
        `log out and in again, then: ${USER_SCOPE}`,
      ],
      canFix: false, // what this user lacks cannot be seen by the root that would repair it
    };
  }
  return { fix: [USER_SCOPE, "or for good: deploy/systemd/cloche.service (docs/running.md)"], canFix: false };
}

/** @type {(machine: Machine) => string} */
export function ownV2Folder(machine) {
  const path = /^0::(.*)$/m.exec(machine.read("/proc/self/cgroup") ?? "")?.[1] ?? "/";
  return path === "/" ? MOUNT : join(MOUNT, path);
}

/** @type {(machine: Machine, controller: string) => string | undefined} */
export function ownV1Folder(machine, controller) {
  for (const line of (machine.read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, names = "", path = ""] = line.split(":");
    if (names.split(",").includes(controller)) return join(MOUNT, controller, path);
  }
  return undefined;
}
