// What code in a sandbox can see and reach: one test for each promise that holds today.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { after, before, suite, test } from "node:test";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { eventually } from "./attacker.ts";

suite("code in a sandbox", () => {
  let server: ServerUnderTest;
  before(async () => {
    process.env["CLOCHE_TEST_SECRET"] = "hush";
    server = await startServer({ TIMEOUT_SCRIPT: "5", CLOCHE_TEST_SECRET: "hush" });
  });
  after(() => server.dispose());

  async function python(code: string): Promise<unknown> {
    const answer = await server.runNow({ language: "python", code });
    assert.equal(answer.status, 200, answer.text);
    return (answer.json as { data: unknown }).data;
  }

  async function javascript(code: string): Promise<unknown> {
    const answer = await server.runNow({ language: "javascript", code });
    assert.equal(answer.status, 200, answer.text);
    return (answer.json as { data: unknown }).data;
  }

  test("is nobody, has no capabilities and cannot gain any", async () => {
    const status = String(await python("return open('/proc/self/status').read()"));

    assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      assert.match(status, new RegExp(`^${set}:\\s+0+$`, "m"));
    assert.match(status, /^NoNewPrivs:\s+1$/m);
  });

  test("is never root on the host", async () => {
    const map = String(await python("return open('/proc/self/uid_map').read()"))
      .trim()
      .split(/\s+/);

    assert.equal(map[0], "65534");
    assert.notEqual(map[1], "0");
    assert.equal(map[2], "1");
  });

  test("sees none of the host's processes, names, users or network devices", async () => {
    assert.deepEqual(await python("import os\nreturn sorted(p for p in os.listdir('/proc') if p.isdigit())"), ["1"]);
    assert.equal(await javascript("return require('os').hostname()"), "cloche");
    const devices = (await javascript("return Object.keys(require('os').networkInterfaces())")) as string[];
    assert.ok(
      devices.every((name) => name === "lo"),
      devices.join(),
    );
    assert.equal(await python("import os\nreturn os.path.exists('/etc/passwd')"), false);
  });

  test("has namespaces of its own, each different from the server's", async () => {
    const names = ["user", "pid", "mnt", "net", "ipc", "uts", "cgroup"];
    const inside = (await python(
      `import os\nreturn [os.readlink('/proc/self/ns/' + n) for n in ${JSON.stringify(names)}]`,
    )) as string[];
    const { readlinkSync } = await import("node:fs");

    for (const [index, name] of names.entries()) assert.notEqual(inside[index], readlinkSync(`/proc/self/ns/${name}`));
  });

  test("has none of the server's variables and descriptors", async () => {
    const env = (await javascript("return process.env")) as Record<string, string>;
    assert.ok(!JSON.stringify(env).includes("hush"));
    assert.deepEqual(Object.keys(env).toSorted(), ["HOME", "LANG", "PATH", "PWD", "SSL_CERT_FILE", "TMPDIR"]);
    const fds = (await python(
      "import os\nreturn [os.readlink('/proc/self/fd/' + f) for f in os.listdir('/proc/self/fd') if os.path.lexists('/proc/self/fd/' + f)]",
    )) as string[];
    assert.equal(fds.filter((target) => !/^(socket:|\/dev\/null|\/proc\/)/.test(target)).length, 0, fds.join());
    assert.ok(fds.filter((target) => target.startsWith("socket:")).length <= 3, fds.join());
  });

  test("can write to /tmp and nowhere else, and no more than its size", async () => {
    const code = [
      "import os",
      "wrote = []",
      "for folder, _, _ in os.walk('/'):",
      "    if folder.startswith(('/proc', '/sys')): continue",
      "    try:",
      "        open(folder + '/probe', 'w').close(); wrote.append(folder)",
      "    except OSError: pass",
      "return wrote",
    ].join("\n");
    assert.deepEqual(await python(code), ["/dev/shm", "/tmp"]);
    assert.equal(await python("import os\ns = os.statvfs('/tmp')\nreturn s.f_blocks * s.f_frsize"), 16 * 1024 * 1024);
    assert.equal(await python("import os\ns = os.statvfs('/dev/shm')\nreturn s.f_blocks * s.f_frsize"), 1024 * 1024);
  });

  test("finds no shell, no compiler and no tools", async () => {
    const root = (await javascript("return require('fs').readdirSync('/')")) as string[];
    assert.deepEqual(
      root.filter((name) => !["dev", "etc", "lib", "lib64", "proc", "rt", "run", "shim", "tmp", "usr"].includes(name)),
      [],
    );
    assert.equal(
      await python(
        "import shutil\nreturn [shutil.which(t) for t in ('sh', 'bash', 'gcc', 'bwrap', 'mount')] == [None] * 5",
      ),
      true,
    );
  });

  test("cannot reach the network, the host's loopback or the server itself", async (t) => {
    const listener = createServer((socket) => socket.end("reached")).listen(0, "127.0.0.1");
    t.after(() => listener.close());
    await new Promise((resolve) => listener.once("listening", resolve));
    const address = listener.address();
    assert.ok(address !== null && typeof address === "object");
    for (const [host, port] of [
      ["127.0.0.1", address.port],
      ["127.0.0.1", new URL(server.url).port],
      ["192.0.2.1", 80],
    ]) {
      const code = `import socket\ntry:\n    socket.create_connection(('${host}', ${port}), 1)\n    return 'reached'\nexcept OSError as e:\n    return 'refused'`;
      assert.equal(await python(code), "refused");
    }
  });

  test("cannot change the kernel through /proc/sys", async () => {
    const code =
      "try:\n    open('/proc/sys/kernel/core_pattern', 'w').write('|/evil')\n    return 'written'\nexcept OSError as e:\n    return 'refused'";
    assert.equal(await python(code), "refused");
  });

  test("has only harmless devices", async () => {
    assert.deepEqual(await javascript("return require('fs').readdirSync('/dev').sort()"), [
      "fd",
      "full",
      "null",
      "random",
      "shm",
      "stderr",
      "stdin",
      "stdout",
      "urandom",
      "zero",
    ]);
  });

  test("cannot see another sandbox's files or processes", async () => {
    const busy = server.runNow({
      language: "python",
      code: "import time\nopen('/tmp/secret', 'w').write('x')\nopen('/dev/shm/secret', 'w').write('x')\ntime.sleep(1)\nreturn 1",
    });
    const seen = await python(
      "import os\nreturn [os.listdir('/tmp'), os.listdir('/dev/shm'), len([p for p in os.listdir('/proc') if p.isdigit()])]",
    );

    assert.deepEqual(seen, [[], [], 1]);
    assert.equal((await busy).status, 200);
  });

  test("is started without its arguments showing in the host's process list", async () => {
    // A sandbox that surely stands while its launcher is read: others may end at any time.
    const busy = server.runNow({ language: "python", code: "import time\ntime.sleep(1)\nreturn 1" });
    let launchers: string[][] = [];
    await eventually("a launcher is seen", () => {
      launchers = server
        .boxPids()
        .map(commandOf)
        .filter(([name]) => name?.endsWith("bwrap") === true);
      return launchers.length > 0;
    });
    await busy;

    for (const launcher of launchers)
      assert.ok(
        !launcher.includes("--setenv") && launcher.filter((word) => word === "--ro-bind").length <= 1,
        launcher.join(" "),
      );
  });

  test("may not start more processes than its limit", async () => {
    const count = await python(
      "import os, time\nn = 0\ntry:\n    while n < 500:\n        if os.fork() == 0:\n            time.sleep(30); os._exit(0)\n        n += 1\nexcept OSError:\n    pass\nreturn n",
    );

    assert.ok(Number(count) < 64, `${String(count)} children`);
  });

  test("gets no more CPU time than its share", async () => {
    const [cpuMs, wallMs] = (await python(
      "import time, os, threading\nt = time.monotonic()\nfor i in range(3):\n    if os.fork() == 0:\n        e = time.monotonic() + 1\n        while time.monotonic() < e: pass\n        os._exit(0)\nfor i in range(3): os.wait()\nu = os.times()\nreturn [(u.children_user + u.children_system) * 1000, (time.monotonic() - t) * 1000]",
    )) as [number, number];

    assert.ok(cpuMs < wallMs * 1.35, `${cpuMs} ms of CPU in ${wallMs} ms with one core allowed`);
  });
});

/** @returns the words that the process was started with; none where it is no more. */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
