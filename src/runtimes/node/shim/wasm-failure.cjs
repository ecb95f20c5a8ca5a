// @ts-check
"use strict";
// What is told about a module that trapped: the trap by the name that the specification's own tests give it, and the functions it was in.

/** What V8 says, and what the trap is called. @type {readonly (readonly [RegExp, string])[]} */
const TRAPS = [
  [/^unreachable/, "unreachable"],
  [/^divide by zero|^remainder by zero/, "integer divide by zero"],
  [/^divide result unrepresentable/, "integer overflow"],
  [/^float unrepresentable in integer range/, "invalid conversion to integer"],
  [/^memory access out of bounds/, "out of bounds memory access"],
  [/^table index is out of bounds/, "undefined element"],
  [/^table access out of bounds|^table.* out of bounds/, "out of bounds table access"],
  [/^null function or function signature mismatch/, "indirect call type mismatch"],
  [/: data segment \d+ is out of bounds/, "a data segment does not fit into the memory"],
  [/^dereferencing a null pointer/, "null reference"],
  [/^Maximum call stack size exceeded/, "call stack exhausted"],
  [/Out of memory|could not allocate memory/i, "not enough memory for the module's memory"],
];
const MIB = 1_048_576;
const FULL_SHARE = 0.9;
const FRAME = /^\s+at (?:(?<name>.+) \()?wasm:\/\/[^:]*?:wasm-function\[(?<index>\d+)\]:(?<offset>0x[0-9a-f]+)\)?$/;
const MOST_FRAMES = 20;

/** The body of an `error` frame. @param {any} thrown @param {number} heldBytes of its memory @param {number} memoryBytes the most of that */
function describeTrap(thrown, heldBytes, memoryBytes) {
  const message = trapName(thrown);
  const frames = String(thrown?.stack ?? "")
    .split("\n")
    .flatMap((line) => {
      const found = FRAME.exec(line)?.groups;
      return found === undefined
        ? []
        : [`    at ${found["name"] ?? `function ${found["index"]}`} (${found["offset"]})`];
    });
  const stack = [`RuntimeError: ${message}`, ...frames.slice(0, MOST_FRAMES)].join("\n");
  const isFull = heldBytes >= memoryBytes * FULL_SHARE;
  const tip = `its memory had grown to ${toMiB(heldBytes)} of the ${toMiB(memoryBytes)} MiB that it may have (setting MAX_MEMORY)`;
  return { name: "RuntimeError", message, stack, ...(isFull ? { tip } : {}) };
}

function trapName(thrown) {
  if (thrown instanceof WebAssembly.Exception) return "uncaught exception";
  const text = String(thrown?.message ?? thrown);
  return TRAPS.find(([pattern]) => pattern.test(text))?.[1] ?? text;
}

function toMiB(bytes) {
  return Math.round(bytes / MIB);
}

module.exports = { describeTrap };
