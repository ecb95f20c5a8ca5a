// WASI preview 1: each call gives the error number that it gives under `node:wasi`, in the same test, for what programs here have.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { boundTo, print, programOf, type WasiFunction } from "./wasm.fixture.ts";

const RESULTS_AT = 4096;
const FAR = 0x7fff_0000; // beyond the memory

function call(name: WasiFunction, ...args: readonly (number | bigint)[]): readonly [string, WasiFunction, string] {
  const given = args.map((value) => (typeof value === "bigint" ? `(i64.const ${value})` : `(i32.const ${value})`));
  const text = `${name}(${args.map((value) => (value === FAR ? "FAR" : String(value))).join(", ")})`;
  return [text, name, `(call $${name} ${given.join(" ")})`];
}

/** A subscription at 2048: `type`, of a clock or a descriptor. */
function poll(what: string, fields: string, count = 1): readonly [string, WasiFunction, string] {
  const body = `(block (result i32) (memory.fill (i32.const 2048) (i32.const 0) (i32.const 96)) ${fields}
    (call $poll_oneoff (i32.const 2048) (i32.const 3072) (i32.const ${count}) (i32.const 3200)))`;
  return [`poll_oneoff of ${what}`, "poll_oneoff", body];
}

const clock = (id: number, timeoutNs: number): string =>
  `(i32.store (i32.const 2064) (i32.const ${id})) (i64.store (i32.const 2072) (i64.const ${timeoutNs}))`;

/** What a program without files may call, and what it must not get by it. In this order: the last ones close what the others use. */
const CALLS = [
  call("args_sizes_get", 16, 20),
  call("args_get", 1024, 1100),
  call("args_sizes_get", FAR, 20),
  call("environ_sizes_get", 16, 20),
  call("environ_get", 1024, 1100),
  call("environ_sizes_get", 16, FAR),
  ...[0, 1, 2, 3].map((id) => call("clock_time_get", id, 1n, 16)),
  ...[0, 1].map((id) => call("clock_res_get", id, 16)),
  call("clock_time_get", 4, 1n, 16),
  call("clock_res_get", 9, 16),
  call("clock_time_get", 0, 1n, FAR),
  call("random_get", 16, 64),
  call("random_get", 16, 0),
  call("random_get", 16, FAR),
  call("sched_yield"),
  ...[0, 1, 2, 3, -1].map((fd) => call("fd_fdstat_get", fd, 16)),
  call("fd_fdstat_get", 0, FAR),
  ...[0, 3, 99].map((fd) => call("fd_prestat_get", fd, 16)),
  ...[0, 3, 99].map((fd) => call("fd_prestat_dir_name", fd, 16, 8)),
  call("fd_write", 1, 0, 0, 8),
  call("fd_write", 3, 0, 0, 8),
  call("fd_write", 1, FAR, 1, 8),
  call("fd_read", 0, 0, 0, 8),
  call("fd_read", 7, 0, 0, 8),
  call("fd_read", 0, 0, 0, FAR),
  ...[0, 1, 2, 5].map((fd) => call("fd_seek", fd, 0n, 1, 16)),
  ...[0, 1, 5].map((fd) => call("fd_tell", fd, 16)),
  ...[0, 1, 9].flatMap((fd) => [
    call("fd_pread", fd, 0, 0, 0n, 16),
    call("fd_pwrite", fd, 0, 0, 0n, 16),
    call("fd_advise", fd, 0n, 0n, 0),
    call("fd_allocate", fd, 0n, 1n),
    call("fd_sync", fd),
    call("fd_datasync", fd),
    call("fd_filestat_get", fd, 16),
    call("fd_filestat_set_size", fd, 0n),
    call("fd_readdir", fd, 16, 16, 0n, 16),
    call("path_open", fd, 0, 16, 4, 0, 0n, 0n, 0, 32),
    call("path_create_directory", fd, 16, 4),
    call("path_filestat_get", fd, 0, 16, 4, 32),
    call("path_readlink", fd, 16, 4, 32, 16, 48),
    call("path_unlink_file", fd, 16, 4),
  ]),
  ...[0, 1, 2, 9].map((fd) => call("fd_fdstat_set_flags", fd, 0)),
  call("fd_fdstat_set_flags", 0, 4),
  call("fd_write", 1, 8192, 2000, 8), // pieces without a byte
  call("fd_read", 0, 8192, 2000, 8),
  poll("nothing", "", 0),
  poll("the monotonic clock", clock(1, 1_000_000)),
  poll("the time of day", clock(0, 1_000_000)),
  call("fd_fdstat_set_rights", 9, 0n, 0n),
  call("fd_fdstat_set_rights", 2, 64n, 0n),
  call("fd_fdstat_set_rights", 2, 66n, 0n),
  call("fd_write", 2, 0, 0, 8),
  call("fd_fdstat_set_rights", 2, 0n, 0n),
  call("fd_write", 2, 0, 0, 8),
  call("fd_renumber", 9, 1),
  call("fd_close", 9),
  call("fd_close", 0),
  call("fd_read", 0, 0, 0, 8),
  call("fd_close", 0),
] as const;

const UNDER_NODE = `
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";
const wasi = new WASI({ version: "preview1", args: ["program"], env: { A: "1" }, returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
process.exitCode = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
`;

let folder: string;

/** What `module` prints under node:wasi, with pipes for its streams. */
function underNode(module: Buffer, input = ""): Buffer {
  const at = join(folder, `${Math.random()}.wasm`);
  writeFileSync(at, module);
  const { stdout, stderr, error } = spawnSync(
    process.execPath,
    ["--no-warnings", "--input-type=module", "-e", UNDER_NODE.replace("process.argv[2]", JSON.stringify(at))],
    { input, timeout: 30_000 },
  );
  assert.equal(error, undefined);
  assert.equal(stderr.toString(), "");
  return stdout;
}

suite("WASI", () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "wasi-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test(`${CALLS.length} calls give the error numbers of node:wasi`, async (t) => {
    const body = CALLS.map(([, , text], index) => `(i32.store (i32.const ${RESULTS_AT + index * 4}) ${text})`);
    const uses = new Set<WasiFunction>([...CALLS.map(([, name]) => name), "fd_write"]);
    const program = programOf(`${body.join("\n")} ${print(RESULTS_AT, CALLS.length * 4)}`, [...uses]);

    const expected = underNode(program);
    const shim = boundTo(t, program);
    shim.send({ t: "request", id: 1, cgi: { A: "1" }, end: true });
    assert.equal((await shim.next())?.t, "ready");
    const end = await shim.next();

    assert.deepEqual([end?.t, end?.end], ["response", true], end?.body);
    const ours = end?.data ?? Buffer.alloc(0);
    const told = (bytes: Buffer): string[] => CALLS.map(([name], index) => `${name}: ${bytes.readUInt32LE(index * 4)}`);
    assert.equal(expected.length, CALLS.length * 4);
    assert.deepEqual(told(ours), told(expected));
  });

  // Not as node:wasi, which says that it cannot do it; the specification's own tests ask for these.
  test("what is no socket is told as such", async (t) => {
    const [open, closed, notSocket, badDescriptor] = [1, 3, 57, 8];
    const program = programOf(
      `(call $proc_exit (i32.add (call $sock_shutdown (i32.const ${open}) (i32.const 1))
        (i32.mul (call $sock_shutdown (i32.const ${closed}) (i32.const 1)) (i32.const 256))))`,
      ["sock_shutdown", "proc_exit"],
    );

    assert.equal((await boundTo(t, program).run()).end.code, notSocket + badDescriptor * 256);
  });

  test("a program has its name as its argument, time that passes and bytes that differ", async (t) => {
    const program = programOf(
      `(drop (call $args_sizes_get (i32.const 16) (i32.const 20))) (drop (call $args_get (i32.const 24) (i32.const 1024)))
       (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 32)))
       (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 40)))
       (memory.fill (i32.const 2048) (i32.const 0) (i32.const 96))
       (i32.store (i32.const 2064) (i32.const 1)) (i64.store (i32.const 2072) (i64.const 30000000))
       (drop (call $poll_oneoff (i32.const 2048) (i32.const 3072) (i32.const 1) (i32.const 3200)))
       (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 48)))
       (drop (call $random_get (i32.const 56) (i32.const 8)))
       ${print(16, 48)} ${print(1024, 8)}`,
      ["args_sizes_get", "args_get", "clock_time_get", "poll_oneoff", "random_get", "fd_write"],
    );
    const shim = boundTo(t, program);
    const before = Date.now();
    const bytes = Buffer.concat((await shim.run()).logs.map(({ data }) => data));
    const again = Buffer.concat((await shim.run()).logs.map(({ data }) => data));

    assert.deepEqual([bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.toString("utf8", 48)], [1, 8, "program\0"]);
    const nowMs = Number(bytes.readBigUInt64LE(16) / 1_000_000n);
    assert.ok(nowMs >= before - 1000 && nowMs <= Date.now() + 1000, `${nowMs}`);
    const sleptNs = bytes.readBigUInt64LE(32) - bytes.readBigUInt64LE(24);
    assert.ok(sleptNs >= 29_000_000n, `${sleptNs}`);
    assert.notDeepEqual(bytes.subarray(40, 48), again.subarray(40, 48));
  });

  test("a stream's flags are told as they were set, and its end by a poll", async (t) => {
    const [nonBlocking, readAndPoll, hangup] = [4, 2 + 8 + 2 ** 21 + 2 ** 27, 1];
    const program = programOf(
      `(drop (call $fd_fdstat_set_flags (i32.const 0) (i32.const ${nonBlocking})))
       (drop (call $fd_fdstat_get (i32.const 0) (i32.const 16)))
       (memory.fill (i32.const 2048) (i32.const 0) (i32.const 96))
       (i32.store8 (i32.const 2056) (i32.const 1))
       (drop (call $poll_oneoff (i32.const 2048) (i32.const 3072) (i32.const 1) (i32.const 40)))
       (i32.store (i32.const 0) (i32.const 200)) (i32.store (i32.const 4) (i32.const 50))
       (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
       (drop (call $poll_oneoff (i32.const 2048) (i32.const 3104) (i32.const 1) (i32.const 40)))
       ${print(16, 24)} ${print(3072, 64)}`,
      ["fd_fdstat_set_flags", "fd_fdstat_get", "poll_oneoff", "fd_read", "fd_write"],
    );
    const bytes = Buffer.concat((await boundTo(t, program).run("some text")).logs.map(({ data }) => data));

    assert.deepEqual([bytes.readUInt16LE(2), Number(bytes.readBigUInt64LE(8))], [nonBlocking, readAndPoll]);
    const told = [24, 56].map((at) => [Number(bytes.readBigUInt64LE(at + 16)), bytes.readUInt16LE(at + 24)]);
    assert.deepEqual(told, [
      [1, 0],
      [0, hangup],
    ]);
  });

  test("closed streams stay closed for this run, and are open in the next", async (t) => {
    const program = programOf(
      `(drop (call $fd_close (i32.const 2))) (drop (call $fd_renumber (i32.const 1) (i32.const 0)))
       (i32.store (i32.const 100) (i32.const 0x0a6b6f)) ${print(100, 3, 0)} ${print(100, 3, 1)} ${print(100, 3, 2)}`,
      ["fd_close", "fd_renumber", "fd_write"],
    );
    const shim = boundTo(t, program);

    for (let run = 0; run < 2; run += 1) {
      const { logs } = await shim.run();
      assert.deepEqual(
        logs.map(({ stream, body }) => [stream, body]),
        [["stdout", "ok\n"]],
      );
    }
  });
});
