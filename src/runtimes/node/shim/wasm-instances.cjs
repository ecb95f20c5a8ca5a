// @ts-check
"use strict";
// A fresh instance for each run, made when the run before it has been answered: the next one need not wait for its memory to be laid out.
const { getHeapStatistics, setFlagsFromString } = require("node:v8");
const vm = require("node:vm");

const MIB = 1_048_576;
/** Of instances that are done, until they are collected: V8 would let it grow to the box's limit. */
const MOST_GARBAGE_BYTES = 32 * MIB;
/** An instance that is larger has the box for itself. */
const MOST_AHEAD_BYTES = 16 * MIB;

class Instances {
  #module;
  #runsAtOnce;
  #imports;
  #collect = collector();
  /** @type {WebAssembly.Instance | undefined} */
  #next;
  /** Of V8's own heap, for one: its tables and functions. Undefined before the first. @type {number | undefined} */
  #heapBytes;
  #garbageBytes = 0;

  /** @param {{ module: WebAssembly.Module, runsAtOnce: boolean }} compiled @param {Record<string, any>} imports */
  constructor({ module, runsAtOnce }, imports) {
    this.#module = module;
    this.#runsAtOnce = runsAtOnce;
    this.#imports = imports;
  }

  /** @throws what making it throws: data that does not fit, or anything from code that runs at once */
  take() {
    const instance = this.#next ?? this.#make();
    this.#next = undefined;
    return instance;
  }

  /** The one that was taken last is done, and nobody holds it any more. @param {number} memoryBytes what its memory had grown to */
  leave(memoryBytes) {
    const heapBytes = this.#heapBytes ?? 0;
    this.#garbageBytes += memoryBytes + heapBytes;
    if (this.#garbageBytes > MOST_GARBAGE_BYTES) {
      this.#collect();
      this.#garbageBytes = 0;
    }
    // What runs at once is the user's code, and belongs into a run, where it has a limit of time.
    if (this.#runsAtOnce || memoryBytes + heapBytes > MOST_AHEAD_BYTES) return;
    try {
      this.#next = this.#make();
    } catch {
      // The next run tries it again, and tells.
    }
  }

  #make() {
    if (this.#heapBytes !== undefined) return new WebAssembly.Instance(this.#module, this.#imports);
    const beforeBytes = getHeapStatistics().used_heap_size;
    const instance = new WebAssembly.Instance(this.#module, this.#imports);
    this.#heapBytes = Math.max(0, getHeapStatistics().used_heap_size - beforeBytes);
    return instance;
  }
}

/** Collects garbage: when we say so, since V8 would do it three times as often for the little that an instance leaves in its own heap. */
function collector() {
  setFlagsFromString("--expose-gc");
  setFlagsFromString("--heap-growing-percent=1000");
  return vm.runInNewContext("gc");
}

module.exports = { Instances };
