// @ts-check
// The machine itself: operating system, processor, kernel.

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */

const ARCHITECTURES = ["x64", "arm64"]; // those that Node 24 comes for in package.json
const MUSL = { x64: "/lib/ld-musl-x86_64.so.1", arm64: "/lib/ld-musl-aarch64.so.1" };
const GLIBC = { x64: "/lib64/ld-linux-x86-64.so.2", arm64: "/lib/ld-linux-aarch64.so.1" };
/** What Node 24 is built for: https://github.com/nodejs/node/blob/v24.x/BUILDING.md */
const LEAST_KERNEL = { major: 4, minor: 18 };

/** Kernel -> what is missing before it. */
const KERNEL_STEPS = [
  { major: 5, minor: 14, cost: "no cgroup.kill: a sandbox is ended process by process" },
  { major: 5, minor: 19, cost: "no memory.peak in cgroup v2: how much memory a run took at most is not known" },
];

/**
 * @param {Machine} machine
 * @returns {Finding[]}
 */
export function checkPlatform(machine) {
  if (machine.platform !== "linux") {
    const what = `this is ${machine.platform}, and sandboxes are made by the Linux kernel`;
    return [{ id: "system", level: "problem", what, fix: ["use a Linux machine, or a virtual one"], canFix: false }];
  }
  return [...checkArchitecture(machine), ...checkKernel(machine), ...checkSeccomp(machine)];
}

/** @type {(machine: Machine) => Finding[]} */
function checkArchitecture(machine) {
  const { arch } = machine;
  if (arch !== "x64" && arch !== "arm64") {
    const what = `the processor is ${arch}; Cloche is made for ${ARCHITECTURES.join(" and ")}`;
    return [{ id: "processor", level: "problem", what, cost: "its Node.js does not install", canFix: false }];
  }
  /** @type {Finding} */
  const processor = { id: "processor", level: "ok", what: `processor ${arch}`, canFix: false };
  if (!machine.exists(MUSL[arch]) || machine.exists(GLIBC[arch])) return [processor];
  return [
    processor,
    {
      id: "libc",
      level: "problem",
      what: "the C library is musl; the Node.js that Cloche brings along is built for glibc",
      cost: "the server does not start",
      fix: ["run it in the container of deploy/container/, or on a distribution with glibc"],
      canFix: false,
    },
  ];
}

/** @type {(machine: Machine) => Finding[]} */
function checkKernel(machine) {
  const release = machine.read("/proc/sys/kernel/osrelease")?.trim() ?? "";
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  if (Number.isNaN(major) || major === 0) {
    return [{ id: "kernel", level: "warning", what: "the kernel does not tell its version in /proc", canFix: false }];
  }
  /** @type {(than: { major: number, minor: number }) => boolean} */
  const isOlder = (than) => major < than.major || (major === than.major && minor < than.minor);
  const what = `Linux ${release}`;
  if (isOlder(LEAST_KERNEL)) {
    return [
      {
        id: "kernel",
        level: "problem",
        what: `${what} is older than ${LEAST_KERNEL.major}.${LEAST_KERNEL.minor}`,
        cost: "Node.js 24 is not made for it",
        fix: ["update the distribution"],
        canFix: false,
      },
    ];
  }
  const costs = KERNEL_STEPS.filter(isOlder).map(({ cost }) => cost);
  if (costs.length === 0) return [{ id: "kernel", level: "ok", what, canFix: false }];
  return [{ id: "kernel", level: "info", what, cost: costs.join("; "), canFix: false }];
}

/** @type {(machine: Machine) => Finding[]} */
function checkSeccomp(machine) {
  const actions = machine.read("/proc/sys/kernel/seccomp/actions_avail")?.trim().split(" ") ?? [];
  const missing = ["errno", "allow"].filter((action) => !actions.includes(action));
  if (missing.length === 0)
    return [{ id: "seccomp", level: "ok", what: "the kernel has seccomp filters", canFix: false }];
  return [
    {
      id: "seccomp",
      level: "problem",
      what: "the kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)",
      cost: "code in a sandbox could reach every system call of the kernel, and with it every hole in one",
      fix: ["use a kernel of the distribution"],
      canFix: false,
    },
  ];
}
