// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- private copies of methods; they are called through apply() */
// The socket to the server on fd 3: docs/wire-protocol.md, both directions.
//
// Both directions block on purpose. A write that has returned is in the kernel, so nothing printed is lost when the code
// exits or is killed. A read happens only when nothing of the last run is left, so there is nothing else to do; and with
// no handle of ours in the event loop, an empty loop proves that a run has nothing to wait for.
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
const { charCodeAt, slice } = String.prototype;
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
 * Waits for the next frame.
 * @returns {{ header: any, body: string } | undefined} undefined when the server is gone
 */
function receive() {
  if (start === end) start = end = 0;
  if (!need(PREFIX_BYTES)) return undefined;
  const headerBytes = apply(readUInt32BE, incoming, [start]);
  const bodyBytes = apply(readUInt32BE, incoming, [start + 4]);
  if (!need(PREFIX_BYTES + headerBytes + bodyBytes)) return undefined;
  const headerAt = start + PREFIX_BYTES;
  const bodyAt = headerAt + headerBytes;
  start = bodyAt + bodyBytes;
  return {
    header: parse(apply(utf8Slice, incoming, [headerAt, bodyAt])),
    body: apply(utf8Slice, incoming, [bodyAt, start]),
  };
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
  const total = PREFIX_BYTES + headerBytes + bodyBytes;
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

/** @param {"debug" | "info" | "warn" | "error"} level @param {string} text */
function sendLog(level, text) {
  const header = LOG_HEADERS[level];
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

module.exports = { receive, send, sendText, sendLog, sendLogBytes };
