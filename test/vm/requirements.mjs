// What the host must have to build and boot the guests. Guests are made of the host's own files, so it has to be a Debian
// or one of its kin.
import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";

/** A file, as a pattern, and the package that has it. */
const COMMON = {
  "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
  "/boot/vmlinuz-*-cloud-amd64": "linux-image-cloud-amd64", // small, starts fast, and cgroup v2 is built in
  "/usr/share/doc/busybox-static": "busybox-static", // the other package of that name needs libraries
  "/usr/bin/cpio": "cpio",
  "/usr/bin/bwrap": "bubblewrap",
  "/usr/bin/python3": "python3",
  "/usr/bin/luajit": "luajit",
  "/usr/bin/prlimit": "util-linux",
};
const SYSTEMD = {
  "/usr/lib/systemd/systemd": "systemd",
  "/usr/bin/dbus-daemon": "dbus",
  "/usr/lib/systemd/user/dbus.socket": "dbus-user-session", // `systemd-run --user` talks over it
  "/usr/lib/*/security/pam_systemd.so": "libpam-systemd", // makes a lingering user's session
  "/usr/bin/mount": "mount",
};

/**
 * Installs what is missing, when it is root's to install.
 *
 * @throws Error with the command to install it by hand
 */
export function provide({ systemd, say }) {
  if (process.arch !== "x64")
    throw new Error(`the guests are x64 machines made of this machine's files, and this is ${process.arch}`);
  const missing = Object.entries({ ...COMMON, ...(systemd ? SYSTEMD : {}) })
    .filter(([pattern]) => globSync(pattern).length === 0)
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new Error(`missing here: ${missing.join(", ")}. Install it, then start again: sudo ${command}`);
  }
  say(`missing: ${missing.join(", ")}; installing: apt-get update && ${command}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const line of ["apt-get update -qq", command]) {
    const [program, ...args] = line.split(" ");
    execFileSync(program, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  }
}

/** The newest cloud kernel, and its version. */
export function findKernel() {
  const path = globSync("/boot/vmlinuz-*-cloud-amd64")
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .at(-1);
  return { path, version: path.replace("/boot/vmlinuz-", "") };
}
