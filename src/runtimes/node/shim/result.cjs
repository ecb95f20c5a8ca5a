// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method, preserve-caught-error -- private copies of methods, called through apply(); and an
   error for the user must not show V8's words beside ours */
// Turns a returned value into JSON text, or says why it has none. JSON.stringify alone is silent where it should not be:
// a Set becomes `{}`, a function nothing.
const { isMap, isSet, isWeakMap, isWeakSet, isPromise } = require("node:util/types");

const apply = Reflect.apply;
const stringify = JSON.stringify;
const { includes } = String.prototype;
const { keys } = Object;

/** What is wrong with a value that JSON.stringify drops or empties without a word; undefined for all others. */
function complaint(value) {
  if (typeof value === "function") return "a function, which cannot be JSON; return what it returns instead";
  if (typeof value === "symbol") return "a symbol, which cannot be JSON; return its description instead";
  if (isSet(value)) return "a Set, which cannot be JSON; return [...set] instead";
  if (isMap(value)) return "a Map, which cannot be JSON; return Object.fromEntries(map) instead";
  if (isWeakMap(value)) return "a WeakMap, which cannot be JSON";
  if (isWeakSet(value)) return "a WeakSet, which cannot be JSON";
  if (isPromise(value)) return "a Promise inside the value, which cannot be JSON; await it first";
  return undefined;
}

/** Looks for a complaint anywhere in `value`, which JSON.stringify could walk: so it is finite. */
function findComplaint(value) {
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== "object" || next === null || typeof next.toJSON === "function") continue;
    const found = complaint(next);
    if (found !== undefined) return found;
    for (const key of keys(next)) rest.push(next[key]);
  }
  return undefined;
}

/** @returns {string} JSON text; "" for undefined. @throws TypeError */
function toJson(value) {
  if (value === undefined) return "";
  let text;
  try {
    text = stringify(value);
  } catch (error) {
    if (error instanceof RangeError) throw new TypeError("returned a value that is nested too deeply for JSON");
    const message = error instanceof TypeError ? error.message : "";
    if (apply(includes, message, ["BigInt"]))
      throw new TypeError("returned a BigInt, which cannot be JSON; return String(value) or Number(value) instead");
    if (apply(includes, message, ["circular"]))
      throw new TypeError("returned a value that contains itself (a cycle), which cannot be JSON");
    throw error; // thrown by the user's own toJSON or getter
  }
  const found = text === undefined ? complaint(value) : undefined;
  if (found !== undefined) throw new TypeError(`returned ${found}`);
  if (text === undefined) return ""; // toJSON() gave undefined
  if (apply(includes, text, ["{}"])) {
    const inner = findComplaint(value);
    if (inner !== undefined) throw new TypeError(`returned ${inner}`);
  }
  return text;
}

module.exports = { toJson };
