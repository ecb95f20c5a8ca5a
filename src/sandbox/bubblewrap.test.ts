import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { suite, test } from "node:test";
import { type BoxLayout, bubblewrapOptions, gateOptions, launchScript } from "./bubblewrap.ts";

const MIB = 1024 * 1024;
const BOX: BoxLayout = {
  rootDir: "/roots/node",
  binds: [{ from: "/usr/bin/node", to: "/rt/node" }],
  devices: [],
  procMasks: { folders: ["/proc/sys"], files: ["/proc/keys", "/proc/kallsyms"] },
  env: { PATH: "/rt", HOME: "/tmp" },
  limits: { memoryBytes: 128 * MIB, cpus: 1, pids: 64, tmpBytes: 16 * MIB },
};
const OPTIONS = bubblewrapOptions(BOX);

/** The places at which `words` stand one behind the other. */
function placesOf(...words: readonly string[]): number[] {
  return OPTIONS.flatMap((_, at) => (words.every((word, index) => OPTIONS[at + index] === word) ? [at] : []));
}

suite("the options of a box", () => {
  const required: readonly (readonly string[])[] = [
    ["--unshare-all"],
    ["--unshare-user"],
    ["--uid", "65534"],
    ["--gid", "65534"],
    ["--hostname", "cloche"],
    ["--cap-drop", "ALL"],
    ["--die-with-parent"],
    ["--new-session"],
    ["--as-pid-1"],
    ["--clearenv"],
    ["--ro-bind", "/roots/node", "/"],
    ["--ro-bind", "/usr/bin/node", "/rt/node"],
    ["--proc", "/proc"],
    ["--perms", "0555", "--size", "4096", "--tmpfs", "/proc/sys", "--remount-ro", "/proc/sys"],
    ["--ro-bind", "/dev/null", "/proc/keys"],
    ["--ro-bind", "/dev/null", "/proc/kallsyms"],
    ["--chdir", "/tmp"],
    ["--remount-ro", "/dev"],
  ];
  for (const words of required) {
    test(`hold ${words.join(" ")}, once`, () => {
      assert.equal(placesOf(...words).length, 1);
    });
  }

  test("share no namespace and bind nothing writable but harmless devices", () => {
    const writable = OPTIONS.flatMap((word, at) =>
      /^--(share-|dev$|bind|dev-bind|overlay|file|cap-add)/.test(word) ? [`${word} ${OPTIONS[at + 1]}`] : [],
    );

    assert.deepEqual(
      writable,
      ["null", "zero", "full", "random", "urandom"].map((name) => `--dev-bind /dev/${name}`),
    );
  });

  test("give every tmpfs a size", () => {
    const tmpfs = placesOf("--tmpfs");

    assert.deepEqual(
      tmpfs.map((at) => `${OPTIONS[at + 1]} ${OPTIONS[at - 2]} ${OPTIONS[at - 1]}`),
      ["/dev --size 4096", "/proc/sys --size 4096", `/tmp --size ${16 * MIB}`, `/dev/shm --size ${MIB}`].toSorted(
        (a, b) => order(a) - order(b),
      ),
    );
  });

  test("make /dev read-only only when everything is mounted in it, and begin with the read-only root", () => {
    const [dev = 0] = placesOf("--remount-ro", "/dev");
    const [root = 0] = placesOf("--ro-bind", "/roots/node", "/");
    const mounts = ["--ro-bind", "--dev-bind", "--tmpfs", "--proc", "--symlink"].flatMap((word) => placesOf(word));

    assert.ok(dev > Math.max(...placesOf("--dev-bind"), ...placesOf("--symlink"), ...placesOf("--tmpfs", "/dev/shm")));
    assert.equal(root, Math.min(...mounts));
  });

  test("cover parts of /proc only when it is there, and only when all of it is mounted", () => {
    const [proc = 0] = placesOf("--proc", "/proc");
    const bare = bubblewrapOptions({ ...BOX, procMasks: undefined }).join(" ");

    assert.ok(proc < Math.min(...placesOf("--tmpfs", "/proc/sys"), ...placesOf("--ro-bind", "/dev/null")));
    assert.doesNotMatch(bare, /--proc|proc\/(sys|keys)/);
  });

  test("show devices beyond the harmless ones only where they are named", () => {
    const options = bubblewrapOptions({ ...BOX, devices: ["/dev/nvidia0"] }).join(" ");

    assert.match(options, /--dev-bind \/dev\/nvidia0 \/dev\/nvidia0/);
    assert.doesNotMatch(OPTIONS.join(" "), /nvidia/);
  });

  test("show the box's own door to the network gate at one place", () => {
    assert.deepEqual(gateOptions("/tmp/gate/7"), ["--ro-bind", "/tmp/gate/7", "/run/egress.sock"]);
  });

  test("set the base's environment and nothing else, behind the clearing", () => {
    const names = placesOf("--setenv").map((at) => OPTIONS[at + 1]);

    assert.deepEqual(names, ["PATH", "HOME"]);
    assert.ok(Math.min(...placesOf("--setenv")) > (placesOf("--clearenv")[0] ?? Infinity));
  });
});

function order(mount: string): number {
  return OPTIONS.indexOf(mount.split(" ")[0] ?? "");
}

suite("the launch script", () => {
  test("is one that a shell understands, and ends in bwrap with its options in a descriptor", () => {
    const script = launchScript("/usr/bin/bwrap", 512, false);
    execFileSync("/bin/sh", ["-n", "-c", script]);

    assert.equal(script.split("\n").at(-1), 'exec /usr/bin/bwrap --args 5 --info-fd 6 --seccomp 7 "$@"');
    assert.match(script, /^read -r _ <&4 \|\| exit 125\nexec 4<&-\n/);
  });

  test("stops when a limit cannot be set", () => {
    for (const line of launchScript("/usr/bin/bwrap", 512, false).split("\n")) {
      if (/^(ulimit|echo)/.test(line)) assert.match(line, /\|\| exit 125$/);
    }
  });

  test("does not start when the gate closes without a word", () => {
    const start = (): void => {
      execFileSync("/bin/sh", ["-c", launchScript("/bin/true", undefined, false)], {
        stdio: ["ignore", "ignore", "ignore", "ignore", "ignore", "ignore", "ignore"],
      });
    };

    assert.throws(start, { status: 125 });
  });

  test("counts a user's processes only where the box has a user of its own", () => {
    assert.match(launchScript("/usr/bin/bwrap", 64, false), /ulimit -u 64/);
    assert.doesNotMatch(launchScript("/usr/bin/bwrap", undefined, false), /ulimit -u/);
  });

  test("holds a box back only where something is left to do for it", () => {
    assert.match(launchScript("/usr/bin/bwrap", undefined, true), /--block-fd 8 "\$@"$/);
    assert.doesNotMatch(launchScript("/usr/bin/bwrap", 64, false), /--block-fd/);
  });
});
