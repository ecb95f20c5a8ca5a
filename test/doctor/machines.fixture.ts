// Other people's machines, as plain data. Each is a difference from one where nothing is wrong.
import type { CommandResult, Machine } from "../../scripts/doctor/examine.mjs";

/** Path -> text of a file; an empty text for what is only there. */
export type Files = Readonly<Record<string, string>>;

/** Everything of a `Machine` that differs from Debian 12 with systemd, cgroup v2 and the server's own user. */
export interface Difference extends Partial<Omit<Machine, "run" | "list" | "realPath">> {
  /** Over those of the sound machine; undefined takes one away. */
  readonly files?: Readonly<Record<string, string | undefined>>;
  /** How bubblewrap ends; with `proc` where that asks for a `/proc`. */
  readonly bwrap?: { readonly version?: string; readonly box?: CommandResult; readonly boxWithProc?: CommandResult };
  readonly commands?: Readonly<Record<string, CommandResult>>;
  readonly readOnly?: readonly string[];
  readonly setuid?: boolean;
  /** Where the link `/usr/bin/python3` leads. */
  readonly pythonBinary?: string;
}

export const OWN_GROUP = "/sys/fs/cgroup/user.slice/cloche.scope";
const GIB = 1024 ** 3;

const SOUND: Files = {
  "/lib64/ld-linux-x86-64.so.2": "",
  "/proc/sys/kernel/osrelease": "6.12.0-1-amd64\n",
  "/proc/sys/kernel/seccomp/actions_avail": "kill_process kill_thread trap errno user_notif trace log allow\n",
  "/proc/sys/kernel/pid_max": "4194304\n",
  "/proc/sys/user/max_user_namespaces": "96365\n",
  "/proc/self/cgroup": "0::/user.slice/cloche.scope\n",
  "/proc/self/limits": "Max processes  96365  96365  processes\nMax open files  1024  524288  files\n",
  "/proc/meminfo": "MemTotal:       16384000 kB\n",
  "/proc/swaps": "Filename Type Size Used Priority\n",
  "/run/systemd/system": "",
  "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
  [`${OWN_GROUP}/cgroup.controllers`]: "cpu memory pids\n",
  "/usr/bin/apt-get": "",
  "/usr/bin/bwrap": "",
  "/usr/bin/prlimit": "",
  "/usr/bin/python3": "",
  "/usr/bin/python3.13": "",
  "/usr/lib/python3.13/os.py": "",
  "/usr/lib/python3.13/lib-dynload": "",
  "/opt/cloche": "",
  "/opt/cloche/node_modules/.bin/node": "",
};
const DONE: CommandResult = { code: 0, stdout: "", stderr: "" };
const NOT_THERE: CommandResult = { code: undefined, stdout: "", stderr: "ENOENT" };

export function machine(difference: Difference = {}): Machine {
  const { files: changed = {}, bwrap = {}, commands = {}, readOnly = [], ...others } = difference;
  const { setuid = false, pythonBinary = "/usr/bin/python3.13", ...plain } = others;
  const files: Readonly<Record<string, string | undefined>> = { ...SOUND, ...changed };
  const known: Readonly<Record<string, CommandResult>> = {
    ldd: DONE,
    "/opt/cloche/node_modules/.bin/node": { ...DONE, stdout: "v24.21.0\n" },
    ...commands,
  };
  const read = (path: string): string | undefined => files[path];
  const exists = (path: string): boolean =>
    Object.entries(files).some(([file, text]) => text !== undefined && (file === path || file.startsWith(`${path}/`)));
  return {
    platform: "linux",
    arch: "x64",
    cores: 4,
    uid: 998,
    nodeVersion: "v22.1.0",
    productDir: "/opt/cloche",
    workDir: "/opt/cloche",
    env: {},
    read,
    exists,
    writable: (path) => !readOnly.some((place) => path === place || path.startsWith(`${place}/`)),
    list: (path) =>
      Object.keys(files).flatMap((file) =>
        file.startsWith(`${path}/`) ? (file.slice(path.length + 1).split("/")[0] ?? []) : [],
      ),
    realPath: (path) => (path === "/usr/bin/python3" && exists(path) ? pythonBinary : undefined),
    stat: (path) => (exists(path) ? { mode: setuid ? 0o104755 : 0o100755, uid: 998 } : undefined),
    fileSystem: () => ({ type: 0xef53, freeBytes: 100 * GIB, inodes: 6_000_000, freeInodes: 5_000_000 }),
    run(command, args) {
      if (command !== "/usr/bin/bwrap") return known[command] ?? NOT_THERE;
      if (args.includes("--version")) return { ...DONE, stdout: `bubblewrap ${bwrap.version ?? "0.11.0"}\n` };
      const box = bwrap.box ?? DONE;
      return args.includes("--proc") ? (bwrap.boxWithProc ?? box) : box;
    },
    listen: async () => undefined,
    ...plain,
  };
}

export function fails(stderr: string): CommandResult {
  return { code: 1, stdout: "", stderr };
}
