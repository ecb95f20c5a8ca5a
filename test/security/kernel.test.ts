// System calls and what hides behind them: the kernel as the way out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";
import { all, type Call, callKernel, javascript, openFiles, python } from "./attacker.ts";

const HIGH_BIT = 2 ** 32; // the kernel reads 32 bits of these arguments; a filter that compares more is passed
const SIGCHLD = 17;
const SIGSYS = 31;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

const NAMESPACE_FLAGS = {
  user: 0x1000_0000,
  mount: 0x0002_0000,
  pid: 0x2000_0000,
  net: 0x4000_0000,
  ipc: 0x0800_0000,
  uts: 0x0400_0000,
  cgroup: 0x0200_0000,
  time: 0x80,
};

suite("the kernel", () => {
  let server: AttackedServer;
  before(async () => {
    server = await startAttacked({ TIMEOUT_SCRIPT: "5" });
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
  });

  for (const [name, flag] of Object.entries(NAMESPACE_FLAGS)) {
    test(`ESC-05: no new ${name} namespace, by no call`, async () => {
      const calls: Call[] = [
        ["unshare", flag],
        ["unshare", HIGH_BIT + flag],
        ["setns", 0, flag],
        // time: the flag is one of the exit signal's bits to clone, which is refused all the same
        ["clone", flag + SIGCHLD, 0, 0, 0, 0],
        ["clone", HIGH_BIT + flag + SIGCHLD, 0, 0, 0, 0],
      ];
      assert.deepEqual(await callKernel(server, calls), all(calls, "EPERM"));
    });
  }

  test("ESC-05: clone3, whose flags no filter sees, is not there", async () => {
    const calls: Call[] = [["clone3", "x".repeat(88), 88]];
    assert.deepEqual(await callKernel(server, calls), all(calls, "ENOSYS"));
  });

  test("ESC-06: nothing can be mounted or moved", async () => {
    const calls: Call[] = [
      ["mount", "none", "/tmp", "tmpfs", 0, 0],
      ["mount", "/", "/tmp", "", 4096, 0], // MS_BIND
      ["mount", "", "/", "", 32, 0], // MS_REMOUNT
      ["umount2", "/proc/sys", 2],
      ["umount2", "/dev/shm", 2],
      ["fsopen", "tmpfs", 0],
      ["fsconfig", 3, 0, 0, 0, 0],
      ["fsmount", 3, 0, 0],
      ["fspick", 3, "/", 0],
      ["open_tree", -100 + HIGH_BIT, "/", 1],
      ["move_mount", 3, "", 3, "/tmp", 4],
      ["mount_setattr", 3, "/", 0, 0, 0],
      ["pivot_root", "/tmp", "/tmp"],
      ["chroot", "/tmp"],
    ];
    assert.deepEqual(await callKernel(server, calls), all(calls, "EPERM"));
  });

  test("ESC-07: io_uring is not there, nor the older asynchronous calls", async () => {
    const calls: Call[] = [
      ["io_uring_setup", 8, "\0".repeat(120)],
      ["io_uring_enter", 3, 1, 0, 0, 0, 0],
      ["io_uring_register", 3, 0, 0, 0],
      ["io_setup", 1, 0],
    ];
    assert.deepEqual(await callKernel(server, calls), all(calls, "ENOSYS"));
  });

  test("ESC-07: Node's files and workers do without io_uring", async () => {
    const code = `
      const fs = require("fs/promises"), { Worker } = require("worker_threads");
      await fs.writeFile("/tmp/a", "text");
      const worker = new Worker("require('worker_threads').parentPort.postMessage(6 * 7)", { eval: true });
      const answer = new Promise((resolve) => worker.once("message", resolve));
      return [await fs.readFile("/tmp/a", "utf8"), await answer];
      `;
    assert.deepEqual(await javascript(server, code), ["text", 42]);
  });

  test("ESC-08: no programs, probes, keys or modules for the kernel", async () => {
    const keysBefore = readFileSync("/proc/key-users", "utf8").split("\n").length;
    const calls: Call[] = [
      ["bpf", 0, 0, 0],
      ["perf_event_open", "\0".repeat(128), 0, HIGH_BIT - 1, HIGH_BIT - 1, 0],
      ["userfaultfd", 1],
      ["add_key", "user", "name", "value", 5, HIGH_BIT - 4],
      ["request_key", "user", "name", 0, 0],
      ["keyctl", 0, HIGH_BIT - 3, 1],
      ["kexec_load", 0, 0, 0, 0],
      ["kexec_file_load", 0, 0, 0, 0, 0],
      ["init_module", 0, 0, ""],
      ["finit_module", 0, "", 0],
      ["delete_module", "ext4", 0],
      ["open_by_handle_at", 3, "", 0],
      ["name_to_handle_at", 3, "/", 0, 0, 0],
      ["fanotify_init", 0, 0],
      ["vmsplice", 1, 0, 0, 0],
      ["modify_ldt", 1, 0, 0],
      ["iopl", 3],
      ["ioperm", 0, 1, 1],
      ["personality", 0x0040000], // ADDR_NO_RANDOMIZE
      ["swapon", "/tmp/swap", 0],
      ["reboot", 0xfee1dead, 672274793, 0x4321fedc, 0],
      ["sethostname", "owned", 5],
      ["syslog", 3, 0, 0],
      ["acct", "/tmp/acct"],
      ["quotactl", 0, "", 0, 0],
      ["settimeofday", 0, 0],
      ["clock_settime", 0, 0],
      ["sched_setscheduler", 0, 1, 0], // SCHED_FIFO
      ["mbind", 0, 0, 0, 0, 0, 0],
      ["move_pages", 1, 0, 0, 0, 0, 0],
    ];
    assert.deepEqual(await callKernel(server, calls), all(calls, "EPERM"));
    assert.equal(readFileSync("/proc/key-users", "utf8").split("\n").length, keysBefore);
  });

  test("ESC-08: numbers that no kernel knows yet are not there", async () => {
    const code = `
      import ctypes
      libc = ctypes.CDLL(None, use_errno=True)
      errors = set()
      for number in range(471, 700):
          libc.syscall(number, 0, 0, 0, 0, 0, 0)
          errors.add(ctypes.get_errno())
      return list(errors)
      `;
    assert.deepEqual(await python(server, code), [38]); // ENOSYS
  });

  test("ESC-09: a child cannot trace the first process, or read and write its memory", async () => {
    const calls: Call[] = [
      ["ptrace", 16, 1, 0, 0], // PTRACE_ATTACH
      ["ptrace", 0x4206, 1, 0, 0], // PTRACE_SEIZE
      ["ptrace", 0, 0, 0, 0], // PTRACE_TRACEME
      ["process_vm_readv", 1, 0, 0, 0, 0, 0],
      ["process_vm_writev", 1, 0, 0, 0, 0, 0],
      ["process_madvise", 3, 0, 0, 0, 0],
      ["pidfd_getfd", 3, 0, 0],
      ["kcmp", 1, 1, 0, 0, 0],
    ];
    assert.deepEqual(await callKernel(server, calls), all(calls, "EPERM"));
  });

  test("ESC-10: the first process has no more rights than any other to win by rewriting it", async () => {
    const status = String(await python(server, "return open('/proc/1/status').read()"));

    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      assert.match(status, new RegExp(`^${set}:\\s+0+$`, "m"));
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
    assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    assert.match(status, /^Groups:\s*$/m);
  });

  test("ESC-10: nobody can become somebody", async () => {
    const calls: Call[] = [
      ["setuid", 0],
      ["setresuid", 0, 0, 0],
      ["setgid", 0],
      ["capset", 0, 0],
    ];
    const errors = await callKernel(server, calls);
    assert.deepEqual(errors, ["setuid: EINVAL", "setresuid: EINVAL", "setgid: EINVAL", "capset: ENOSYS"]);
  });

  /** The signal that ended a child which ran `code`. */
  async function signalOf(code: string): Promise<unknown> {
    return await python(
      server,
      `
      import ctypes, mmap, os
      pid = os.fork()
      if pid == 0:
          ${code}
          os._exit(0)
      return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
      `,
    );
  }

  // arm64 has neither.
  if (process.arch === "x64") {
    test("ESC-11: a call of x32 ends the process", async () => {
      assert.equal(await signalOf("ctypes.CDLL(None).syscall(0x40000000 | 39)"), -SIGSYS);
    });

    test("ESC-11: a call of 32-bit code ends the process", async () => {
      // mov eax, 20 (getpid); int 0x80; ret
      const machineCode = String.raw`b'\xb8\x14\x00\x00\x00\xcd\x80\xc3'`;
      const run = [
        `code = mmap.mmap(-1, 4096, prot=7); code.write(${machineCode})`,
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()",
      ].join("; ");
      assert.equal(await signalOf(run), -SIGSYS);
    });
  }

  test("ESC-12: no keystrokes for any terminal, also with a high bit set", async () => {
    const calls: Call[] = [TIOCSTI, TIOCLINUX, 0x541d, 0x5423].flatMap((request): Call[] =>
      [0, 1, 2].flatMap((fd): Call[] => [
        ["ioctl", fd, request, "x"],
        ["ioctl", fd, HIGH_BIT + request, "x"],
      ]),
    );
    assert.deepEqual(await callKernel(server, calls), all(calls, "EPERM"));
    assert.deepEqual(await openFiles(server, ["/dev/tty", "/dev/ptmx", "/dev/console"], "w"), [
      "ENOENT",
      "ENOENT",
      "ENOENT",
    ]);
  });

  test("ESC-18: devices beyond the harmless ones are not there and cannot be made", async () => {
    const devices = ["mem", "kmsg", "kvm", "fuse", "vda", "sda", "tty", "ptmx", "loop0", "net/tun", "hwrng"];
    assert.deepEqual(
      await openFiles(
        server,
        devices.map((name) => `/dev/${name}`),
        "r",
      ),
      devices.map(() => "ENOENT"),
    );
    const code = `
      import os, stat
      found = []
      for kind, device in ((stat.S_IFBLK, os.makedev(254, 0)), (stat.S_IFCHR, os.makedev(1, 1))):
          try:
              os.mknod('/tmp/node', kind | 0o666, device)
              found.append('made')
          except OSError as error:
              found.append(error.errno)
      os.mkfifo('/tmp/fifo')
      return found
      `;
    assert.deepEqual(await python(server, code), [1, 1]); // EPERM; a pipe with a name is harmless
  });

  test("NET-14: no socket of any family but unix, of any type", async () => {
    const families = Array.from({ length: 46 }, (_, family) => family).filter((family) => family !== 1);
    const calls: Call[] = families.flatMap((family): Call[] => [
      ["socket", family, 1, 0],
      ["socket", family, 2, 0],
      ["socket", family, 3, 255],
      ["socket", HIGH_BIT + family, 1, 0],
      ["socketpair", family, 1, 0, "\0".repeat(8)],
    ]);
    assert.deepEqual(await callKernel(server, calls), all(calls, "EAFNOSUPPORT"));
  });
});
