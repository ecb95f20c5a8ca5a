// @ts-check
"use strict";
// The chunks of whatever a handler streams, one after the other, and a way to say that the rest is not wanted.

/**
 * @typedef {object} Chunks
 * @property {() => Promise<{ done?: boolean, value?: unknown }>} next
 * @property {() => unknown} stop may be called while `next` waits
 */

/** True for a generator, a ReadableStream and a Readable; of other iterables, such as an array, it is a value. */
function isStream(value) {
  if (typeof value !== "object" || value === null) return false;
  return typeof value[Symbol.asyncIterator] === "function" || isGenerator(value);
}

function isGenerator(value) {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

/** @param {any} stream one for which `isStream` is true @returns {Chunks} */
function chunksOf(stream) {
  if (typeof stream.getReader === "function") {
    const reader = stream.getReader();
    return { next: () => reader.read(), stop: () => reader.cancel() };
  }
  if (isGenerator(stream)) return { next: async () => stream.next(), stop: () => stream.return() };
  const iterator = stream[Symbol.asyncIterator]();
  // A Readable that waits for data hears only destroy().
  const stop = () => (typeof stream.destroy === "function" ? stream.destroy() : iterator.return?.());
  return { next: () => iterator.next(), stop };
}

/** The rest is not wanted. Not waited for: a generator that hangs in its `finally` must not keep the caller waiting. @param {Chunks} chunks */
function stop(chunks) {
  void (async () => chunks.stop())().catch(() => {});
}

module.exports = { chunksOf, isStream, stop };
