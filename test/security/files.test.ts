// What code in a box can see and change: files, /proc, processes, variables, descriptors.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { after, afterEach, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";
import { eventually, javascript, openFiles, python } from "./attacker.ts";

const MIB = 1024 * 1024;
const SECRET = "hush-0123456789";

suite("files and processes", () => {
  let server: AttackedServer;
  before(async () => {
    process.env["CLOCHE_TEST_SECRET"] = SECRET; // what the server's own parent has, too
    server = await startAttacked({ TIMEOUT_SCRIPT: "5", CLOCHE_TEST_SECRET: SECRET });
  });
  after(async () => {
    delete process.env["CLOCHE_TEST_SECRET"];
    await server.dispose();
  });
  afterEach(async () => {
    await server.settled();
  });

  const SYSCTLS = ["kernel/core_pattern", "vm/drop_caches", "kernel/hostname", "kernel/modprobe", "fs/suid_dumpable"];

  for (const [language, attempt] of [
    ["python", (path: string) => python(server, `open(${JSON.stringify(path)}, 'r+')`)],
    ["javascript", (path: string) => javascript(server, `require("fs").openSync(${JSON.stringify(path)}, "r+")`)],
  ] as const) {
    test(`ESC-01: ${language} finds no sysctl to change`, async () => {
      const before = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
      for (const name of SYSCTLS) await assert.rejects(attempt(`/proc/sys/${name}`), /ENOENT|No such file/);
      assert.equal(readFileSync("/proc/sys/kernel/core_pattern", "utf8"), before);
    });
  }

  test("ESC-01: no process of a box is root on the host", async () => {
    await python(server, "return 1");
    const uids = server.boxPids().map((pid) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

    assert.ok(uids.length >= 2);
    assert.ok(!uids.includes("0"), uids.join());
  });

  test("ESC-04: no folder of the host is writable, so nothing planted is ever followed", async () => {
    const mounts = String(await python(server, "return open('/proc/self/mountinfo').read()"));
    const writable = mounts.split("\n").filter((line) => / rw[ ,]/.test(line.split(" - ")[0] ?? ""));
    const places = writable.map((line) => line.split(" ")[4] ?? "").toSorted();

    const devices = ["full", "null", "random", "urandom", "zero"].map((name) => `/dev/${name}`);
    assert.deepEqual(places, [...devices, "/dev/shm", "/proc", "/tmp"].toSorted());
  });

  test("ESC-04: links in /tmp to files of the host lead to nothing and end with the run", async () => {
    const code = `
      import os
      links = {'stdout.txt': '/etc/shadow', 'result.json': '/root/.ssh/id_rsa', 'cron': '/etc/cron.d'}
      left = os.listdir('/tmp')
      for name, target in links.items(): os.symlink(target, '/tmp/' + name)
      return [left, [os.path.exists('/tmp/' + name) for name in links]]
      `;
    for (let run = 0; run < 2; run++) assert.deepEqual(await python(server, code), [[], [false, false, false]]);
  });

  test("ESC-14: no variable of the server is to be found", async () => {
    const code = `
      import os
      found = []
      for folder, _, names in os.walk('/proc'):
          for name in names:
              if name in ('environ', 'cmdline', 'auxv'):
                  try: found.append(open(folder + '/' + name, 'rb').read().decode('latin-1'))
                  except OSError: pass
      return [repr(os.environ), *found]
      `;
    const seen = JSON.stringify(await python(server, code));
    assert.ok(!seen.includes(SECRET), seen);
    assert.ok(!seen.includes("DATA_DIR"), seen);
    const env = (await javascript(server, "return process.env")) as Record<string, string>;
    assert.deepEqual(Object.keys(env).toSorted(), ["HOME", "LANG", "PATH", "PWD", "SSL_CERT_FILE", "TMPDIR"]);
  });

  test("ESC-15: no process of a box has arguments or variables that tell anything", async () => {
    await python(server, "return 1");
    for (const pid of server.boxPids()) {
      const shown = ["cmdline", "environ"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8")).join("");
      // The one path is that of the box's own door to the gate, which differs from box to box.
      const others = shown.replace(/--ro-bind\0\/tmp\/cloche-gate-[-\w]+\/[0-9a-f]+\0\/run\/egress\.sock/g, "");
      assert.doesNotMatch(others, /--setenv|--ro-bind|--seccomp\0\/|cloche-attacked/, shown);
      assert.ok(!shown.includes(SECRET));
    }
  });

  test("ESC-16: no mount lets setuid bits or devices count, and no setuid program is there", async () => {
    const mounts = String(await python(server, "return open('/proc/self/mountinfo').read()"))
      .trim()
      .split("\n");
    const fields = mounts.map((line) => line.split(" ").slice(4, 6));

    assert.deepEqual(
      fields.filter(([, options = ""]) => !options.split(",").includes("nosuid")),
      [],
    );
    assert.deepEqual(
      fields.filter(
        ([place = "", options = ""]) => !place.startsWith("/dev/") && !options.split(",").includes("nodev"),
      ),
      [],
    );
    const code = `
      import os
      found = []
      for folder, _, names in os.walk('/'):
          if folder.startswith('/proc'): continue
          for name in names:
              try:
                  if os.lstat(folder + '/' + name).st_mode & 0o6000: found.append(folder + '/' + name)
              except OSError: pass
      return found
      `;
    assert.deepEqual(await python(server, code), []);
  });

  test("ESC-16: a program that is made setuid runs with the rights of everybody else", async () => {
    const code = `
      const fs = require("fs"), { spawnSync } = require("child_process");
      fs.symlinkSync(process.execPath, "/tmp/link");
      fs.writeFileSync("/tmp/program", "#!" + process.execPath + "\\nconsole.log(process.getuid(), process.geteuid())");
      fs.chmodSync("/tmp/program", 0o6755);
      return spawnSync("/tmp/program", { encoding: "utf8" }).stdout;
      `;
    assert.equal(await javascript(server, code), "65534 65534\n");
  });

  const WRITE_EVERYWHERE = `
    import os
    wrote = []
    for folder, _, _ in os.walk('/'):
        if folder.startswith('/proc/') and folder.split('/')[2].isdigit(): continue
        try:
            open(folder + '/probe', 'w').close(); wrote.append(folder)
        except OSError: pass
    return wrote
    `;

  test("ESC-17, RES-07: python can write to /tmp and /dev/shm and nowhere else", async () => {
    assert.deepEqual(await python(server, WRITE_EVERYWHERE), ["/dev/shm", "/tmp"]);
  });

  test("ESC-17, RES-07: javascript can write to /tmp and /dev/shm and nowhere else", async () => {
    const code = `
      const fs = require("fs"), wrote = [], folders = ["/"];
      for (const folder of folders) {
        try { fs.writeFileSync(folder + "/probe", ""); wrote.push(folder); } catch {}
        if (/^\\/proc\\/(\\d|self|thread-self)/.test(folder)) continue;
        let entries = [];
        try { entries = fs.readdirSync(folder, { withFileTypes: true }); } catch {}
        for (const entry of entries) if (entry.isDirectory()) folders.push((folder + "/" + entry.name).replace("//", "/"));
      }
      return wrote.sort();
      `;
    assert.deepEqual(await javascript(server, code), ["/dev/shm", "/tmp"]);
  });

  test("ESC-17: what the box runs from cannot be changed, replaced or removed", async () => {
    const code = `
      import errno, os, sys
      errors = set()
      files = [sys.executable, '/lib64', os.__file__, '/shim', '/rt']
      for path in files:
          if not os.path.lexists(path): continue
          for attempt in (
              lambda: os.open(path, os.O_WRONLY), lambda: os.remove(path), lambda: os.rename(path, path + 'x'),
              lambda: os.chmod(path, 0o777), lambda: os.rename('/tmp', path), lambda: os.link(path, path + 'y'),
          ):
              try: attempt(); errors.add('worked on ' + path)
              except OSError as error: errors.add(errno.errorcode[error.errno])
      return sorted(errors)
      `;
    const errors = (await python(server, code)) as string[];
    const refusals = new Set(["EROFS", "EACCES", "EPERM", "EBUSY", "EXDEV", "ETXTBSY", "EISDIR"]);
    assert.deepEqual(
      errors.filter((error) => !refusals.has(error)),
      [],
    );
  });

  test("ESC-19: /proc is silent about the kernel, its keys and its machine", async () => {
    const silent = [
      ...["kallsyms", "kcore", "kmsg", "keys", "key-users", "timer_list", "sched_debug", "modules", "config.gz"],
      ...["interrupts", "diskstats", "cmdline", "kpagecount", "kpageflags", "kpagecgroup", "vmallocinfo", "slabinfo"],
      ...["sysrq-trigger", "pressure/cpu", "pressure/memory", "sys/kernel/random/boot_id", "1/../sys/kernel/version"],
    ];
    const answers = await openFiles(
      server,
      silent.map((name) => `/proc/${name}`),
      "r",
    );

    // An empty file tells nothing either: /proc/keys holds the keys of a user that has none.
    const told = silent.filter((_, index) => !["EACCES", "ENOENT", "EPERM", "empty"].includes(answers[index] ?? ""));
    assert.deepEqual(told, []);
  });

  test("ESC-19: there is no /sys, and nothing of the host's users", async () => {
    const paths = [
      "/sys/kernel",
      "/sys/class",
      "/etc/passwd",
      "/etc/shadow",
      "/etc/hostname",
      "/root",
      "/home",
      "/var",
    ];
    const code = "import os\nreturn [path for path in input if os.path.lexists(path)]";
    assert.deepEqual(await python(server, code, paths), []);
  });

  for (const [language, read] of [
    ["python", () => python(server, "return open('/proc/self/mountinfo').read()")],
    ["javascript", () => javascript(server, "return require('fs').readFileSync('/proc/self/mountinfo', 'utf8')")],
  ] as const) {
    test(`ESC-20: mounts tell ${language} neither a home folder nor where the product and its data lie`, async () => {
      const sources = String(await read())
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[3] ?? "");

      const telling = [homedir(), process.cwd(), server.dataDir];
      assert.deepEqual(
        sources.filter((source) => telling.some((folder) => source.startsWith(`${folder}/`))),
        [],
      );
    });
  }

  test("ESC-21: only the box's own processes can be seen and signalled", async () => {
    const code = `
      import errno, os, signal
      visible = [name for name in os.listdir('/proc') if name.isdigit()]
      errors = set()
      for pid in [*input, *range(2, 3000)]:
          if str(pid) in visible: continue
          try: os.kill(pid, signal.SIGKILL); errors.add('killed')
          except OSError as error: errors.add(errno.errorcode[error.errno])
      return [visible, sorted(errors)]
      `;
    const { pid } = server.process;
    assert.deepEqual(await python(server, code, [pid, server.nurseryPid]), [["1"], ["ESRCH"]]);
    assert.equal(server.process.exitCode, null);
  });

  test("ESC-21: a function that kills all it can kills itself only", async () => {
    const neighbour = python(server, "import time\ntime.sleep(0.5)\nreturn 'alive'");
    const killAll = `
      import os, signal
      if os.fork() == 0:
          os.kill(-1, signal.SIGKILL)
      os.kill(0, signal.SIGKILL)
      os.kill(os.getpid(), signal.SIGKILL)
      return 'there'
      `;
    const node = `
      for (const pid of [-1, 0, 1]) try { process.kill(pid, "SIGKILL") } catch {}
      return "there"
      `;
    await server.runNow({ language: "python", code: killAll.replaceAll("\n      ", "\n") });
    await server.runNow({ language: "javascript", code: node });

    assert.equal(await neighbour, "alive");
    assert.equal(server.process.exitCode, null);
  });

  test("ESC-21, TEN-04: no namespace is shared with the host or with another box", async () => {
    const names = ["user", "pid", "mnt", "net", "ipc", "uts", "cgroup"];
    const read = `import os\nreturn [os.readlink('/proc/self/ns/' + name) for name in input] # `;
    const [one, other] = (await Promise.all([
      python(server, `${read}1`, names),
      python(server, `${read}2`, names),
    ])) as [string[], string[]];
    for (const [index, name] of names.entries()) {
      const own = readlinkSync(`/proc/self/ns/${name}`);
      assert.equal(new Set([own, one[index], other[index]]).size, 3, name);
    }
  });

  test("ESC-30: every box was started by the first thread of the process that starts them", async () => {
    await python(server, "return 1");
    const { nurseryPid } = server;
    const ofFirstThread = readFileSync(`/proc/${nurseryPid}/task/${nurseryPid}/children`, "utf8");
    const children = new Set(ofFirstThread.split(" ").filter(Boolean).map(Number));
    const launchers = server.boxPids().filter((pid) => parentOf(pid) === nurseryPid);

    assert.ok(launchers.length >= 1);
    assert.deepEqual(
      launchers.filter((pid) => !children.has(pid)),
      [],
    );
  });

  test("ESC-30: threads that end take nothing of the server with them", async () => {
    const code = `
      const { Worker } = require("worker_threads");
      const workers = Array.from({ length: 4 }, () => new Worker("setInterval(() => {}, 1000)", { eval: true }));
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("online", resolve))));
      await Promise.all(workers.map((worker) => worker.terminate()));
      return workers.length;
      `;
    assert.equal(await javascript(server, code), 4);
    assert.equal(await javascript(server, "return 'next'"), "next");
  });

  test("RES-06: /tmp and /dev/shm take what they hold, and no more", async () => {
    const code = `
      import errno
      def fill(path):
          size = 0
          with open(path, 'wb', buffering=0) as file:
              try:
                  while True: size += file.write(bytes(65536))
              except OSError as error:
                  return [size, errno.errorcode[error.errno]]
      return [fill('/tmp/big'), fill('/dev/shm/big')]
      `;
    const usedBefore = statSync(server.dataDir).size;
    assert.deepEqual(await python(server, code), [
      [16 * MIB, "ENOSPC"],
      [MIB, "ENOSPC"],
    ]);
    assert.equal(statSync(server.dataDir).size, usedBefore);
  });

  test("RES-15: descriptors end at 256, for each language", async () => {
    const inPython = `
      import errno, os
      count = 0
      try:
          while count < 10000: os.open('/dev/null', os.O_RDONLY); count += 1
      except OSError as error:
          return [count, errno.errorcode[error.errno]]
      `;
    const inJavascript = `
      let count = 0;
      try { for (; count < 10000; count++) require("fs").openSync("/dev/null") } catch (error) { return [count, error.code] }
      `;
    for (const result of [await python(server, inPython), await javascript(server, inJavascript)]) {
      const [count, error] = result as [number, string];
      assert.equal(error, "EMFILE");
      assert.ok(count < 256, `${count}`);
    }
  });

  test("RES-16: one file cannot be larger than /tmp and the limit of a file", async () => {
    const code = `
      import errno, os, resource, signal
      signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
      errors = []
      for action in (lambda f: os.ftruncate(f, 1 << 30), lambda f: os.posix_fallocate(f, 0, 1 << 30)):
          f = os.open('/tmp/huge', os.O_RDWR | os.O_CREAT)
          try: action(f); errors.append('worked')
          except OSError as error: errors.append(errno.errorcode[error.errno])
      return [errors, list(resource.getrlimit(resource.RLIMIT_FSIZE))]
      `;
    const [errors, limits] = (await python(server, code)) as [string[], number[]];
    assert.deepEqual(errors, ["EFBIG", "EFBIG"]);
    assert.deepEqual(limits, [64 * MIB, 64 * MIB]);
  });

  test("RES-17: a crash dumps no memory, and the limit cannot be raised", async () => {
    const code = `
      import os, resource
      limits = resource.getrlimit(resource.RLIMIT_CORE)
      try: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)); raised = True
      except (OSError, ValueError): raised = False
      status = []
      for crash in (os.abort, lambda: __import__('ctypes').string_at(0)):
          pid = os.fork()
          if pid == 0: crash()
          status.append(os.WCOREDUMP(os.waitpid(pid, 0)[1]))
      return [list(limits), raised, status, os.listdir('/tmp')]
      `;
    assert.deepEqual(await python(server, code), [[0, 0], false, [false, false], []]);
    assert.ok(!existsSync(`${server.dataDir}/core`));
  });

  test("RES-25: boxes are the first to die when the host is out of memory, the server is not", async () => {
    await python(server, "return 1");
    const scores = server.boxPids().map((pid) => Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8")));

    assert.ok(scores.length >= 2);
    for (const score of scores) assert.equal(score, 800);
    for (const pid of [server.process.pid, server.nurseryPid])
      assert.ok(Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8")) < 800);
  });

  test("RES-11: a daemon that left its session ends with its worker", async () => {
    const code = `
      import os, signal, time
      if os.fork() == 0:
          os.setsid()
          signal.signal(signal.SIGTERM, signal.SIG_IGN)
          if os.fork() == 0: time.sleep(60)
          open('/tmp/born', 'w').close()
          time.sleep(60)
      while not os.path.exists('/tmp/born'): time.sleep(0.001)
      return len([name for name in os.listdir('/proc') if name.isdigit()])
      `;
    assert.equal(await python(server, code), 3);
    await eventually("the daemons are gone", () => !server.boxPids().some(ignoresTerm));
  });

  test("TEN-08: of the host's counters, those that show single events are covered", async () => {
    const covered = ["pressure/cpu", "pressure/io", "pressure/memory", "interrupts", "diskstats"];
    const answers = await openFiles(
      server,
      covered.map((name) => `/proc/${name}`),
      "r",
    );
    for (const answer of answers) assert.ok(["ENOENT", "EACCES", "empty"].includes(answer), answers.join());
  });
});

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function ignoresTerm(pid: number): boolean {
  try {
    const ignored = /^SigIgn:\s+([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${ignored}`) & (1n << 14n)) !== 0n;
  } catch {
    return false; // gone
  }
}
