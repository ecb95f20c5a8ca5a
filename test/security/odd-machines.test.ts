// Servers that start where something is missing or lies in wait: without cgroups, without /proc, as PID 1, with a terminal
// or foreign descriptors. Each runs on a machine that is changed for it alone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, suite, test, type TestContext } from "node:test";
import { type Launch, LaunchedServer } from "./attacked-server.ts";
import { all, callKernel, type Call, dedent, eventually, javascript, python } from "./attacker.ts";
import { Guard } from "./guard.ts";

const NOBODY = 65_534;
const AS_NOBODY = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];

/** Changes the machine by a shell script in a mount namespace of its own, then becomes the server. */
function onMachine(change: string, ...unshare: readonly string[]): string[] {
  return ["unshare", "--mount", ...unshare, "sh", "-ec", `${change}\nexec "$@"`, "sh"];
}

async function listening(t: TestContext, launch: Launch): Promise<LaunchedServer> {
  const server = new LaunchedServer(launch);
  t.after(() => server.dispose());
  assert.equal(await server.listening, true, server.stderr);
  return server;
}

/** What a server that must not start says. */
async function refusal(launch: Launch): Promise<string> {
  const server = new LaunchedServer(launch);
  try {
    assert.equal(await server.listening, false, "it listens");
    assert.equal(await server.exited, 1);
    return server.stderr;
  } finally {
    await server.dispose();
  }
}

const FORK_500 = dedent(`
  import os, time
  count = 0
  try:
      while count < 500:
          if os.fork() == 0: time.sleep(30)
          count += 1
  except OSError: pass
  return count
  `);
const DEAF_BOMB = dedent(`
  import os, signal
  for number in range(1, 32):
      try: signal.signal(number, signal.SIG_IGN)
      except (OSError, ValueError): pass
  while True:
      try:
          if os.fork() == 0: os.setsid()
      except OSError: pass
  `);
const MEMORY_BOMBS = {
  "private memory": dedent(`
    kept = []
    while True: kept.append(bytearray(1 << 20))
    `),
  "shared mappings": dedent(`
    import mmap
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 1 << 20))
        kept[-1].write(b'x' * (1 << 20))
    `),
  "many small processes": dedent(`
    import os, time
    for number in range(40):
        if os.fork() == 0:
            kept = bytearray(16 << 20)
            for at in range(0, len(kept), 4096): kept[at] = 1
            time.sleep(30)
    time.sleep(30)
    `),
};

suite("as an ordinary user without cgroups", () => {
  const settings = { TIMEOUT_SCRIPT: "4", MAX_MEMORY: "400M", ALLOW_SOFT_LIMITS: "true", MAX_CONTAINERS: "4" };
  const launch: Launch = { launcher: AS_NOBODY, uid: NOBODY, settings };

  test("HST-04, ESC-23: the server refuses to start unless soft limits are accepted by name", async () => {
    const { ALLOW_SOFT_LIMITS: _, ...without } = settings;
    assert.match(await refusal({ ...launch, settings: without }), /cannot be limited here.*ALLOW_SOFT_LIMITS=true/);
  });

  suite("and served all the same", () => {
    let server: LaunchedServer;
    before(async () => {
      server = new LaunchedServer(launch);
      assert.equal(await server.listening, true, server.stderr);
    });
    after(() => server.dispose());

    test("RES-02: a fork bomb stays below its limit, and the server can still start boxes", async () => {
      const bomb = server.runNow({
        language: "python",
        code: FORK_500,
      });
      const neighbour = await javascript(server, "return 'served'");
      assert.equal(neighbour, "served");
      const { status, text, json } = await bomb;
      assert.equal(status, 200, text);
      assert.ok((json as { data: number }).data < 64, text);
    });

    test("RES-02: a fork bomb that is deaf to signals ends with its run", async () => {
      const { status, text } = await server.runNow({ language: "python", code: DEAF_BOMB });
      assert.equal(status, 504, text);
      assert.equal(await python(server, "return 'served'"), "served");
    });

    test("RES-05: memfd_create, whose memory nobody would count, is not there", async () => {
      const calls: Call[] = [
        ["memfd_create", "x", 0],
        ["memfd_secret", 0],
      ];
      assert.deepEqual(await callKernel(server, calls), all(calls, "ENOSYS"));
    });

    for (const [what, code] of Object.entries(MEMORY_BOMBS)) {
      test(`RES-05: a bomb of ${what} is found by the watchdog`, async () => {
        const { status, text } = await server.runNow({ language: "python", code });
        assert.match(text, /memory limit exceeded \(max 400M\)/);
        assert.equal(status, 500);
      });
    }

    test("TEN-04: boxes that share a user cannot see, signal or trace each other", async () => {
      const victim = python(server, "import time\nopen('/tmp/mine', 'w').close()\ntime.sleep(0.7)\nreturn 'alive'");
      const attack = `
        import errno, os, signal
        errors = set()
        for pid in range(2, 4000):
            try: os.kill(pid, signal.SIGKILL); errors.add('killed')
            except OSError as error: errors.add(errno.errorcode[error.errno])
        return [sorted(errors), [name for name in os.listdir('/proc') if name.isdigit()], os.listdir('/tmp')]
        `;
      assert.deepEqual(await python(server, attack), [["ESRCH"], ["1"], []]);
      assert.equal(await victim, "alive");
    });
  });
});

suite("below a masked /proc, as in a container", () => {
  const launcher = onMachine("mount -t tmpfs -o ro none /proc/acpi\nmount --bind /dev/null /proc/timer_list");

  test("ESC-22: runs work without /proc, behind the same filter, and never see the host's", async (t) => {
    const server = await listening(t, { launcher });

    assert.match(server.stdout, /no \/proc/);
    assert.equal(await python(server, "return 6 * 7"), 42);
    assert.equal(await javascript(server, "return [6].map((n) => n * 7)[0]"), 42);
    assert.deepEqual(await python(server, "import os\nreturn [os.getpid(), os.listdir('/proc'), os.getuid()]"), [
      1,
      [],
      NOBODY,
    ]);
    const calls: Call[] = [
      ["unshare", 0x1000_0000],
      ["mount", "none", "/tmp", "tmpfs", 0, 0],
      ["ptrace", 16, 1, 0, 0],
    ];
    assert.deepEqual(await callKernel(server, calls), all(calls, "EPERM"));
    assert.deepEqual(
      (await server.runNow({ language: "python", code: "import os\nos.kill(1, 9)" })).status >= 200,
      true,
    );
    assert.equal(await python(server, "return 'next'"), "next");
  });
});

/** Root of a user namespace in which there can be no other: the whole machine's limit is nothing that a test may change. */
const WITHOUT_USER_NAMESPACES = `
  import ctypes, os, sys
  go, ready = os.pipe(), os.pipe()
  parent = os.getpid()
  if os.fork() == 0:
      os.read(go[0], 1)
      for name in ('uid_map', 'gid_map'): open('/proc/%d/%s' % (parent, name), 'w').write('0 0 65536')
      os.write(ready[1], b'.')
      os._exit(0)
  if ctypes.CDLL(None, use_errno=True).unshare(0x10000000) != 0: sys.exit('no user namespace to begin with')
  os.write(go[1], b'.'); os.read(ready[0], 1); os.wait()
  open('/proc/sys/user/max_user_namespaces', 'w').write('0')
  os.execvp(sys.argv[1], sys.argv[1:])
  `;

suite("where no box can be made", () => {
  test("ESC-23: without bubblewrap the server refuses to start, and says how to get it", async () => {
    const change =
      "layers=$(mktemp -d)\nmount -t tmpfs none $layers\nmkdir $layers/up $layers/work\n" +
      "mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=$layers/up,workdir=$layers/work /usr/bin\n" +
      "umount -l $layers\nrmdir $layers\nrm /usr/bin/bwrap";
    assert.match(await refusal({ launcher: onMachine(change) }), /bubblewrap is not installed.*apt-get install/);
  });

  test("ESC-23: without user namespaces the server refuses to start, in bubblewrap's words", async () => {
    const text = await refusal({ launcher: ["python3", "-c", dedent(WITHOUT_USER_NAMESPACES)] });
    assert.match(text, /bubblewrap cannot make a sandbox here: .+npm run doctor/s);
  });

  for (const pids of [8, 14]) {
    test(`RES-22: with ${pids} processes and threads for everything the server refuses to start, instead of hanging`, async () => {
      const text = await refusal({ launcher: ["env"], guard: new Guard({ pids }) });
      assert.notEqual(text, "");
    });
  }

  for (const [name, value, message] of [
    ["MAX_MEMORY", "1M", /MAX_MEMORY="1M" is not allowed: .*from 32M/],
    ["MAX_MEMORY", "-1", /MAX_MEMORY="-1" is not allowed/],
    ["MAX_CPUS", "0", /MAX_CPUS="0" is not allowed/],
    ["MAX_CPUS", "NaN", /MAX_CPUS="NaN" is not allowed/],
    ["TIMEOUT_SCRIPT", "1e309", /TIMEOUT_SCRIPT="1e309" is not allowed/],
    ["MAX_CONTAINERS", "128; rm", /MAX_CONTAINERS="128; rm" is not allowed/],
  ] as const) {
    test(`RES-21, API-23: ${name}=${value} is refused at the start`, async () => {
      assert.match(await refusal({ launcher: ["env"], settings: { [name]: value } }), message);
    });
  }

  test("RES-21: the smallest memory that is allowed is enough to start and to run", async (t) => {
    const server = await listening(t, { launcher: ["env"], settings: { MAX_MEMORY: "32M" } });
    assert.equal(await javascript(server, "return 'enough'"), "enough");
    assert.equal(await python(server, "return 'enough'"), "enough");
  });
});

suite("started by somebody careless", () => {
  test("ESC-13: descriptors that the server was given do not reach a box", async (t) => {
    const leave = [
      "import os, sys",
      "for number in (9, 250):",
      "    os.dup2(os.open('/etc', os.O_RDONLY), number, inheritable=True)",
      "os.execvp(sys.argv[1], sys.argv[1:])",
    ].join("\n");
    const server = await listening(t, { launcher: ["python3", "-c", leave] });

    const inPython = `
      import errno, os
      errors = []
      for number in (9, 250):
          try: errors.append(os.listdir(number))
          except OSError as error: errors.append(errno.errorcode[error.errno])
      links = ['/proc/self/fd/' + name for name in os.listdir('/proc/self/fd')]
      targets = [os.readlink(link) for link in links if os.path.lexists(link)]
      return [errors, [target for target in targets if not target.startswith('socket:') and target != '/dev/null']]
      `;
    const inJavascript = `
      const fs = require("fs"), targets = fs.readdirSync("/proc/self/fd").map((fd) => {
        try { return fs.readlinkSync("/proc/self/fd/" + fd) } catch { return "/dev/null" }
      });
      return targets.filter((target) => target.startsWith("/") && !/^\\/dev\\/null|^\\/proc\\//.test(target));
      `;
    assert.deepEqual(await python(server, inPython), [["EBADF", "EBADF"], []]);
    assert.deepEqual(await javascript(server, inJavascript), []);
  });

  test("ESC-12: a box has no part in the terminal that the server was started from", async (t) => {
    const terminal = "import pty, sys\nsys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    const inTerminal = `
      import os
      return [int(open('/proc/self/stat').read().split(')')[1].split()[4]), [os.isatty(fd) for fd in (0, 1, 2)], os.getsid(0)]
      `;
    const server = await listening(t, { launcher: ["python3", "-c", terminal] });
    const calls: Call[] = [0, 1, 2].map((fd): Call => ["ioctl", fd, 0x5412, "x"]);

    assert.deepEqual(await python(server, inTerminal), [0, [false, false, false], 1]);
    assert.deepEqual(await callKernel(server, calls), all(calls, "EPERM"));
  });

  test("RES-12: as PID 1 of a container the server collects no zombies", async (t) => {
    const launcher = ["unshare", "--pid", "--fork", "--kill-child=SIGTERM", "--mount-proc"];
    const server = await listening(t, { launcher });
    const orphan =
      "import os, time\nif os.fork() == 0:\n    if os.fork() == 0: time.sleep(0.05)\n    os._exit(0)\nreturn 1";
    for (let n = 0; n < 25; n++)
      assert.equal((await server.runNow({ language: "python", code: `${orphan} # ${n}` })).status, 200);

    await eventually("no zombie is left", () => !server.tree().some(isZombie));
  });
});

function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false; // gone
  }
}
