// Whether an uploaded WebAssembly module can run here, from its sections alone: only a sandbox compiles it.
// Source: WebAssembly core specification, section 5 (binary format); WASI preview 1 (snapshot).
import { PlatformError } from "../core/errors.ts";

const MAGIC = Buffer.from("\0asm", "latin1");
const CORE_VERSION = 1;
const PAGE_BYTES = 64 * 1024;
const MIB = 1024 * 1024;
const SECTION = { imports: 2, functions: 3, memory: 5, exports: 7, code: 10 } as const;
const KINDS = ["function", "table", "memory", "global", "tag"];
const FUNCTION = 0;
const MEMORY = 2;
const MAX_COUNT = 100_000;
const HAS_MAXIMUM = 1;
const SHARED = 2;
const OF_64_BITS = 4;

const WASI = "wasi_snapshot_preview1";
const WASI_FUNCTIONS: ReadonlySet<string> = new Set(
  (
    "args_get args_sizes_get clock_res_get clock_time_get environ_get environ_sizes_get fd_advise fd_allocate fd_close " +
    "fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size " +
    "fd_filestat_set_times fd_pread fd_prestat_dir_name fd_prestat_get fd_pwrite fd_read fd_readdir fd_renumber fd_seek " +
    "fd_sync fd_tell fd_write path_create_directory path_filestat_get path_filestat_set_times path_link path_open " +
    "path_readlink path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit proc_raise " +
    "random_get sched_yield sock_accept sock_recv sock_send sock_shutdown"
  ).split(" "),
);

export function isWasm(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * @param memoryBytes the most that a run may have
 * @throws PlatformError UNSUPPORTED_FILE with what it is instead of a whole program for WASI preview 1
 */
export function inspectWasm(bytes: Buffer, memoryBytes: number): void {
  const reader = new Reader(bytes);
  reader.skip(MAGIC.length);
  const version = reader.uint32();
  if (version !== CORE_VERSION) {
    throw refused(version === 0x1000d ? "is a component; core modules are taken" : `has version ${version}, not 1`);
  }
  const exported = new Set<string>();
  let declared = 0;
  let defined = 0;
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const section = reader.part(reader.leb());
    if (id === SECTION.imports) checkImports(section);
    else if (id === SECTION.memory) checkMemories(section, memoryBytes);
    else if (id === SECTION.functions) declared = section.leb();
    else if (id === SECTION.code) defined = section.leb();
    else if (id === SECTION.exports) for (const name of exportsOf(section)) exported.add(name);
  }
  if (declared !== defined) throw refused(`is truncated: it declares ${declared} functions and has ${defined}`);
  for (const name of [`${FUNCTION}_start`, `${MEMORY}memory`]) {
    if (exported.has(name)) continue;
    throw refused(
      `exports no ${KINDS[Number(name[0])]} "${name.slice(1)}", as a program for WASI does (a library has none)`,
    );
  }
}

function checkImports(section: Reader): void {
  for (let left = section.count(); left > 0; left--) {
    const from = section.text();
    const name = section.text();
    const kind = section.byte();
    if (kind !== FUNCTION) {
      throw refused(`imports the ${KINDS[kind] ?? "thing"} ${from}.${name}; only functions of ${WASI} are there`);
    }
    section.leb(); // its type
    if (from !== WASI || !WASI_FUNCTIONS.has(name)) {
      throw refused(`imports ${JSON.stringify(`${from}.${name}`)}, which is not there; only functions of ${WASI} are`);
    }
  }
}

function checkMemories(section: Reader, memoryBytes: number): void {
  const count = section.count();
  if (count > 1) throw refused(`has ${count} memories; one is possible`);
  if (count === 0) return;
  const flags = section.byte();
  if ((flags & ~HAS_MAXIMUM) !== 0) {
    const what = flags & SHARED ? "shared memory" : flags & OF_64_BITS ? "64-bit memory" : "memory of an unknown kind";
    throw refused(`has ${what}, which is not possible`);
  }
  const least = section.leb() * PAGE_BYTES;
  if (least <= memoryBytes) return;
  throw refused(
    `begins with ${Math.ceil(least / MIB)} MiB of memory (max ${Math.floor(memoryBytes / MIB)} MiB, setting MAX_MEMORY)`,
  );
}

/** Each name behind the digit of its kind. */
function* exportsOf(section: Reader): Generator<string> {
  for (let left = section.count(); left > 0; left--) {
    const name = section.text();
    const kind = section.byte();
    section.leb();
    yield `${kind}${name}`;
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  /** An unsigned number of up to 32 bits. */
  leb(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw refused("is damaged: a number is too long");
  }

  count(): number {
    const count = this.leb();
    if (count > MAX_COUNT) throw refused(`has ${count} imports or exports (max ${MAX_COUNT})`);
    return count;
  }

  text(): string {
    const bytes = this.leb();
    const start = this.#take(bytes);
    return this.#bytes.toString("utf8", start, start + bytes);
  }

  part(bytes: number): Reader {
    const start = this.#take(bytes);
    return new Reader(this.#bytes.subarray(start, start + bytes));
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#bytes.length) throw refused("is truncated or damaged: it ends within a section");
    this.#at = start + bytes;
    return start;
  }
}

function refused(why: string): PlatformError {
  return new PlatformError("UNSUPPORTED_FILE", `the module ${why}`);
}
