// @ts-check
// Whether a sandbox really starts: user namespaces, and everything that distributions and containers put in their way.
import { bubblewrapPath } from "./bubblewrap.mjs";
import { containerName } from "./container.mjs";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */
/** @typedef {import("./settings.mjs").Settings} Settings */

/** Nobody: a server that is root starts every sandbox as an ordinary user. */
const SANDBOX_UID = 65_534;
/** Those options of src/sandbox/bubblewrap.ts that a kernel, an AppArmor or a container may refuse. */
const ISOLATION = [
  ...["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"],
  ...["--die-with-parent", "--new-session", "--ro-bind", "/", "/"],
];
const MAX_NAMESPACES = "/proc/sys/user/max_user_namespaces";
const DEBIAN_SWITCH = "/proc/sys/kernel/unprivileged_userns_clone";
const APPARMOR_SWITCH = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/**
 * @param {Machine} machine
 * @param {Settings} settings
 * @returns {Finding[]}
 */
export function checkSandbox(machine, settings) {
  const bwrap = bubblewrapPath(machine);
  if (bwrap === undefined) return [];
  const whole = tryBox(machine, bwrap, ["--proc", "/proc"]);
  if (whole.code === 0) return [started(machine), ...fewNamespaces(machine, settings)];
  const withoutProc = tryBox(machine, bwrap, []);
  const findings = withoutProc.code === 0 ? [maskedProc(machine, whole.stderr)] : [refused(machine, withoutProc)];
  return [...findings, ...fewNamespaces(machine, settings)];
}

/** @type {(machine: Machine, bwrap: string, options: string[]) => import("./examine.mjs").CommandResult} */
function tryBox(machine, bwrap, options) {
  return machine.run(bwrap, [...ISOLATION, ...options, "/bin/true"], machine.uid === 0 ? { uid: SANDBOX_UID } : {});
}

/** @type {(machine: Machine) => Finding} */
function started(machine) {
  const who = machine.uid === 0 ? "as an ordinary user" : "as this user";
  const apparmor = isOn(machine, APPARMOR_SWITCH) ? "; AppArmor restricts user namespaces, and lets bwrap through" : "";
  return { id: "sandbox", level: "ok", what: `a sandbox starts ${who}${apparmor}`, canFix: false };
}

/** @type {(machine: Machine, stderr: string) => Finding} */
function maskedProc(machine, stderr) {
  const container = containerName(machine);
  return {
    id: "masked-proc",
    level: "warning",
    what: `a sandbox cannot have a /proc of its own, since parts of ours are covered (${lastLine(stderr)})`,
    cost: "functions that look into /proc fail: process.memoryUsage(), os.cpus() and their like",
    fix:
      container === undefined
        ? [
            "in a systemd unit, leave out ProtectKernelTunables= and ProtectKernelLogs= (see deploy/systemd/cloche.service)",
          ]
        : ["start the container with --security-opt systempaths=unconfined, and not as root (see deploy/container/)"],
    canFix: false,
  };
}

/** @type {(machine: Machine, result: import("./examine.mjs").CommandResult) => Finding} */
function refused(machine, { stderr }) {
  const said = lastLine(stderr) || "bwrap could not be started";
  /** @type {Pick<Finding, "id" | "level" | "cost">} */
  const base = { id: "sandbox", level: "problem", cost: "nothing can run: a sandbox is made of user namespaces" };
  const where = containerName(machine);
  if (machine.read(MAX_NAMESPACES)?.trim() === "0") {
    return {
      ...base,
      what: `the kernel allows no user namespaces (${said})`,
      ...sysctl(where, "user.max_user_namespaces", 15_000),
    };
  }
  if (machine.read(DEBIAN_SWITCH)?.trim() === "0") {
    const what = `only root may make user namespaces (${said})`;
    return { ...base, what, ...sysctl(where, "kernel.unprivileged_userns_clone", 1) };
  }
  if (where !== undefined) {
    return {
      ...base,
      what: `${where} refuses user namespaces (${said})`,
      fix: [
        "start the container with: --security-opt seccomp=deploy/container/seccomp.json --security-opt apparmor=unconfined --init",
        ...(isOn(machine, APPARMOR_SWITCH)
          ? ["on the host, install deploy/apparmor/cloche-bwrap: it restricts user namespaces"]
          : []),
        "never with --privileged: it would hand the host to whoever leaves a sandbox",
      ],
      canFix: false,
    };
  }
  if (isOn(machine, APPARMOR_SWITCH)) {
    return {
      ...base,
      what: `AppArmor refuses user namespaces to programs without a profile, as in Ubuntu 24.04 (${said})`,
      fix: [
        `install -m 0644 ${machine.productDir}/deploy/apparmor/cloche-bwrap /etc/apparmor.d/cloche-bwrap`,
        "apparmor_parser -r /etc/apparmor.d/cloche-bwrap",
      ],
      canFix: true,
      needsRoot: true,
    };
  }
  return { ...base, what: `a sandbox does not start: ${said}`, canFix: false };
}

/** @type {(machine: Machine, settings: Settings) => Finding[]} */
function fewNamespaces(machine, { maxContainers }) {
  const most = Number(machine.read(MAX_NAMESPACES) ?? Infinity);
  if (most === 0 || most >= maxContainers) return [];
  return [
    {
      id: "namespace-count",
      level: "warning",
      what: `the kernel allows ${most} user namespaces to one user; MAX_CONTAINERS is ${maxContainers}`,
      cost: "sandboxes beyond that do not start",
      ...sysctl(containerName(machine), "user.max_user_namespaces", 15_000),
    },
  ];
}

/** @type {(container: string | undefined, name: string, value: number) => Pick<Finding, "fix" | "canFix" | "needsRoot">} */
function sysctl(container, name, value) {
  const set = `sysctl -w ${name}=${value}`;
  if (container !== undefined) return { fix: [`on the host of the container: ${set}`], canFix: false };
  return { fix: [set, `echo ${name}=${value} > /etc/sysctl.d/60-cloche-${name}.conf`], canFix: true, needsRoot: true };
}

/** @type {(machine: Machine, path: string) => boolean} */
function isOn(machine, path) {
  return machine.read(path)?.trim() === "1";
}

/** @type {(text: string) => string} */
function lastLine(text) {
  return text.trim().split("\n").pop() ?? "";
}
