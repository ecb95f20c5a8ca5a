// @ts-check
"use strict";
// Compiles the bound WebAssembly module, with a bound on its memory, and says why it cannot run where it cannot.

const MEMORY_SECTION = 5;
const HEADER_BYTES = 8;
const HAS_MAXIMUM = 1;
const PAGE_BYTES = 65_536;
const MIB = 1_048_576;
const WASI = "wasi_snapshot_preview1";

/** The module cannot run here; the text says why. */
class Unfit extends Error {
  name = "InvalidModule";
}

/**
 * @param {Buffer} bytes @param {number} memoryBytes the most that its memory may have @param {ReadonlySet<string>} known names of WASI's functions
 * @returns {WebAssembly.Module}
 * @throws {Unfit}
 */
function compileModule(bytes, memoryBytes, known) {
  const module = compiled(bounded(bytes, memoryBytes));
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
  return module;
}

function compiled(bytes) {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new Unfit(`the module is not valid: ${error.message.replace(/^WebAssembly\.Module\(\): /, "")}`);
  }
}

/** The same module with a maximum for its memory: growing beyond it then fails in the module, as it does on any small machine. */
function bounded(bytes, memoryBytes) {
  const most = Math.floor(memoryBytes / PAGE_BYTES);
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const id = bytes[at];
    const size = leb(bytes, at + 1);
    const end = size.next + size.value;
    if (id === MEMORY_SECTION)
      return Buffer.concat([bytes.subarray(0, at), memorySection(bytes, size.next, end, most), bytes.subarray(end)]);
    at = end;
  }
  return bytes;
}

function memorySection(bytes, start, end, most) {
  const count = leb(bytes, start);
  const flags = leb(bytes, count.next);
  if (count.value !== 1 || (flags.value & ~HAS_MAXIMUM) !== 0) {
    if (count.value === 0) return section(bytes.subarray(start, end));
    throw new Unfit(
      "the module has more than one memory, or one that is shared or has 64 bits, which is not possible here",
    );
  }
  const least = leb(bytes, flags.next);
  const stated = flags.value === HAS_MAXIMUM ? leb(bytes, least.next).value : Infinity;
  if (least.value > most) {
    const [asked, allowed] = [least.value, most].map((pages) => Math.ceil((pages * PAGE_BYTES) / MIB));
    throw new Unfit(`the module begins with ${asked} MiB of memory (max ${allowed} MiB, setting MAX_MEMORY)`);
  }
  return section(Buffer.from([1, HAS_MAXIMUM, ...lebBytes(least.value), ...lebBytes(Math.min(stated, most))]));
}

function section(content) {
  return Buffer.concat([Buffer.from([MEMORY_SECTION, ...lebBytes(content.length)]), content]);
}

/** An unsigned number at `at`, and where the next thing begins. */
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

function lebBytes(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

module.exports = { compileModule, Unfit };
