// Builds a guest's initrd: files of this machine at their own places, the product at /opt/cloche, and root/ laid over all.
// It is not compressed: to unpack 250 MB takes an emulated processor longer than to be given them.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, globSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

const PROJECT = resolve(import.meta.dirname, "../..");
const PRODUCT = "opt/cloche"; // where deploy/systemd/cloche.service expects it
const PRODUCT_FILES = ["package.json", "src", "scripts", "deploy", "node_modules/.bin/node"];

const COMMANDS = [
  "/usr/bin/busybox",
  "/usr/bin/bash",
  "/usr/bin/dash",
  "/usr/bin/sh",
  "/usr/bin/ldd",
  "/usr/bin/bwrap",
  "/usr/bin/prlimit",
  "/usr/bin/python3",
];
/** Of the Python library: what no function needs, and bytecode that Python makes itself. */
const PYTHON_LEFT_OUT =
  /\/(test|__pycache__|idlelib|ensurepip|lib2to3|tkinter|pydoc_data|distutils|config-[^/]*)(\/|$)/;
/** For swap in memory; everything else that the tests need is built into the kernel. */
const MODULES = ["kernel/mm/zsmalloc.ko", "kernel/drivers/block/zram/zram.ko"];

const SYSTEMD_PACKAGES = [
  ...["systemd", "libsystemd-shared", "dbus", "dbus-daemon", "dbus-bin", "dbus-system-bus-common"],
  ...["dbus-session-bus-common", "dbus-user-session", "libpam-systemd", "libpam-modules", "util-linux", "mount"],
];
const SYSTEMD_LEFT_OUT =
  /^\/usr\/share\/(doc|man|locale|bash-completion|zsh|lintian|bug|doc-base|polkit-1)(\/|$)|^\/var|^\/boot/;

/** Writes the initrd to `file`. */
export function buildImage({ file, kernelVersion, systemd }) {
  const own = mkdtempSync(join(dirname(file), "own-"));
  try {
    const present = new Set();
    const files = [...commands(), ...pythonLibrary(), ...modules(kernelVersion), ...(systemd ? systemdFiles() : [])];
    for (const path of [...files, ...librariesOf(files)]) addWithWay(present, path);
    pack(
      file,
      "/",
      [...present].map((path) => relative("/", path)),
    );
    copyOwn(own);
    pack(file, own, globSync("**", { cwd: own }).filter(Boolean));
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
