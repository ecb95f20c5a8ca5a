// @ts-check
"use strict";
// Go's linker leaves out each run of zeros, so a hello has 30,000 data segments, and placing them is half of what a new instance takes.
// Neighbours become one here, with the zeros between them: the memory of an instance begins with the same bytes.
const { leb, lebBytes } = require("./wasm-binary.cjs");

/** Fewer are placed in no time. */
const FEW_SEGMENTS = 64;
/** More zeros than this are cheaper left out: the memory has them. */
const MOST_ZEROS = 64;
const INTO_THE_MEMORY = 0;
const I32_CONST = 0x41;
const END = 0x0b;
/** Longer pieces are copied by a call. */
const FEW_BYTES = 64;

/** What is kept of a segment, as a row of numbers: objects for 30,000 take longer than all else here. */
const START = 0; // in the memory
const FROM = 1; // of its bytes, in the section
const BYTES = 2;
const FIELDS = 3;

/**
 * @param {Buffer} content of the data section
 * @returns {Buffer} `content` itself where there are few segments, or others than the plain kind, or it makes no difference
 */
function mergeSegments(content) {
  const { value: count, next } = leb(content, 0);
  if (count < FEW_SEGMENTS || count > content.length) return content;
  const segments = new Uint32Array(count * FIELDS);
  if (!readSegments(content, next, segments)) return content;
  const groups = groupsOf(segments);
  if (groups.length > count / 2 || doOverlap(groups)) return content;
  const parts = groups.flatMap((group) => [
    Buffer.from([
      INTO_THE_MEMORY,
      I32_CONST,
      ...signedLebBytes(group.start),
      END,
      ...lebBytes(group.end - group.start),
    ]),
    contentOf(group, content, segments),
  ]);
  return Buffer.concat([Buffer.from(lebBytes(groups.length)), ...parts]);
}

/** False where one is of another kind, or the section is damaged, which V8 has words for. */
function readSegments(content, first, segments) {
  let at = first;
  for (let row = 0; row < segments.length; row += FIELDS) {
    if (content[at] !== INTO_THE_MEMORY || content[at + 1] !== I32_CONST) return false;
    at += 2;
    let start = 0;
    let bytes = 0;
    let shift = 0;
    let byte;
    do {
      byte = content[at++];
      start |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte > 0x7f);
    if (shift < 32 && (byte & 0x40) !== 0) start |= -1 << shift; // the number has a sign, the address has none
    if (content[at++] !== END) return false;
    shift = 0;
    do {
      byte = content[at++];
      bytes |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte > 0x7f);
    segments[row + START] = start >>> 0;
    segments[row + FROM] = at;
    segments[row + BYTES] = bytes >>> 0;
    at += bytes >>> 0;
  }
  return at === content.length;
}

/**
 * Segments that follow each other closely, in the memory and in the section.
 * @typedef {{ start: number, end: number, firstRow: number, endRow: number }} Group
 */

/** @param {Uint32Array} segments */
function groupsOf(segments) {
  /** @type {Group[]} */
  const groups = [];
  let firstRow = 0;
  for (let row = FIELDS; row <= segments.length; row += FIELDS) {
    const end = segments[row - FIELDS + START] + segments[row - FIELDS + BYTES];
    const zeros = row < segments.length ? segments[row + START] - end : Infinity;
    if (zeros >= 0 && zeros <= MOST_ZEROS) continue;
    groups.push({ start: segments[firstRow + START], end, firstRow, endRow: row });
    firstRow = row;
  }
  return groups;
}

/** Then one would write its zeros over what another has put there. @param {readonly Group[]} groups */
function doOverlap(groups) {
  const sorted = groups.toSorted((a, b) => a.start - b.start);
  return sorted.some(({ start }, index) => index > 0 && start < sorted[index - 1].end);
}

/** @param {Group} group @param {Buffer} content @param {Uint32Array} segments */
function contentOf({ start, end, firstRow, endRow }, content, segments) {
  const bytes = Buffer.alloc(end - start);
  for (let row = firstRow; row < endRow; row += FIELDS) {
    const from = segments[row + FROM];
    const count = segments[row + BYTES];
    const to = segments[row + START] - start;
    if (count > FEW_BYTES) bytes.set(content.subarray(from, from + count), to);
    else for (let index = 0; index < count; index += 1) bytes[to + index] = content[from + index];
  }
  return bytes;
}

/** @param {number} address */
function signedLebBytes(address) {
  const bytes = [];
  for (let rest = address | 0; ; rest >>= 7) {
    if (rest >= -64 && rest < 64) return [...bytes, rest & 0x7f];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

module.exports = { mergeSegments };
