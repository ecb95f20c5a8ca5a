// The command line of one box. Source: bwrap(1) 0.8 and https://github.com/containers/bubblewrap.
// Every argument is here, each with the attack it stops; test/security/ tries to get past them.
import type { Mount } from "../core/base-image.ts";
import type { SandboxLimits } from "./sandbox.ts";

/** Where the launcher's descriptors lie in the child, before the box's command takes over. */
export const LAUNCH_FD = { control: 3, gate: 4, args: 5, info: 6 } as const;

/** What one box shows. */
export interface BoxLayout {
  /** The prepared root folder on the host; shown read-only as `/`. */
  readonly rootDir: string;
  readonly binds: readonly Mount[];
  readonly env: { readonly [name: string]: string };
  readonly limits: SandboxLimits;
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
    ...["--ro-bind", box.rootDir, "/"],
    ...box.binds.flatMap(({ from, to }) => ["--ro-bind", from, to]),
    ...devices(),
    ...["--proc", "/proc"],
    // Every writable file system has a size: an unlimited tmpfs is the host's memory.
    ...["--perms", "1777", "--size", String(box.limits.tmpBytes), "--tmpfs", "/tmp"],
    ...["--remount-ro", "/"], // bwrap's own root is a writable tmpfs without a limit otherwise
    ...["--chdir", "/tmp"],
    ...Object.entries(box.env).flatMap(([name, value]) => ["--setenv", name, value]),
  ];
}

/** Five harmless devices instead of bwrap's `--dev`: no tty, no ptmx, no console to type into. */
function devices(): string[] {
  return [
    ...["--size", String(DEV_TMPFS_BYTES), "--tmpfs", "/dev"],
    ...SAFE_DEVICES.flatMap((name) => ["--dev-bind", `/dev/${name}`, `/dev/${name}`]),
    ...Object.entries(DEVICE_LINKS).flatMap(([name, target]) => ["--symlink", target, `/dev/${name}`]),
    ...["--perms", "1777", "--size", String(SHM_BYTES), "--tmpfs", "/dev/shm"],
    ...["--remount-ro", "/dev"],
  ];
}

/**
 * The script that becomes bwrap. It waits at the gate until its pid is in its cgroup, so that nothing runs outside the
 * limits; a gate that closes without a word means "do not start". dash takes one limit per `ulimit` and goes on after an
 * error, hence the `|| exit`.
 *
 * @param ownUid true when the box has a user id of its own, so that counting that user's processes means something
 */
export function launchScript(bwrapPath: string, ownUid: boolean): string {
  const { gate, args, info } = LAUNCH_FD;
  return [
    `read -r _ <&${gate} || exit ${LAUNCH_REFUSED}`,
    `exec ${gate}<&-`,
    ...RLIMITS.map((limit) => `ulimit ${limit} || exit ${LAUNCH_REFUSED}`),
    ...(ownUid ? [`ulimit -u ${NPROC} 2>/dev/null || ulimit -p ${NPROC} || exit ${LAUNCH_REFUSED}`] : []),
    `exec ${bwrapPath} --args ${args} --info-fd ${info} -- "$@"`,
  ].join("\n");
}

/** Exit code of the launch script when a limit could not be set. */
const LAUNCH_REFUSED = 125;

const NPROC = 512; // second line behind the cgroup's pid limit
const RLIMITS = [
  "-c 0", // a core dump would leave the user's memory on the host
  "-n 256", // descriptors
  "-l 64", // KiB of locked memory
  "-f 131072", // blocks of 512 bytes: no file over 64 MiB
  "-s 8192", // KiB of stack
];
