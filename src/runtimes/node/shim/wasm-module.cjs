// @ts-check
"use strict";
// Compiles the bound WebAssembly module, with a bound on its memory, and says why it cannot run where it cannot.
const { changeSections, leb, lebBytes, Unfit } = require("./wasm-binary.cjs");
const { mergeSegments } = require("./wasm-data.cjs");

const MEMORY_SECTION = 5;
const START_SECTION = 8;
const DATA_SECTION = 11;
/** There where the code names segments of data by their numbers. */
const DATA_COUNT_SECTION = 12;
const HAS_MAXIMUM = 1;
const PAGE_BYTES = 65_536;
const MIB = 1_048_576;
const WASI = "wasi_snapshot_preview1";

/**
 * @param {Buffer} bytes @param {number} memoryBytes the most that its memory may have @param {ReadonlySet<string>} known names of WASI's functions
 * @returns {{ module: WebAssembly.Module, runsAtOnce: boolean }} `runsAtOnce`: making an instance runs code of the module already
 * @throws {Unfit}
 */
function compileModule(bytes, memoryBytes, known) {
  const { bytes: changed, ids } = changeSections(bytes, {
    [MEMORY_SECTION]: (content) => boundedMemory(content, memoryBytes),
    [DATA_SECTION]: (content, before) => (before.has(DATA_COUNT_SECTION) ? content : mergeSegments(content)),
  });
  const module = compiled(changed);
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from === WASI && kind === "function" && known.has(name)) continue;
    throw new Unfit(
      `the module imports the ${kind} ${from}.${name}, which is not there: only functions of ${WASI} are`,
    );
  }
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  if (exported.get("memory") !== "memory") throw new Unfit('the module exports no memory "memory", which WASI needs');
  if (exported.get("_start") !== "function") {
    const what = exported.get("_initialize") === "function" ? ': it is a library ("reactor"), not a program' : "";
    throw new Unfit(`the module exports no function "_start"${what}`);
  }
  return { module, runsAtOnce: ids.has(START_SECTION) };
}

function compiled(bytes) {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new Unfit(`the module is not valid: ${error.message.replace(/^WebAssembly\.Module\(\): /, "")}`);
  }
}

/** The same memory with a maximum: growing beyond it then fails in the module, as it does on any small machine. */
function boundedMemory(content, memoryBytes) {
  const most = Math.floor(memoryBytes / PAGE_BYTES);
  const count = leb(content, 0);
  const flags = leb(content, count.next);
  if (count.value !== 1 || (flags.value & ~HAS_MAXIMUM) !== 0) {
    if (count.value === 0) return content;
    throw new Unfit(
      "the module has more than one memory, or one that is shared or has 64 bits, which is not possible here",
    );
  }
  const least = leb(content, flags.next);
  const stated = flags.value === HAS_MAXIMUM ? leb(content, least.next).value : Infinity;
  if (least.value > most) {
    const [asked, allowed] = [least.value, most].map((pages) => Math.ceil((pages * PAGE_BYTES) / MIB));
    throw new Unfit(`the module begins with ${asked} MiB of memory (max ${allowed} MiB, setting MAX_MEMORY)`);
  }
  return Buffer.from([1, HAS_MAXIMUM, ...lebBytes(least.value), ...lebBytes(Math.min(stated, most))]);
}

module.exports = { compileModule, Unfit };
