// The command line of one box. Source: bwrap(1) 0.8 and https://github.com/containers/bubblewrap.
// Every argument is here, each with the attack it stops; test/security/ tries to get past them.
import type { Mount } from "../core/base-image.ts";
import type { SandboxLimits } from "./sandbox.ts";

/** Where the launcher's descriptors lie in the child, before the box's command takes over. */
export const LAUNCH_FD = { control: 3, gate: 4, args: 5, info: 6, seccomp: 7, hold: 8 } as const;

/** What one box shows. */
export interface BoxLayout {
  /** The prepared root folder on the host; shown read-only as `/`. */
  readonly rootDir: string;
  readonly binds: readonly Mount[];
  /** Device nodes beyond the harmless ones, e.g. those of a GPU. */
  readonly devices: readonly string[];
  /** What is covered in `/proc`; undefined where the box can have no `/proc` at all (a container with a masked one). */
  readonly procMasks: ProcMasks | undefined;
  readonly env: { readonly [name: string]: string };
  readonly limits: SandboxLimits;
}

/** Paths below `/proc` that tell about the host, or let it be changed. */
export interface ProcMasks {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

const SAFE_DEVICES = ["null", "zero", "full", "random", "urandom"];
const DEVICE_LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
};
const DEV_TMPFS_BYTES = 4096;
const SHM_BYTES = 1 << 20;

/** The options of `bwrap`, without the command. They travel through a descriptor, so that no value shows in `ps`. */
export function bubblewrapOptions(box: BoxLayout): string[] {
  return [
    "--unshare-all", // no network, no sight of host processes, IPC, host name or cgroups
    "--unshare-user", // not "try": without a user namespace the rest is not worth starting
    ...["--uid", "65534", "--gid", "65534"], // nobody inside, whoever it is outside
    ...["--hostname", "cloche"], // the host's name is nobody's business
    ...["--cap-drop", "ALL"], // no mount, no raw sockets, no ptrace of others, even inside its own namespaces
    "--die-with-parent", // if we crash, user code must not run on as an orphan
    "--new-session", // blocks TIOCSTI keystroke injection into our terminal (CVE-2017-5226)
    "--as-pid-1", // the command itself is the namespace's init: killing it kills all, and no zombie is left to the host
    "--clearenv", // our environment holds secrets
    ...["--ro-bind", box.rootDir, "/"], // read-only, and prepared: bwrap's own root would be a writable tmpfs without a limit
    ...box.binds.flatMap(({ from, to }) => ["--ro-bind", from, to]),
    ...devices(box.devices),
    ...(box.procMasks === undefined ? [] : ["--proc", "/proc", ...masks(box.procMasks)]),
    // Every writable file system has a size: an unlimited tmpfs is the host's memory.
    ...["--perms", "1777", "--size", String(box.limits.tmpBytes), "--tmpfs", "/tmp"],
    ...["--chdir", "/tmp"],
    ...Object.entries(box.env).flatMap(([name, value]) => ["--setenv", name, value]),
  ];
}

/** Five harmless devices instead of bwrap's `--dev`: no tty, no ptmx, no console to type into. */
function devices(more: readonly string[]): string[] {
  return [
    ...["--size", String(DEV_TMPFS_BYTES), "--tmpfs", "/dev"],
    ...[...SAFE_DEVICES.map((name) => `/dev/${name}`), ...more].flatMap((path) => ["--dev-bind", path, path]),
    ...Object.entries(DEVICE_LINKS).flatMap(([name, target]) => ["--symlink", target, `/dev/${name}`]),
    ...["--perms", "1777", "--size", String(SHM_BYTES), "--tmpfs", "/dev/shm"],
    ...["--remount-ro", "/dev"],
  ];
}

/** An empty folder or file in the way: the kernel checks only the uid before it lets a sysctl be written, not the namespace. */
function masks({ folders, files }: ProcMasks): string[] {
  return [
    ...folders.flatMap((path) => ["--perms", "0555", "--size", "4096", "--tmpfs", path, "--remount-ro", path]),
    ...files.flatMap((path) => ["--ro-bind", "/dev/null", path]),
  ];
}

/** Options that differ from box to box: the box's own door to the network gate. They follow those of the descriptor. */
export function gateOptions(socketPath: string): string[] {
  return ["--ro-bind", socketPath, GATE_SOCKET];
}

/** Where a box finds the gate, when it has one. */
export const GATE_SOCKET = "/run/egress.sock";

/**
 * The script that becomes bwrap. It waits at the gate until its pid is in its cgroup, so that nothing runs outside the
 * limits; a gate that closes without a word means "do not start". dash takes one limit per `ulimit` and goes on after an
 * error, hence the `|| exit`.
 *
 * Its arguments are `gateOptions`, `--`, and the command of the box.
 *
 * @param maxProcesses of the user that the box runs as; undefined where the box has no user of its own: counting a shared
 *   user's processes would let one box starve another
 * @param held true when the box waits, its namespaces made, until the `hold` descriptor closes
 */
export function launchScript(bwrapPath: string, maxProcesses: number | undefined, held: boolean): string {
  const { gate, args, info, seccomp, hold } = LAUNCH_FD;
  const limitProcesses = `ulimit -u ${maxProcesses} 2>/dev/null || ulimit -p ${maxProcesses} || exit ${LAUNCH_REFUSED}`;
  return [
    `read -r _ <&${gate} || exit ${LAUNCH_REFUSED}`,
    `exec ${gate}<&-`,
    ...RLIMITS.map((limit) => `ulimit ${limit} || exit ${LAUNCH_REFUSED}`),
    ...(maxProcesses === undefined ? [] : [limitProcesses]),
    `echo ${OOM_SCORE} >/proc/self/oom_score_adj || exit ${LAUNCH_REFUSED}`,
    `exec ${bwrapPath} --args ${args} --info-fd ${info} --seccomp ${seccomp}${held ? ` --block-fd ${hold}` : ""} "$@"`,
  ].join("\n");
}

/** Exit code of the launch script when a limit could not be set. */
const LAUNCH_REFUSED = 125;

const OOM_SCORE = 800; // when the host itself runs out of memory, boxes die before the server does
const RLIMITS = [
  "-c 0", // a core dump would leave the user's memory on the host
  "-n 256", // descriptors
  "-l 64", // KiB of locked memory
  "-f 131072", // blocks of 512 bytes: no file over 64 MiB
  "-s 8192", // KiB of stack
];
