// @ts-check
"use strict";
// The sections of a WebAssembly module, as far as we read and change them. Source: https://webassembly.github.io/spec/core/binary/

const HEADER_BYTES = 8;

/** The module cannot run here; the text says why. */
class Unfit extends Error {
  name = "InvalidModule";
}

/**
 * The same module with the content of some sections replaced.
 *
 * @param {Buffer} bytes
 * @param {Readonly<Record<number, (content: Buffer, before: ReadonlySet<number>) => Buffer>>} changes by the section's id, given also the
 *   ids of those before it; one that gives back its argument changes nothing
 * @returns {{ bytes: Buffer, ids: Set<number> }} with the ids of all of its sections
 * @throws {Unfit} where it is cut off
 */
function changeSections(bytes, changes) {
  /** @type {Buffer[]} */
  const parts = [];
  /** @type {Set<number>} */
  const ids = new Set();
  let copied = 0;
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const id = bytes[at];
    const size = leb(bytes, at + 1);
    const end = size.next + size.value;
    const content = bytes.subarray(size.next, end);
    const changed = changes[id]?.(content, ids) ?? content;
    ids.add(id);
    if (changed !== content) {
      parts.push(bytes.subarray(copied, at), Buffer.from([id, ...lebBytes(changed.length)]), changed);
      copied = end;
    }
    at = end;
  }
  return { bytes: parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(copied)]), ids };
}

/** An unsigned number at `at`, and where the next thing begins. @param {Buffer} bytes @param {number} at */
function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at + shift / 7];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at + shift / 7 + 1 };
  }
  throw new Unfit("the module is not valid: it is cut off or damaged");
}

/** @param {number} value */
function lebBytes(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

module.exports = { changeSections, leb, lebBytes, Unfit };
