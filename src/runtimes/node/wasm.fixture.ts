// WebAssembly programs from text, and the worker that runs them, for the tests of this folder.
import type { TestContext } from "node:test";
import wabt from "wabt";
import { prepareWasm } from "./wasm.ts";
import { ShimProcess } from "./worker-under-test.ts";

const MIB = 1_048_576;
export const MEMORY_BYTES = 64 * MIB;

/** Every function of WASI that programs here may want, by the types of its parameters; all return an error number, if not none. */
const SIGNATURES = {
  args_get: "i32 i32",
  args_sizes_get: "i32 i32",
  clock_res_get: "i32 i32",
  clock_time_get: "i32 i64 i32",
  environ_get: "i32 i32",
  environ_sizes_get: "i32 i32",
  fd_advise: "i32 i64 i64 i32",
  fd_allocate: "i32 i64 i64",
  fd_close: "i32",
  fd_datasync: "i32",
  fd_fdstat_get: "i32 i32",
  fd_fdstat_set_flags: "i32 i32",
  fd_fdstat_set_rights: "i32 i64 i64",
  fd_filestat_get: "i32 i32",
  fd_filestat_set_size: "i32 i64",
  fd_pread: "i32 i32 i32 i64 i32",
  fd_prestat_dir_name: "i32 i32 i32",
  fd_prestat_get: "i32 i32",
  fd_pwrite: "i32 i32 i32 i64 i32",
  fd_read: "i32 i32 i32 i32",
  fd_readdir: "i32 i32 i32 i64 i32",
  fd_renumber: "i32 i32",
  fd_seek: "i32 i64 i32 i32",
  fd_sync: "i32",
  fd_tell: "i32 i32",
  fd_write: "i32 i32 i32 i32",
  path_create_directory: "i32 i32 i32",
  path_filestat_get: "i32 i32 i32 i32 i32",
  path_open: "i32 i32 i32 i32 i32 i64 i64 i32 i32",
  path_readlink: "i32 i32 i32 i32 i32 i32",
  path_unlink_file: "i32 i32 i32",
  poll_oneoff: "i32 i32 i32 i32",
  proc_exit: "i32",
  random_get: "i32 i32",
  sched_yield: "",
  sock_shutdown: "i32 i32",
} as const;

export type WasiFunction = keyof typeof SIGNATURES;

const compiler = await wabt();

/** A module from its whole text. */
export function moduleOf(text: string): Buffer {
  const parsed = compiler.parseWat("test.wat", text, { exceptions: true });
  try {
    return Buffer.from(parsed.toBinary({ write_debug_names: true }).buffer);
  } finally {
    parsed.destroy();
  }
}

/** A program whose `_start` is `body`; further `fields` of the module go before it. One page of memory. */
export function programOf(
  body: string,
  uses: readonly WasiFunction[] = [],
  fields = '(memory (export "memory") 1)',
): Buffer {
  const imports = uses.map((name) => {
    const parameters = SIGNATURES[name] === "" ? "" : `(param ${SIGNATURES[name]})`;
    const result = name === "proc_exit" ? "" : "(result i32)";
    return `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${parameters} ${result}))`;
  });
  return moduleOf(`(module ${imports.join("\n")} ${fields} (func (export "_start") ${body}))`);
}

/** Prints `bytes` bytes from `at`: lists them at 0, counts at 8. */
export function print(at: number, bytes: number, fd = 1): string {
  return `(i32.store (i32.const 0) (i32.const ${at})) (i32.store (i32.const 4) (i32.const ${bytes}))
    (drop (call $fd_write (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 8)))`;
}

/** Copies stdin to stdout until its end, in pieces of up to 32 KiB. */
export const CAT = programOf(
  `(loop $next
    (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 32768))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (if (i32.load (i32.const 8)) (then
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $next))))`,
  ["fd_read", "fd_write"],
);

/** A worker that is bound to `module` and ends with the test. */
export function boundTo(t: TestContext, module: Buffer, memoryBytes = MEMORY_BYTES): ShimProcess {
  const shim = new ShimProcess();
  t.after(() => shim.close());
  const { code, options } = prepareWasm("wasm", { text: "", artifacts: { wasm: module } }, memoryBytes);
  shim.send({ t: "bind", language: "wasm", options, concurrency: 1, env: { SECRET: "x" } }, code);
  return shim;
}
