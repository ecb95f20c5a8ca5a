// @ts-check
"use strict";
// WASI preview 1 for programs that have stdin, stdout, stderr, arguments, variables, clocks and randomness, and nothing else: no
// files, no folders, no sockets. Source: https://github.com/WebAssembly/WASI/tree/main/legacy/preview1; where that leaves a choice,
// the answers are those of `node:wasi`, with which wasi.test.ts compares them; on sockets those of the specification's own tests.
//
// Ours, since the libraries bring file systems that nobody may use, copy each byte twice and sleep by spinning.
const { randomFillSync } = require("node:crypto");
const { RIGHT, Streams } = require("./wasi-streams.cjs");

const ERRNO = { SUCCESS: 0, BADF: 8, INVAL: 28, NOSYS: 52, NOTSOCK: 57, OVERFLOW: 61, NOTCAPABLE: 76 };
const CLOCK = { REALTIME: 0, MONOTONIC: 1, PROCESS: 2, THREAD: 3 };
const EVENT = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 };
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const FILE_STAT_BYTES = 64;
const ABSOLUTE_TIME = 1;
const HANGUP = 1;
const UNKNOWN_FILE_TYPE = 0;
/** Append, dsync, nonblock, rsync, sync. */
const ALL_FLAGS = 31;

const { Memory } = WebAssembly;
const { hrtime } = process;
const wait = Atomics.wait;
const waitCell = new Int32Array(new SharedArrayBuffer(4));

/** Thrown through the module to end it; one for all, since making a trace costs more than a small run. */
const EXIT = new Error("the program has ended itself");

/** What one call of a program works with. */
class Wasi {
  streams = new Streams();
  /** @type {Buffer[]} each ends with a zero */
  args = [];
  /** @type {Buffer[]} */
  environ = [];
  /** Of the program that ended itself last. */
  exitCode = 0;
  #memory = new Memory({ initial: 0 });
  #view = new DataView(new ArrayBuffer(0));

  /** The imports of every instance; which call they are for is told by `enter`. @type {Record<string, (...args: any[]) => number>} */
  imports = {
    args_get: (pointers, texts) => this.#putTexts(this.args, pointers, texts),
    args_sizes_get: (count, bytes) => this.#putSizes(this.args, count, bytes),
    environ_get: (pointers, texts) => this.#putTexts(this.environ, pointers, texts),
    environ_sizes_get: (count, bytes) => this.#putSizes(this.environ, count, bytes),
    clock_res_get: (id, out) => (id in NOW ? this.#put64(out, 1n) : ERRNO.INVAL),
    clock_time_get: (id, _precision, out) => (id in NOW ? this.#put64(out, NOW[id]()) : ERRNO.INVAL),
    fd_close: (fd) => (this.streams.close(fd) ? ERRNO.SUCCESS : ERRNO.BADF),
    fd_fdstat_get: (fd, out) => this.#describe(fd, out),
    fd_fdstat_set_flags: (fd, flags) => this.#setFlags(fd, flags),
    fd_fdstat_set_rights: (fd, base, inheriting) => this.#dropRights(fd, base, inheriting),
    fd_filestat_get: (fd, out) => this.#describeFile(fd, out),
    fd_read: (fd, iovecs, count, out) => this.#transfer("in", fd, iovecs, count, out),
    fd_write: (fd, iovecs, count, out) => this.#transfer("out", fd, iovecs, count, out),
    fd_renumber: (from, to) => (this.streams.renumber(from, to) ? ERRNO.SUCCESS : ERRNO.BADF),
    fd_prestat_get: (fd) => this.#refuse(fd, ERRNO.INVAL),
    fd_prestat_dir_name: () => ERRNO.BADF,
    poll_oneoff: (subscriptions, events, count, out) => this.#poll(subscriptions, events, count, out),
    proc_exit: (code) => {
      this.exitCode = code >>> 0;
      throw EXIT;
    },
    proc_raise: () => ERRNO.NOSYS,
    random_get: (at, bytes) => {
      if (!this.#holds(at, bytes)) return ERRNO.OVERFLOW;
      randomFillSync(this.#bytes(at >>> 0, bytes >>> 0));
      return ERRNO.SUCCESS;
    },
    sched_yield: () => ERRNO.SUCCESS,
  };

  constructor() {
    for (const name of ON_FILES) this.imports[name] = (fd) => this.#refuse(fd, ERRNO.NOTCAPABLE);
    for (const name of ON_SOCKETS) this.imports[name] = (fd) => this.#refuse(fd, ERRNO.NOTSOCK);
    this.imports["path_symlink"] = (_text, _bytes, fd) => this.#refuse(fd, ERRNO.NOTCAPABLE);
  }

  /** From now on the imports are those of the instance that this is the memory of. @param {WebAssembly.Memory} memory */
  enter(memory) {
    this.#memory = memory;
  }

  /** Growing makes a new buffer. */
  get #data() {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = new DataView(this.#memory.buffer);
    return this.#view;
  }

  #holds(at, bytes) {
    return (at >>> 0) + (bytes >>> 0) <= this.#data.byteLength;
  }

  #bytes(at, bytes) {
    return new Uint8Array(this.#memory.buffer, at, bytes);
  }

  #put64(at, value) {
    if (!this.#holds(at, 8)) return ERRNO.OVERFLOW;
    this.#data.setBigUint64(at >>> 0, value, true);
    return ERRNO.SUCCESS;
  }

  #refuse(fd, errno) {
    return this.streams.has(fd) ? errno : ERRNO.BADF;
  }

  #putSizes(texts, count, bytes) {
    if (!this.#holds(count, 4) || !this.#holds(bytes, 4)) return ERRNO.OVERFLOW;
    this.#data.setUint32(count >>> 0, texts.length, true);
    this.#data.setUint32(bytes >>> 0, lengthOf(texts), true);
    return ERRNO.SUCCESS;
  }

  #putTexts(texts, pointers, at) {
    if (!this.#holds(pointers, texts.length * 4) || !this.#holds(at, lengthOf(texts))) return ERRNO.OVERFLOW;
    let to = at >>> 0;
    for (let index = 0; index < texts.length; index += 1) {
      this.#data.setUint32((pointers >>> 0) + index * 4, to, true);
      this.#bytes(to, texts[index].length).set(texts[index]);
      to += texts[index].length;
    }
    return ERRNO.SUCCESS;
  }

  #describe(fd, out) {
    const found = this.streams.get(fd);
    if (found === undefined) return ERRNO.BADF;
    if (!this.#holds(out, 24)) return ERRNO.OVERFLOW;
    const at = out >>> 0;
    this.#bytes(at, 24).fill(0);
    this.#data.setUint8(at, UNKNOWN_FILE_TYPE); // not a terminal
    this.#data.setUint16(at + 2, found.flags, true);
    this.#data.setBigUint64(at + 8, BigInt(found.rights), true);
    return ERRNO.SUCCESS;
  }

  /** Reading waits all the same: what comes is seen by nothing but a read, so a program that tried again and again would never get it. */
  #setFlags(fd, flags) {
    const found = this.streams.get(fd);
    if (found === undefined) return ERRNO.BADF;
    if ((flags & ~ALL_FLAGS) !== 0) return ERRNO.INVAL;
    found.flags = flags;
    return ERRNO.SUCCESS;
  }

  /** They can become fewer, never more. */
  #dropRights(fd, base, inheriting) {
    const found = this.streams.get(fd);
    if (found === undefined) return ERRNO.BADF;
    if ((base & ~BigInt(found.rights)) !== 0n || inheriting !== 0n) return ERRNO.NOTCAPABLE;
    found.rights = Number(base);
    return ERRNO.SUCCESS;
  }

  /** Nothing is known of what a stream leads to. */
  #describeFile(fd, out) {
    if (!this.streams.has(fd)) return ERRNO.BADF;
    if (!this.#holds(out, FILE_STAT_BYTES)) return ERRNO.OVERFLOW;
    this.#bytes(out >>> 0, FILE_STAT_BYTES).fill(0);
    return ERRNO.SUCCESS;
  }

  /** Reads or writes the pieces of memory that `iovecs` lists. */
  #transfer(direction, fd, iovecs, count, out) {
    const found = this.streams.get(fd);
    if (found === undefined) return ERRNO.BADF;
    if ((found.rights & (direction === "in" ? RIGHT.FD_READ : RIGHT.FD_WRITE)) === 0) return ERRNO.NOTCAPABLE;
    const pieces = count >>> 0;
    if (!this.#holds(iovecs, pieces * 8) || !this.#holds(out, 4)) return ERRNO.OVERFLOW;
    const data = this.#data;
    let total = 0;
    for (let index = 0; index < pieces; index += 1) {
      const at = data.getUint32((iovecs >>> 0) + index * 8, true);
      const bytes = data.getUint32((iovecs >>> 0) + index * 8 + 4, true);
      if (!this.#holds(at, bytes)) return ERRNO.OVERFLOW;
      if (direction === "out") this.streams.write(found.name, this.#bytes(at, bytes));
      const done =
        direction === "out"
          ? bytes
          : total > 0 && !this.streams.isReady
            ? 0
            : this.streams.read(this.#bytes(at, bytes));
      total += done;
      if (done < bytes) break; // what is there now is enough
    }
    data.setUint32(out >>> 0, total, true);
    return ERRNO.SUCCESS;
  }

  /** Streams are always ready, as far as can be known; a clock alone is waited for. */
  #poll(subscriptions, events, count, out) {
    const wanted = count >>> 0;
    if (wanted === 0) return ERRNO.INVAL;
    if (!this.#holds(subscriptions, wanted * SUBSCRIPTION_BYTES) || !this.#holds(events, wanted * EVENT_BYTES))
      return ERRNO.OVERFLOW;
    if (!this.#holds(out, 4)) return ERRNO.OVERFLOW;
    const list = [];
    for (let index = 0; index < wanted; index += 1) {
      const found = this.#subscription((subscriptions >>> 0) + index * SUBSCRIPTION_BYTES);
      if (found === undefined) return ERRNO.INVAL;
      list.push(found);
    }
    if (list.every(({ type }) => type === EVENT.CLOCK))
      this.#sleepUntil(list.reduce((least, { dueNs }) => (dueNs < least ? dueNs : least), list[0].dueNs));
    const nowNs = hrtime.bigint();
    let told = 0;
    for (const { userdata, type, dueNs, errno, atEnd } of list) {
      if (type === EVENT.CLOCK && dueNs > nowNs) continue;
      const at = (events >>> 0) + told * EVENT_BYTES;
      this.#bytes(at, EVENT_BYTES).fill(0);
      this.#data.setBigUint64(at, userdata, true);
      this.#data.setUint16(at + 8, errno, true);
      this.#data.setUint8(at + 10, type);
      if (type !== EVENT.CLOCK && !atEnd) this.#data.setBigUint64(at + 16, 1n, true);
      if (atEnd) this.#data.setUint16(at + 24, HANGUP, true);
      told += 1;
    }
    this.#data.setUint32(out >>> 0, told, true);
    return ERRNO.SUCCESS;
  }

  /** `dueNs` by the monotonic clock. Undefined where it is not a valid one. */
  #subscription(at) {
    const data = this.#data;
    const userdata = data.getBigUint64(at, true);
    const type = data.getUint8(at + 8);
    if (type === EVENT.CLOCK) {
      const clock = data.getUint32(at + 16, true);
      if (!(clock in NOW)) return undefined;
      const timeoutNs = data.getBigUint64(at + 24, true);
      const isAbsolute = (data.getUint16(at + 40, true) & ABSOLUTE_TIME) !== 0;
      const leftNs = isAbsolute ? timeoutNs - NOW[clock]() : timeoutNs;
      return { userdata, type, dueNs: hrtime.bigint() + leftNs, errno: ERRNO.SUCCESS, atEnd: false };
    }
    if (type !== EVENT.FD_READ && type !== EVENT.FD_WRITE) return undefined;
    const found = this.streams.get(data.getUint32(at + 16, true));
    const isRead = type === EVENT.FD_READ;
    const needs = RIGHT.POLL | (isRead ? RIGHT.FD_READ : RIGHT.FD_WRITE);
    const errno =
      found === undefined ? ERRNO.BADF : (found.rights & needs) === needs ? ERRNO.SUCCESS : ERRNO.NOTCAPABLE;
    const atEnd = isRead && errno === ERRNO.SUCCESS && this.streams.isAtEnd;
    return { userdata, type, dueNs: 0n, errno, atEnd };
  }

  #sleepUntil(dueNs) {
    this.streams.flush();
    for (let leftNs = dueNs - hrtime.bigint(); leftNs > 0n; leftNs = dueNs - hrtime.bigint()) {
      wait(waitCell, 0, 0, Number(leftNs / 1000n) / 1000 + 0.001);
    }
  }
}

const ON_FILES = [
  "fd_advise fd_allocate fd_datasync fd_filestat_set_size",
  "fd_filestat_set_times fd_pread fd_pwrite fd_readdir fd_seek fd_sync fd_tell path_create_directory path_filestat_get path_filestat_set_times path_link",
  "path_open path_readlink path_remove_directory path_rename path_unlink_file",
].flatMap((line) => line.split(" "));
const ON_SOCKETS = ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"];

const cpuNs = () => {
  const { user, system } = process.cpuUsage();
  return BigInt(user + system) * 1000n;
};

/** Nanoseconds by id of the clock. @type {Record<number, () => bigint>} */
const NOW = {
  [CLOCK.REALTIME]: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
  [CLOCK.MONOTONIC]: () => hrtime.bigint(),
  [CLOCK.PROCESS]: cpuNs,
  [CLOCK.THREAD]: cpuNs,
};

/** @param {readonly Buffer[]} texts */
function lengthOf(texts) {
  return texts.reduce((bytes, { length }) => bytes + length, 0);
}

module.exports = { EXIT, Wasi };
