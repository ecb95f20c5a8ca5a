import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { examine, type Finding, type Machine } from "../../scripts/doctor/examine.mjs";
import { SETTINGS } from "../../src/config/settings.ts";
import { type Difference, fails, machine, OWN_GROUP } from "./machines.fixture.ts";

const MIB = 1024 * 1024;

/** What is not as it should be on a machine that differs so from a sound one. */
async function complaints(difference: Difference): Promise<Finding[]> {
  const findings = await examine(machine(difference));
  return findings.filter(({ level }) => level === "warning" || level === "problem");
}

/** The only complaint; fails where there are none or more. */
async function onlyComplaint(difference: Difference): Promise<Finding> {
  const found = await complaints(difference);
  assert.equal(found.length, 1, JSON.stringify(found, null, 1));
  assert.ok(found[0]);
  return found[0];
}

async function finding(difference: Difference, id: string): Promise<Finding> {
  const found = (await examine(machine(difference))).find((each) => each.id === id);
  assert.ok(found, `nothing is said about ${id}`);
  return found;
}

test("a sound machine has no complaints", async () => {
  assert.deepEqual(await complaints({}), []);
});

test("the settings that the checks use have the server's defaults", async () => {
  let listened: unknown;
  const sound = machine();
  const watched: Machine = {
    ...sound,
    listen: async (host, port) => {
      listened = { host, port };
      return undefined;
    },
  };

  const texts = (await examine(watched)).map(({ what }) => what).join("\n");

  assert.deepEqual(listened, { host: SETTINGS.host.fallback, port: SETTINGS.httpPort.fallback });
  assert.ok(texts.includes(join("/opt/cloche", SETTINGS.dataDir.fallback)), texts);
  assert.ok(texts.includes(`8 sandboxes of ${SETTINGS.maxMemoryBytes.fallback / MIB} MiB`), texts);
});

test("a value that the server would refuse is a problem", async () => {
  for (const [name, value] of [
    ["HTTP_PORT", "eighty"],
    ["MAX_CONTAINERS", "0"],
    ["MAX_MEMORY", "1M"],
    ["MAX_MEMORY_PER_CONTAINER", "1T"],
    ["ALLOW_SOFT_LIMITS", "yes"],
  ] as const) {
    const found = await onlyComplaint({ env: { [name]: value } });
    assert.equal(found.level, "problem");
    assert.match(found.what, new RegExp(`^${name}="${value}"`));
  }
});

suite("the platform", () => {
  test("a system other than Linux is a problem", async () => {
    const found = await finding({ platform: "darwin" }, "system");
    assert.equal(found.level, "problem");
  });

  test("a processor that Node 24 does not come for is a problem", async () => {
    assert.equal((await onlyComplaint({ arch: "riscv64" })).id, "processor");
  });

  test("Alpine's musl is a problem, and its packages come from apk", async () => {
    const found = await complaints({
      files: {
        "/lib64/ld-linux-x86-64.so.2": undefined,
        "/lib/ld-musl-x86_64.so.1": "",
        "/usr/bin/apt-get": undefined,
        "/sbin/apk": "",
        "/usr/bin/bwrap": undefined,
      },
    });
    assert.deepEqual(
      found.map(({ id }) => id),
      ["libc", "bubblewrap"],
    );
    assert.deepEqual(found[1]?.fix, ["apk add bubblewrap"]);
  });

  test("an old kernel costs what it lacks", async () => {
    const kernel = (release: string): Promise<Finding> =>
      finding({ files: { "/proc/sys/kernel/osrelease": release } }, "kernel");
    assert.equal((await kernel("4.17.9")).level, "problem");
    assert.match((await kernel("4.18.0-553.el8")).cost ?? "", /cgroup\.kill.*memory\.peak/);
    assert.match((await kernel("5.15.0-91-generic")).cost ?? "", /^no memory\.peak/);
    assert.equal((await kernel("5.19.0")).level, "ok");
    assert.equal((await kernel("6.1.0")).level, "ok");
  });

  test("a kernel without seccomp filters is a problem", async () => {
    assert.equal(
      (await onlyComplaint({ files: { "/proc/sys/kernel/seccomp/actions_avail": undefined } })).id,
      "seccomp",
    );
  });
});

suite("the runtimes", () => {
  test("Node 18 is a problem", async () => {
    const found = await onlyComplaint({ nodeVersion: "v18.20.4" });
    assert.equal(found.level, "problem");
    assert.match(found.what, /v18\.20\.4/);
  });

  test("a Node of the server that does not start can be installed again", async () => {
    const found = await onlyComplaint({
      commands: { "/opt/cloche/node_modules/.bin/node": { code: undefined, stdout: "", stderr: "spawn ENOENT" } },
    });
    assert.deepEqual([found.id, found.level, found.canFix], ["server-node", "problem", true]);
  });

  test("packages that are not installed yet are no complaint", async () => {
    assert.deepEqual(await complaints({ files: { "/opt/cloche/node_modules/.bin/node": undefined } }), []);
  });

  test("a Python without its extension modules, or an old one, does not count", async () => {
    const partial = await onlyComplaint({ files: { "/usr/lib/python3.13/lib-dynload": undefined } });
    assert.deepEqual([partial.id, partial.level], ["python", "warning"]);
    const old = await onlyComplaint({
      pythonBinary: "/usr/bin/python3.8",
      files: { "/usr/lib/python3.8/os.py": "", "/usr/lib/python3.8/lib-dynload": "" },
    });
    assert.equal(old.id, "python");
  });
});

suite("Go", () => {
  const WHOLE = {
    VERSION: "go1.24.4\ntime 2025\n",
    "bin/go": "",
    "src/fmt/print.go": "",
    "pkg/tool/linux_amd64/compile": "",
  };
  const at = (root: string, version = "1.24.4"): Record<string, string> =>
    Object.fromEntries(
      Object.entries(WHOLE).map(([path, text]) => [`${root}/${path}`, text.replace("1.24.4", version)]),
    );

  test("is found where it usually is, the newest one of Debian's", async () => {
    assert.match((await finding({ files: at("/usr/local/go") }, "go")).what, /^Go 1\.24\.4 at \/usr\/local\/go,/);
    const files = { ...at("/usr/lib/go-1.9", "1.9"), ...at("/usr/lib/go-1.24"), ...at("/usr/lib/go-1.21", "1.21.1") };
    assert.match((await finding({ files }, "go")).what, /at \/usr\/lib\/go-1\.24,/);
    const named = await finding({ files: { ...files, ...at("/opt/go", "1.25.0") }, env: { GOROOT: "/opt/go" } }, "go");
    assert.equal(named.level, "ok");
    assert.match(named.what, /^Go 1\.25\.0 at \/opt\/go,/);
  });

  test("is told with TinyGo, where that is whole and wanted", async () => {
    const parts = ["bin/tinygo", "lib/README", "src/README", "targets/wasip1.json"];
    const tinyGo = (root: string): Record<string, string> =>
      Object.fromEntries(parts.map((part) => [`${root}/${part}`, ""]));
    const told = async (files: object, env: Record<string, string> = {}): Promise<string> =>
      (await finding({ files: { ...at("/usr/local/go"), ...files }, env }, "go")).what;

    assert.match(await told(tinyGo("/usr/local/lib/tinygo")), /, and TinyGo at \/usr\/local\/lib\/tinygo, for/);
    assert.match(await told(tinyGo("/opt/tiny"), { TINYGOROOT: "/opt/tiny" }), /TinyGo at \/opt\/tiny,/);
    assert.doesNotMatch(await told(tinyGo("/usr/local/tinygo"), { TINYGOROOT: "off" }), /TinyGo/);
    assert.doesNotMatch(await told({ "/usr/local/tinygo/bin/tinygo": "" }), /TinyGo/);
  });

  test("missing, old or half is no complaint, but said with what it costs", async () => {
    const half = { ...at("/usr/local/go"), "/usr/local/go/src/fmt/print.go": undefined };
    for (const files of [{}, at("/usr/lib/go-1.19", "1.19.8"), half]) {
      const { level, cost, fix } = await finding({ files }, "go");
      assert.equal(level, "info");
      assert.match(`${cost} ${fix?.join()}`, /not as source.*go\.dev\/doc\/install/);
    }
  });
});

suite("bubblewrap", () => {
  test("missing on Fedora, it comes from dnf", async () => {
    const found = await onlyComplaint({
      files: { "/usr/bin/bwrap": undefined, "/usr/bin/apt-get": undefined, "/usr/bin/dnf": "" },
    });
    assert.deepEqual([found.level, found.canFix, found.needsRoot], ["problem", true, true]);
    assert.deepEqual(found.fix, ["dnf install -y bubblewrap"]);
  });

  test("missing where no package manager is known, it is left to the user", async () => {
    const found = await onlyComplaint({ files: { "/usr/bin/bwrap": undefined, "/usr/bin/apt-get": undefined } });
    assert.equal(found.canFix, false);
  });

  test("setuid root is a problem, and the bit can be taken away", async () => {
    const found = await onlyComplaint({ setuid: true });
    assert.equal(found.level, "problem");
    assert.deepEqual(found.fix, ["chmod u-s /usr/bin/bwrap"]);
  });

  test("older than 0.7.0 is a problem, as on Ubuntu 22.04", async () => {
    assert.match((await onlyComplaint({ bwrap: { version: "0.6.1" } })).what, /0\.6\.1 is older/);
    assert.deepEqual(await complaints({ bwrap: { version: "0.7.0" } }), []);
  });
});

suite("a sandbox that does not start", () => {
  const box = fails("bwrap: setting up uid map: Permission denied\n");
  const noBox = { bwrap: { box } };

  test("on Ubuntu 24.04 gets an AppArmor profile, which is there", async () => {
    const found = await onlyComplaint({
      ...noBox,
      files: { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n" },
    });
    assert.match(found.what, /AppArmor.*setting up uid map: Permission denied/);
    assert.deepEqual([found.level, found.canFix, found.needsRoot], ["problem", true, true]);
    const profile = /\/opt\/cloche\/(deploy\S+)/.exec(found.fix?.join("\n") ?? "")?.[1] ?? "";
    assert.ok(existsSync(join(import.meta.dirname, "../..", profile)), profile);
  });

  test("is no matter of AppArmor where a profile lets bubblewrap through", async () => {
    const found = await finding(
      { files: { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n" } },
      "sandbox",
    );
    assert.equal(found.level, "ok");
    assert.match(found.what, /AppArmor/);
  });

  test("for a kernel's switch gets that switch", async () => {
    const none = await onlyComplaint({ ...noBox, files: { "/proc/sys/user/max_user_namespaces": "0\n" } });
    assert.equal(none.fix?.[0], "sysctl -w user.max_user_namespaces=15000");
    const debian = await onlyComplaint({ ...noBox, files: { "/proc/sys/kernel/unprivileged_userns_clone": "0\n" } });
    assert.equal(debian.fix?.[0], "sysctl -w kernel.unprivileged_userns_clone=1");
    assert.ok(debian.canFix);
  });

  test("in a container gets its options, and nothing that could be run inside", async () => {
    const docker = await onlyComplaint({ ...noBox, files: { "/.dockerenv": "" } });
    assert.match(docker.fix?.[0] ?? "", /--security-opt seccomp=deploy\/container\/seccomp\.json/);
    assert.equal(docker.canFix, false);
    const podman = await onlyComplaint({
      ...noBox,
      files: { "/run/.containerenv": "", "/proc/sys/user/max_user_namespaces": "0\n" },
    });
    assert.match(podman.fix?.[0] ?? "", /^on the host/);
    assert.equal(podman.canFix, false);
  });

  test("for a reason that nobody knows is told in bubblewrap's words", async () => {
    assert.match((await onlyComplaint(noBox)).what, /setting up uid map: Permission denied/);
  });
});

test("a masked /proc is a warning, with the option of the container or of the unit", async () => {
  const bwrap = { boxWithProc: fails("bwrap: Can't mount proc on /newroot/proc: Operation not permitted\n") };

  const inside = await onlyComplaint({ bwrap, files: { "/.dockerenv": "" } });
  const outside = await onlyComplaint({ bwrap });

  assert.deepEqual([inside.id, inside.level], ["masked-proc", "warning"]);
  assert.match(inside.fix?.[0] ?? "", /systempaths=unconfined/);
  assert.match(outside.fix?.[0] ?? "", /ProtectKernelTunables/);
});

test("fewer user namespaces than sandboxes are a warning", async () => {
  const found = await onlyComplaint({ files: { "/proc/sys/user/max_user_namespaces": "7\n" } });
  assert.deepEqual([found.id, found.level], ["namespace-count", "warning"]);
});

suite("cgroups", () => {
  test("of v2 that are delegated give hard limits", async () => {
    const found = await finding({}, "limits");
    assert.equal(found.level, "ok");
    assert.ok(found.what.includes(OWN_GROUP));
  });

  test("of v2 that are not delegated stop the server, and systemd-run is the way", async () => {
    const found = await onlyComplaint({ readOnly: ["/sys/fs/cgroup"] });
    assert.deepEqual([found.id, found.level], ["limits", "problem"]);
    assert.match(found.fix?.[0] ?? "", /^systemd-run --user --scope -p Delegate=yes npm start$/);
  });

  test("of v2 without the cpu controller name it, and the file that delegates it", async () => {
    const files = { [`${OWN_GROUP}/cgroup.controllers`]: "memory pids\n" };
    const found = await onlyComplaint({ files, readOnly: ["/sys/fs/cgroup/cgroup.procs"] });
    assert.match(found.what, /no cpu controller/);
    assert.match(found.fix?.join("\n") ?? "", /Delegate=cpu memory pids/);
  });

  test("at the top of the tree will do for root", async () => {
    const found = await finding({ uid: 0, files: { "/proc/self/cgroup": "0::/\n" } }, "limits");
    assert.deepEqual([found.level, found.what.includes("as root (/sys/fs/cgroup)")], ["ok", true]);
  });

  const v1 = {
    "/sys/fs/cgroup/cgroup.controllers": undefined,
    "/proc/self/cgroup": "5:memory:/box\n4:pids:/\n3:cpu,cpuacct:/\n0::/\n",
    "/sys/fs/cgroup/memory/box/cgroup.procs": "",
    "/sys/fs/cgroup/pids/cgroup.procs": "",
    "/sys/fs/cgroup/cpu/cgroup.procs": "",
  };

  test("of v1 give hard limits, too", async () => {
    const found = await finding({ uid: 0, files: v1 }, "limits");
    assert.equal(found.level, "info");
    assert.match(found.what, /hard limits.*v1/);
  });

  test("of v1 that belong to root give none to others", async () => {
    const found = await finding({ files: v1, readOnly: ["/sys/fs/cgroup"] }, "limits");
    assert.deepEqual([found.level, found.what.includes("/sys/fs/cgroup/memory/box is not ours")], ["problem", true]);
  });

  test("that a container shows read-only are a warning once soft limits are accepted", async () => {
    const found = await onlyComplaint({
      uid: 0,
      env: { ALLOW_SOFT_LIMITS: "true" },
      files: { "/.dockerenv": "" },
      readOnly: ["/sys/fs/cgroup"],
    });
    assert.deepEqual([found.id, found.level], ["limits", "warning"]);
    assert.match(found.fix?.[0] ?? "", /--memory/);
  });

  test("missing together with prlimit leave processes uncounted", async () => {
    const found = await onlyComplaint({ files: { "/usr/bin/prlimit": undefined }, readOnly: ["/sys/fs/cgroup"] });
    assert.match(found.cost ?? "", /processes are not counted/);
  });
});

suite("capacity", () => {
  test("less memory than all sandboxes may take is a warning with a number that fits", async () => {
    const found = await onlyComplaint({
      env: { MAX_CONTAINERS: "200" },
      files: { "/proc/meminfo": "MemTotal: 4194304 kB\n" },
    });
    assert.deepEqual([found.id, found.level], ["memory", "warning"]);
    assert.match(found.fix?.[0] ?? "", /MAX_CONTAINERS=29,/); // (4096 - 300) / 128
  });

  test("a limit of the group that we are in counts like the machine's", async () => {
    const limits = { "/sys/fs/cgroup/user.slice/memory.max": "536870912\n", [`${OWN_GROUP}/memory.max`]: "max\n" };
    assert.equal((await onlyComplaint({ files: limits })).id, "memory");
    const pids = { [`${OWN_GROUP}/pids.max`]: "100\n" };
    assert.equal((await onlyComplaint({ files: pids })).id, "processes");
  });

  test("the limit of a user's processes does not count for root", async () => {
    const files = { "/proc/self/limits": "Max processes  50  50  processes\nMax open files  1024  524288  files\n" };
    assert.equal((await onlyComplaint({ files })).id, "processes");
    assert.deepEqual(await complaints({ files, uid: 0, stat: () => ({ mode: 0o755, uid: 0 }) }), []);
  });

  test("few open files are a warning, too few for the sandboxes a problem", async () => {
    const open = (hard: string): Promise<Finding> =>
      onlyComplaint({ files: { "/proc/self/limits": `Max open files  1024  ${hard}  files\n` } });
    assert.equal((await open("4096")).level, "warning");
    assert.equal((await open("100")).level, "problem");
  });

  test("swap is a warning only where the kernel does not count it", async () => {
    const swap = { "/proc/swaps": "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n" };
    assert.equal((await finding({ files: swap }, "swap")).level, "info");
    const v1 = { "/proc/self/cgroup": "5:memory:/\n", "/sys/fs/cgroup/memory/cgroup.procs": "" };
    assert.equal((await finding({ files: { ...swap, ...v1 } }, "swap")).level, "warning");
  });
});

suite("the data folder", () => {
  test("that this user may not write is a problem, there or not", async () => {
    const there = await onlyComplaint({
      files: { "/srv/data": "" },
      env: { DATA_DIR: "/srv/data" },
      readOnly: ["/srv"],
    });
    assert.match(there.what, /may not write to the data folder \/srv\/data/);
    const missing = await onlyComplaint({
      files: { "/srv/x": "" },
      env: { DATA_DIR: "/srv/it's" },
      readOnly: ["/srv"],
    });
    assert.match(missing.what, /may not make it in \/srv$/);
    assert.ok(missing.fix?.[0]?.includes(`'/srv/it'\\''s'`), missing.fix?.[0]);
  });

  test("of somebody else is a warning", async () => {
    const found = await onlyComplaint({ stat: () => ({ mode: 0o755, uid: 1000 }) });
    assert.deepEqual([found.id, found.level], ["data-folder", "warning"]);
  });

  test("on NFS is a problem", async () => {
    const fileSystem: Machine["fileSystem"] = () => ({ type: 0x6969, freeBytes: 1e12, inodes: 1e6, freeInodes: 1e6 });
    const found = await onlyComplaint({ fileSystem });
    assert.deepEqual([found.id, found.level], ["data-locks", "problem"]);
  });

  test("without room is a warning, then a problem, and Btrfs has no number of inodes", async () => {
    const room = (freeBytes: number, inodes: number): Difference => ({
      fileSystem: () => ({ type: 0xef53, freeBytes, inodes, freeInodes: 0 }),
    });
    assert.equal((await onlyComplaint(room(500 * MIB, 0))).level, "warning");
    assert.equal((await onlyComplaint(room(50 * MIB, 0))).level, "problem");
    assert.equal((await onlyComplaint(room(1e12, 1e6))).level, "problem");
    assert.deepEqual(await complaints(room(1e12, 0)), []);
  });
});

suite("the port", () => {
  const refuses = (code: string, env = {}): Promise<Finding> => onlyComplaint({ listen: async () => code, env });

  test("that is taken, forbidden or not ours is a problem with its own advice", async () => {
    assert.match((await refuses("EADDRINUSE")).what, /127\.0\.0\.1:8080 is taken/);
    assert.match((await refuses("EACCES", { HTTP_PORT: "80" })).what, /may not listen on port 80/);
    assert.match((await refuses("EADDRNOTAVAIL", { HOST: "127.0.0.9" })).what, /HOST=127\.0\.0\.9 is no address/);
  });

  test("on an address for others is a warning", async () => {
    assert.equal((await onlyComplaint({ env: { HOST: "0.0.0.0" } })).id, "open-address");
  });
});

test("SMT and KSM are information for those with strangers as users", async () => {
  const files = { "/sys/devices/system/cpu/smt/active": "1\n", "/sys/kernel/mm/ksm/run": "1\n" };
  assert.deepEqual(await complaints({ files }), []);
  assert.equal((await finding({ files }, "smt")).level, "info");
  assert.equal((await finding({ files }, "ksm")).level, "info");
});

test("whether the server would be root is said, with what it means", async () => {
  assert.match((await finding({ uid: 0 }, "user")).what, /a user of its own/);
  assert.match((await finding({}, "user")).cost ?? "", /sandboxes are this user, too/);
});
