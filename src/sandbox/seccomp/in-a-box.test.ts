// The filter in the real kernel: programs that must work behind it, and calls that must not.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import { findBubblewrap } from "../find-bubblewrap.ts";
import { seccompFilter } from "./compile.ts";
import { ERRNO } from "./policy.ts";
import { SYSCALL_NUMBERS } from "./syscalls.ts";

const ARCH = process.arch === "arm64" ? "arm64" : "x64";
const OTHER_ARCH = ARCH === "arm64" ? "x64" : "arm64";
const PYTHON = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path)) ?? "python3";
const ESBUILD = join(import.meta.dirname, `../../../node_modules/@esbuild/linux-${ARCH}/bin/esbuild`);
const TIMEOUT_MS = 30_000;
const SIGSYS_EXIT = 128 + 31;
const FILTER_FD = 3;
const BOX = [
  ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--chdir", "/tmp"],
  ...["--tmpfs", "/mnt", "--ro-bind", process.execPath, "/mnt/node", "--ro-bind", ESBUILD, "/mnt/esbuild"], // the project may lie in /tmp
  ...["--unshare-all", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--as-pid-1"],
  ...["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--seccomp", String(FILTER_FD), "--"],
];

/** Runs `command` in a box behind `filter`; what it prints, its errors included, and how it ended. */
async function boxed(
  filter: Buffer,
  command: readonly string[],
  input = "",
): Promise<{ code: number | null; out: string }> {
  const child = spawn(findBubblewrap().path, [...BOX, ...command], {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const filterPipe = child.stdio[FILTER_FD] as Writable;
  filterPipe.end(filter);
  child.stdin.on("error", () => {}); // a program that dies early does not read it
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { code, out: stdout + stderr };
}

const NODE_PROGRAM = `
  import { execFileSync, spawn } from "node:child_process";
  import { once } from "node:events";
  import fs from "node:fs";
  import net from "node:net";
  import { setTimeout as sleep } from "node:timers/promises";
  import { Worker } from "node:worker_threads";
  import { DatabaseSync } from "node:sqlite";
  import { gzipSync } from "node:zlib";

  const worker = new Worker(new URL("data:text/javascript,import{parentPort}from'node:worker_threads';parentPort.postMessage(6*7)"));
  console.log("worker", (await once(worker, "message"))[0]);

  console.log("child", execFileSync("/bin/sh", ["-c", "echo from $((40 + 2)) | cat"], { encoding: "utf8" }).trim());
  const child = spawn(process.execPath, ["-p", "'nested ' + process.version.length"], { stdio: ["ignore", "pipe", "inherit"] });
  console.log(String(await new Response(child.stdout).text()).trim());

  const server = net.createServer((socket) => socket.end("pong")).listen("/tmp/s");
  await once(server, "listening");
  console.log("socket", await new Response(net.connect("/tmp/s")).text());
  server.close();

  fs.writeFileSync("/tmp/a", "x".repeat(100_000));
  fs.copyFileSync("/tmp/a", "/tmp/b");
  fs.cpSync("/tmp/b", "/tmp/c", { preserveTimestamps: true });
  fs.chmodSync("/tmp/c", 0o600);
  console.log("files", fs.statSync("/tmp/c").size, (await fs.promises.readdir("/tmp")).sort().join());

  const database = new DatabaseSync("/tmp/db");
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (42)");
  console.log("sqlite", database.prepare("SELECT n FROM t").get().n);

  const before = Date.now();
  await sleep(20);
  console.log("timer", Date.now() - before >= 19);
  const module = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  let sum = 0;
  for (let n = 0; n < 1e6; n++) sum += n % 7; // long enough for every tier of the compiler
  console.log("machine code", module instanceof WebAssembly.Module, sum, gzipSync("x").length > 10);
`;

const PYTHON_PROGRAM = `
import asyncio, ctypes, mmap, multiprocessing, os, shutil, signal, socket, sqlite3, subprocess, tempfile, threading, time

print("child", subprocess.run(["/bin/sh", "-c", "echo $((40 + 2)) | cat"], capture_output=True, text=True).stdout.strip())

found = []
thread = threading.Thread(target=lambda: found.append(42))
thread.start(); thread.join()
print("thread", found)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "a")
    with open(path, "w") as file: file.write("x" * 1000)
    shutil.copy2(path, path + "b")
    os.mkfifo(os.path.join(folder, "fifo"))
    print("files", sorted(os.listdir(folder)), os.stat(path + "b").st_size)
    database = sqlite3.connect(os.path.join(folder, "db"))
    database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (42)")
    print("sqlite", database.execute("SELECT n FROM t").fetchone())

with multiprocessing.get_context("fork").Pool(2) as pool:
    print("pool", pool.map(abs, [-1, -2]))

one, other = socket.socketpair()
one.sendall(b"pong")
print("socket", other.recv(9))

async def wait():
    process = await asyncio.create_subprocess_exec("/bin/echo", "async", stdout=subprocess.PIPE)
    return (await process.communicate())[0]
print("asyncio", asyncio.run(wait()))

signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.05)
mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
print("random", len(os.urandom(8)), "priority", os.nice(1), "cores", len(os.sched_getaffinity(0)) > 0)
`;

/** Reads [[number, ...arguments]] and prints the errno of each, 0 for those that succeed. */
const PROBE = `
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
def errno_of(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(value) for value in arguments))
    return ctypes.get_errno() if result == -1 else 0
print(json.dumps([errno_of(*call) for call in json.load(sys.stdin)]))
`;

const HIGH = 2 ** 32;
const NEW_USER = 0x1000_0000;
const SIGCHLD = 17;
const AT_FDCWD = 0xffff_ff9c;
const PROBED: readonly (readonly [string, readonly number[], keyof typeof ERRNO])[] = [
  ["unshare", [NEW_USER], "EPERM"],
  ["setns", [0, 0], "EPERM"],
  ["clone", [NEW_USER + SIGCHLD], "EPERM"],
  ["clone", [HIGH + NEW_USER + SIGCHLD], "EPERM"],
  ["clone3", [0, 0], "ENOSYS"],
  ["mount", [0, 0, 0, 0, 0], "EPERM"],
  ["fsopen", [0, 0], "EPERM"],
  ["chroot", [0], "EPERM"],
  ["ptrace", [0, 0, 0, 0], "EPERM"],
  ["process_vm_readv", [1, 0, 0, 0, 0, 0], "EPERM"],
  ["kcmp", [1, 1, 0, 0, 0], "EPERM"],
  ["bpf", [0, 0, 0], "EPERM"],
  ["perf_event_open", [0, 0, 0, 0, 0], "EPERM"],
  ["userfaultfd", [1], "EPERM"],
  ["keyctl", [0, 0, 0], "EPERM"],
  ["add_key", [0, 0, 0, 0, 0], "EPERM"],
  ["vmsplice", [0, 0, 0, 0], "EPERM"],
  ["open_by_handle_at", [0, 0, 0], "EPERM"],
  ["io_uring_setup", [1, 0], "ENOSYS"],
  ["io_setup", [1, 0], "ENOSYS"],
  ["shmget", [0, 4096, 0o1600], "ENOSYS"],
  ["mq_open", [0, 0], "ENOSYS"],
  ["memfd_secret", [0], "ENOSYS"],
  ["seccomp", [0, 0, 0], "ENOSYS"],
  ["socket", [2, 1, 0], "EAFNOSUPPORT"],
  ["socket", [HIGH + 2, 1, 0], "EAFNOSUPPORT"],
  ["socket", [16, 3, 0], "EAFNOSUPPORT"],
  ["socket", [40, 1, 0], "EAFNOSUPPORT"],
  ["ioctl", [0, 0x5412, 0], "EPERM"],
  ["ioctl", [0, HIGH + 0x5412, 0], "EPERM"],
  ["personality", [0x4_0000], "EPERM"],
  ["prctl", [1, 0, 0, 0, 0], "EINVAL"],
  ["mknodat", [AT_FDCWD, 0, 0o020666, 0], "EPERM"],
  ["fsetxattr", [0, 0, 0, 0, 0], "EOPNOTSUPP"],
  ["sendto", [0, 0, 0, 1, 0, 0], "EOPNOTSUPP"],
];

async function probe(filter: Buffer, calls: readonly (readonly number[])[]): Promise<number[]> {
  const { code, out } = await boxed(filter, [PYTHON, "-c", PROBE], JSON.stringify(calls));
  assert.equal(code, 0, out);
  return JSON.parse(out) as number[];
}

function numberOf(name: string): number {
  return SYSCALL_NUMBERS[ARCH]().get(name) ?? assert.fail(name);
}

suite("behind the filter", () => {
  for (const memfd of [true, false]) {
    const filter = seccompFilter(ARCH, { memfd });

    test(`Node runs threads, children, sockets, files, SQLite, timers and machine code (memfd: ${memfd})`, async () => {
      const { code, out } = await boxed(filter, ["/mnt/node", "--input-type=module", "-e", NODE_PROGRAM]);

      assert.deepEqual(out.split("\n"), [
        "worker 42",
        "child from 42",
        `nested ${process.version.length}`,
        "socket pong",
        "files 100000 a,b,c",
        "sqlite 42",
        "timer true",
        "machine code true 2999997 true",
        "",
      ]);
      assert.equal(code, 0);
    });

    test(`Python runs threads, children, sockets, files, SQLite, asyncio and a process pool (memfd: ${memfd})`, async () => {
      const { code, out } = await boxed(filter, [PYTHON, "-c", PYTHON_PROGRAM]);

      assert.deepEqual(out.split("\n"), [
        "child 42",
        "thread [42]",
        "files ['a', 'ab', 'fifo'] 1000",
        "sqlite (42,)",
        "pool [1, 2]",
        "socket b'pong'",
        "asyncio b'async\\n'",
        "alarm",
        "random 8 priority 1 cores True",
        "",
      ]);
      assert.equal(code, 0);
    });

    test(`memfd_create ${memfd ? "works" : "is not there"} (memfd: ${memfd})`, async () => {
      // an address that nothing is mapped at: EFAULT where the kernel gets to see the call
      assert.deepEqual(await probe(filter, [[numberOf("memfd_create"), 0, 0]]), [memfd ? 14 : ERRNO.ENOSYS]);
    });
  }

  const filter = seccompFilter(ARCH, { memfd: true });

  test("a static Go program runs", async () => {
    const { code, out } = await boxed(filter, ["/mnt/esbuild", "--loader=ts"], "export const answer: number = 42");

    assert.deepEqual({ code, out }, { code: 0, out: "export const answer = 42;\n" });
  });

  test("calls that no box needs fail with the error of the policy", async () => {
    const errnos = await probe(
      filter,
      PROBED.map(([name, args]) => [numberOf(name), ...args]),
    );

    assert.deepEqual(
      PROBED.map(([name, args], index) => `${name} ${args.join(" ")}: ${errnos[index]}`),
      PROBED.map(([name, args, errno]) => `${name} ${args.join(" ")}: ${ERRNO[errno]}`),
    );
  });

  test("numbers that no kernel knows are not there", async () => {
    assert.deepEqual(await probe(filter, [[999], [0x3fff_ffff]]), [ERRNO.ENOSYS, ERRNO.ENOSYS]);
  });

  test("a call of x32 ends the process on x86-64, and is not there on arm64", async () => {
    const call = `import ctypes; print(ctypes.CDLL(None).syscall(${0x4000_0000 + 39}))`;
    const { code, out } = await boxed(filter, [PYTHON, "-c", call]);

    assert.deepEqual({ code, out }, ARCH === "x64" ? { code: SIGSYS_EXIT, out: "" } : { code: 0, out: "-1\n" });
  });

  test("the kernel takes the other architecture's filter, too, which then lets nothing run", async () => {
    const { code, out } = await boxed(seccompFilter(OTHER_ARCH, { memfd: true }), ["/bin/true"]);

    assert.deepEqual({ code, out }, { code: SIGSYS_EXIT, out: "" });
  });
});
