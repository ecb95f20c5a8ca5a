// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- private copies of methods; they are called through apply() */
// The socket to the server on fd 3: docs/wire-protocol.md, both directions.
//
// Both directions block on purpose. A write that has returned is in the kernel, so nothing printed is lost when the code
// exits or is killed. For a script a read happens only when nothing of the last run is left, or when the run waits for an
// answer, so there is nothing else to do; and with no handle of ours in the event loop, an empty loop proves that a run has
// nothing to wait for. Handlers run on the event loop, and there `listen` takes over the reading.
//
// All that is used while user code may run is copied here first, so that code that patches a built-in cannot break us.
const { readSync, writeSync } = require("node:fs");

const CONTROL_FD = 3;
const PREFIX_BYTES = 8;
const BUFFER_BYTES = 65_536;
/** A chunk of log text, in UTF-16 units; the server need not take more at once. */
const LOG_CHUNK_UNITS = 32_768;

const apply = Reflect.apply;
const parse = JSON.parse;
const stringify = JSON.stringify;
const { allocUnsafeSlow, byteLength } = Buffer;
const { copy, utf8Slice, utf8Write, readUInt32BE, writeUInt32BE } = Buffer.prototype;
const { charCodeAt, indexOf, slice, startsWith } = String.prototype;
const { min } = Math;
const wait = Atomics.wait;
const waitCell = new Int32Array(new SharedArrayBuffer(4));

let incoming = allocUnsafeSlow(BUFFER_BYTES);
let start = 0;
let end = 0;
const outgoing = allocUnsafeSlow(BUFFER_BYTES);

/** Tries `io` until the kernel takes it: whoever made the socket may have set it to non-blocking. */
function blocking(io, bytes, offset, length) {
  for (;;) {
    try {
      return io(CONTROL_FD, bytes, offset, length, null);
    } catch (error) {
      if (error.code === "EAGAIN") wait(waitCell, 0, 0, 1);
      else if (error.code !== "EINTR") return 0;
    }
  }
}

/** Waits until `bytes` bytes lie in `incoming` from `start` on; false when the server is gone. */
function need(bytes) {
  if (end - start >= bytes) return true;
  const room = bytes > BUFFER_BYTES ? bytes : BUFFER_BYTES;
  if (incoming.length - start < bytes || incoming.length > room) {
    const bigger = incoming.length === room ? incoming : allocUnsafeSlow(room);
    apply(copy, incoming, [bigger, 0, start, end]);
    incoming = bigger;
    end -= start;
    start = 0;
  }
  while (end - start < bytes) {
    const count = blocking(readSync, incoming, end, incoming.length - end);
    if (count === 0) return false;
    end += count;
  }
  return true;
}

/**
 * A frame as it came. The body is bytes where it is a part of an HTTP body or a WebAssembly module, else text.
 * @typedef {{ header: any, body: any }} Frame
 */

/** Frames that came while `receiveWhere` waited for another one, oldest first. @type {{ frame: Frame, next: any } | undefined} */
let firstKept;

/**
 * Waits for the next frame.
 * @returns {Frame | undefined} undefined when the server is gone
 */
function receive() {
  if (firstKept === undefined) return read();
  const { frame } = firstKept;
  firstKept = firstKept.next;
  return frame;
}

/**
 * Waits for the first frame that is `wanted`; all others are kept for `receive`.
 * @param {(header: any) => boolean} wanted
 * @returns {Frame | undefined} undefined when the server is gone
 */
function receiveWhere(wanted) {
  let last;
  for (let kept = firstKept; kept !== undefined; kept = kept.next) {
    if (wanted(kept.frame.header)) {
      if (last === undefined) firstKept = kept.next;
      else last.next = kept.next;
      return kept.frame;
    }
    last = kept;
  }
  for (;;) {
    const frame = read();
    if (frame === undefined || wanted(frame.header)) return frame;
    const kept = { frame, next: undefined };
    if (last === undefined) firstKept = kept;
    else last.next = kept;
    last = kept;
  }
}

function read() {
  if (start === end) start = end = 0;
  if (!need(PREFIX_BYTES)) return undefined;
  const headerBytes = apply(readUInt32BE, incoming, [start]);
  const bodyBytes = apply(readUInt32BE, incoming, [start + 4]);
  if (!need(PREFIX_BYTES + headerBytes + bodyBytes)) return undefined;
  return takeFrame(headerBytes, bodyBytes);
}

/** Takes the frame at `start`, all of which is there. */
function takeFrame(headerBytes, bodyBytes) {
  const headerAt = start + PREFIX_BYTES;
  const bodyAt = headerAt + headerBytes;
  start = bodyAt + bodyBytes;
  const header = headerOf(apply(utf8Slice, incoming, [headerAt, bodyAt]));
  if (header.t !== "request" && header.t !== "body" && !isModule(header)) {
    return { header, body: apply(utf8Slice, incoming, [bodyAt, start]) };
  }
  const body = allocUnsafeSlow(bodyBytes);
  apply(copy, incoming, [body, 0, bodyAt, start]);
  return { header, body };
}

const REQUEST = '{"t":"request","id":';
const EXECUTION_ID = ',"executionId":"';
/** Of the last request's header: what is behind the ids. */
let lastRest = "";
let lastHeader;

/**
 * A caller says the same with each request, but for the ids: then that is read once, and the objects in it are the same. Nobody changes them.
 * @param {string} text
 */
function headerOf(text) {
  if (!apply(startsWith, text, [REQUEST])) return parse(text);
  const idEnd = apply(indexOf, text, [",", REQUEST.length]);
  if (!apply(startsWith, text, [EXECUTION_ID, idEnd])) return parse(text);
  const from = idEnd + EXECUTION_ID.length;
  const to = apply(indexOf, text, ['"', from]);
  const rest = apply(slice, text, [to]);
  if (rest === lastRest) {
    const id = +apply(slice, text, [REQUEST.length, idEnd]);
    return { ...lastHeader, id, executionId: apply(slice, text, [from, to]) };
  }
  lastHeader = parse(text);
  lastRest = rest;
  return { ...lastHeader };
}

/** The code of a WebAssembly program is bytes. */
function isModule(header) {
  return header.t === "bind" && header.options?.format === "wasm";
}

/**
 * Reads on the event loop from now on: no more `receive`.
 * @param {(frame: Frame) => void} onFrame called with each frame, those that have come already first
 * @param {() => void} onEnd the server is gone
 */
function listen(onFrame, onEnd) {
  const { Socket } = require("node:net");
  for (; firstKept !== undefined; firstKept = firstKept.next) onFrame(firstKept.frame);
  const takeAll = () => {
    while (end - start >= PREFIX_BYTES) {
      const headerBytes = incoming.readUInt32BE(start);
      const bodyBytes = incoming.readUInt32BE(start + 4);
      if (end - start < PREFIX_BYTES + headerBytes + bodyBytes) break;
      onFrame(takeFrame(headerBytes, bodyBytes));
    }
    if (start === end) start = end = 0;
  };
  takeAll();
  // One buffer for all reads: what is read is copied once, into a frame's own bytes.
  const chunk = allocUnsafeSlow(BUFFER_BYTES);
  const onChunk = (count) => {
    if (incoming.length - end < count) {
      const held = end - start;
      // Twice what is needed, so that a long frame is not moved once for each of its chunks.
      const bigger = held + count <= BUFFER_BYTES ? BUFFER_BYTES : (held + count) * 2;
      const room = bigger === incoming.length ? incoming : allocUnsafeSlow(bigger);
      incoming.copy(room, 0, start, end);
      incoming = room;
      start = 0;
      end = held;
    }
    chunk.copy(incoming, end, 0, count);
    end += count;
    takeAll();
    return true;
  };
  const options = { fd: CONTROL_FD, readable: true, writable: false, onread: { buffer: chunk, callback: onChunk } };
  const socket = new Socket(options);
  socket.resume();
  socket.on("error", onEnd);
  socket.on("end", onEnd);
}

const { resourceUsage } = process;

/**
 * What this process has used since it began, for the frames that say ready or end a run: `cpuUs` of CPU time, `peakKib` of memory at most.
 * @returns {{ cpuUs: number, peakKib: number }}
 */
function usage() {
  const { userCPUTime, systemCPUTime, maxRSS } = apply(resourceUsage, process, []);
  return { cpuUs: userCPUTime + systemCPUTime, peakKib: maxRSS };
}

/** The same as the end of a header in JSON text. */
function usageText() {
  const { cpuUs, peakKib } = usage();
  return `,"cpuUs":${cpuUs},"peakKib":${peakKib}}`;
}

/** Sends a frame of bytes, at most 65,536 of them; returns when the kernel has it. */
function sendBytes(header, bytes) {
  const text = stringify(header);
  const most = BUFFER_BYTES - PREFIX_BYTES;
  if (text.length * 3 > most && byteLength(text) > most) throw new RangeError(`headers of more than ${most} bytes`);
  const headerBytes = apply(utf8Write, outgoing, [text, PREFIX_BYTES]);
  apply(writeUInt32BE, outgoing, [headerBytes, 0]);
  apply(writeUInt32BE, outgoing, [bytes.length, 4]);
  const bodyAt = PREFIX_BYTES + headerBytes;
  if (bodyAt + bytes.length <= BUFFER_BYTES) {
    outgoing.set(bytes, bodyAt);
    writeAll(outgoing, bodyAt + bytes.length);
  } else {
    writeAll(outgoing, bodyAt);
    writeAll(bytes, bytes.length);
  }
}

/** Sends a frame; returns when the kernel has it. `header` is JSON text. */
function sendText(header, body) {
  // Three bytes is the most that one UTF-16 unit can take.
  const fits = PREFIX_BYTES + (header.length + body.length) * 3 <= BUFFER_BYTES;
  const frame = fits ? outgoing : allocUnsafeSlow(PREFIX_BYTES + byteLength(header) + byteLength(body));
  const headerBytes = apply(utf8Write, frame, [header, PREFIX_BYTES]);
  const bodyBytes = body === "" ? 0 : apply(utf8Write, frame, [body, PREFIX_BYTES + headerBytes]);
  apply(writeUInt32BE, frame, [headerBytes, 0]);
  apply(writeUInt32BE, frame, [bodyBytes, 4]);
  writeAll(frame, PREFIX_BYTES + headerBytes + bodyBytes);
}

function writeAll(frame, total) {
  for (let sent = 0; sent < total;) {
    const count = blocking(writeSync, frame, sent, total - sent);
    if (count === 0) return; // the server is gone; the next read ends us
    sent += count;
  }
}

/** @param {object} header */
function send(header, body = "") {
  sendText(stringify(header), body);
}

const LOG_HEADERS = {
  __proto__: null,
  debug: '{"t":"log","level":"debug","stream":"stdout"}',
  info: '{"t":"log","level":"info","stream":"stdout"}',
  warn: '{"t":"log","level":"warn","stream":"stderr"}',
  error: '{"t":"log","level":"error","stream":"stderr"}',
};

/** Says which run prints; undefined where it is the oldest one in progress. @type {() => number | undefined} */
let printingRun = () => undefined;

/** Where runs are worked on at the same time, what they print must name its run. @param {typeof printingRun} which */
function nameRunsInLogs(which) {
  printingRun = which;
}

/** @param {"debug" | "info" | "warn" | "error"} level @param {string} text */
function sendLog(level, text) {
  const run = printingRun();
  const known = LOG_HEADERS[level];
  const header = run === undefined ? known : `${apply(slice, known, [0, -1])},"run":${run}}`;
  if (text.length <= LOG_CHUNK_UNITS) {
    if (text !== "") sendText(header, text);
    return;
  }
  for (let from = 0; from < text.length;) {
    let to = min(from + LOG_CHUNK_UNITS, text.length);
    const last = apply(charCodeAt, text, [to - 1]);
    if (last >= 0xd800 && last <= 0xdbff && to < text.length) to -= 1; // keep a surrogate pair together
    sendText(header, apply(slice, text, [from, to]));
    from = to;
  }
}

/** Sends bytes of UTF-8 as log text. */
function sendLogBytes(level, bytes) {
  sendLog(level, apply(utf8Slice, bytes, [0, bytes.length]));
}

module.exports = {
  listen,
  nameRunsInLogs,
  receive,
  receiveWhere,
  send,
  sendBytes,
  sendLog,
  sendLogBytes,
  sendText,
  usage,
  usageText,
};
