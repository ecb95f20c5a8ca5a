// @ts-check
"use strict";
// The three streams of a WebAssembly program. It blocks the thread, so both ends are worked on with calls that block, too.
const { receiveWhere, send, sendBytes, usage } = require("./channel.cjs");

const FRAME_BYTES = 65_536;
const WINDOW_BYTES = 262_144;
/** The first bytes of a response wait this long for what follows: most programs end within it, and are one frame then. */
const FIRST_WAIT_MS = 5;
const NOTHING = Buffer.alloc(0);
const LOG = {
  stdout: { t: "log", level: "info", stream: "stdout" },
  stderr: { t: "log", level: "error", stream: "stderr" },
};

/** What may be done with a descriptor, as preview 1 numbers it. */
const RIGHT = { FD_READ: 2, FDSTAT_SET_FLAGS: 8, FD_WRITE: 64, FILESTAT_GET: 1 << 21, POLL: 1 << 27 };
const OF_ALL = RIGHT.FDSTAT_SET_FLAGS | RIGHT.FILESTAT_GET | RIGHT.POLL;

/** `flags` are told as they were set, and change nothing. @typedef {{ name: "stdin" | "stdout" | "stderr", rights: number, flags: number }} Descriptor */

/** Thrown through the module where nobody waits for its end. */
class Cancelled extends Error {}

class Streams {
  /** @type {(Descriptor | undefined)[]} */
  #open = [];
  #id = 0;
  #isRequest = false;
  /** Of stdin: what has come and was not read. */
  #unread = NOTHING;
  #at = 0;
  #ended = true;
  /** Of the response. */
  #begun = false;
  /** @type {Buffer[]} */
  #held = [];
  #heldBytes = 0;
  #heldSinceMs = 0;
  #window = WINDOW_BYTES;
  /** Starts of characters whose rest has not come. */
  #tails = { stdout: NOTHING, stderr: NOTHING };

  /** For a new call. @param {{ id: number, isRequest: boolean, first: Buffer, ended: boolean }} given */
  start({ id, isRequest, first, ended }) {
    this.#open = [
      { name: "stdin", rights: OF_ALL | RIGHT.FD_READ, flags: 0 },
      { name: "stdout", rights: OF_ALL | RIGHT.FD_WRITE, flags: 0 },
      { name: "stderr", rights: OF_ALL | RIGHT.FD_WRITE, flags: 0 },
    ];
    this.#id = id;
    this.#isRequest = isRequest;
    this.#unread = first;
    this.#at = 0;
    this.#ended = ended;
    this.#begun = false;
    this.#held = [];
    this.#heldBytes = 0;
    this.#window = WINDOW_BYTES;
    this.#tails = { stdout: NOTHING, stderr: NOTHING };
  }

  /** @param {number} fd */
  get(fd) {
    return this.#open[fd >>> 0];
  }

  /** @param {number} fd */
  has(fd) {
    return this.get(fd) !== undefined;
  }

  /** @param {number} fd */
  close(fd) {
    const was = this.has(fd);
    if (was) this.#open[fd >>> 0] = undefined;
    return was;
  }

  /** @param {number} from @param {number} to */
  renumber(from, to) {
    if (!this.has(from) || !this.has(to)) return false;
    if (from === to) return true;
    this.#open[to >>> 0] = this.#open[from >>> 0];
    this.#open[from >>> 0] = undefined;
    return true;
  }

  /** Reading will not wait. */
  get isReady() {
    return this.#at < this.#unread.length || this.#ended;
  }

  /** Nothing more will be read. */
  get isAtEnd() {
    return this.#at === this.#unread.length && this.#ended;
  }

  /** Waits for more where there is none; 0 at the end. @param {Uint8Array} into @returns {number} */
  read(into) {
    if (into.length === 0) return 0;
    while (this.#at === this.#unread.length) {
      if (this.#ended) return 0;
      this.flush();
      const { header, body } = this.#await("body");
      this.#unread = body;
      this.#at = 0;
      this.#ended = header.end === true;
    }
    const count = Math.min(into.length, this.#unread.length - this.#at);
    into.set(this.#unread.subarray(this.#at, this.#at + count));
    this.#at += count;
    if (this.#at === this.#unread.length && !this.#ended) {
      send({ t: "credit", id: this.#id, bytes: this.#unread.length });
    }
    return count;
  }

  /** @param {"stdout" | "stderr"} name @param {Uint8Array} bytes of the module's memory */
  write(name, bytes) {
    if (bytes.length === 0) return;
    if (name === "stdout" && this.#isRequest) this.#answer(bytes);
    else this.#print(name, bytes);
  }

  /** What is held must wait no longer. */
  flush() {
    if (this.#heldBytes > 0) this.#sendHeld(false);
  }

  /** The program has ended well: the rest of the response goes out. Where there is none, only what is left of the printed text does. */
  finish() {
    this.finishPrinting();
    if (this.#isRequest) this.#sendHeld(true);
  }

  /** A character that never became whole is sent as it is. */
  finishPrinting() {
    for (const name of /** @type {const} */ (["stdout", "stderr"])) {
      if (this.#tails[name].length > 0) sendBytes(LOG[name], this.#tails[name]);
      this.#tails[name] = NOTHING;
    }
  }

  #print(name, bytes) {
    const tail = this.#tails[name];
    const all = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
    const cut = tailBytes(all);
    this.#tails[name] = cut === 0 ? NOTHING : Buffer.from(all.subarray(all.length - cut));
    for (let at = 0; at < all.length - cut;) {
      let to = Math.min(at + FRAME_BYTES, all.length - cut);
      if (to < all.length - cut) to -= tailBytes(all.subarray(at, to));
      sendBytes(LOG[name], all.subarray(at, to));
      at = to;
    }
  }

  #answer(bytes) {
    if (this.#begun) {
      for (let at = 0; at < bytes.length;) {
        const to = Math.min(bytes.length, at + FRAME_BYTES, at + this.#room());
        this.#sendPart(bytes.subarray(at, to), false);
        at = to;
      }
      return;
    }
    const nowMs = performance.now();
    if (this.#heldBytes === 0) this.#heldSinceMs = nowMs;
    this.#held.push(Buffer.from(bytes)); // the module may write over it
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= FRAME_BYTES || nowMs - this.#heldSinceMs >= FIRST_WAIT_MS) this.#sendHeld(false);
  }

  #sendHeld(ends) {
    let bytes = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    while (bytes.length > FRAME_BYTES || bytes.length > this.#window) {
      const count = Math.min(FRAME_BYTES, this.#room());
      this.#sendPart(bytes.subarray(0, count), false);
      bytes = bytes.subarray(count);
    }
    this.#sendPart(bytes, ends);
  }

  #sendPart(bytes, end) {
    const id = this.#id;
    const used = end ? usage() : undefined;
    if (this.#begun) sendBytes({ t: "body", id, end, ...used }, bytes);
    else sendBytes({ t: "response", id, status: 200, headers: [], cgi: true, end, ...used }, bytes);
    this.#begun = true;
    this.#window -= bytes.length;
  }

  /** Waits until at least one byte may be sent. */
  #room() {
    while (this.#window <= 0) this.#window += this.#await("credit").header.bytes;
    return this.#window;
  }

  #await(type) {
    const id = this.#id;
    const frame = receiveWhere((header) => header.id === id && (header.t === type || header.t === "cancel"));
    if (frame === undefined) process.reallyExit(0); // the server is gone
    if (frame.header.t === "cancel") throw new Cancelled("the run was cancelled");
    return frame;
  }
}

/** How many of the last bytes begin a character that is not complete. @param {Uint8Array} bytes */
function tailBytes(bytes) {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

module.exports = { Cancelled, RIGHT, Streams };
