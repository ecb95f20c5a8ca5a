// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- private copies of methods; they are called through apply() */
// Is the worker as it was before the run? docs/wire-protocol.md, "Quiet"; `care.cjs` says which check a program gets.
const { closeSync, openSync, readdirSync } = require("node:fs");
const events = require("node:events");
const { isBuiltin } = require("node:module");
const { isFetchTimer } = require("./egress.cjs");
const {
  importedModules,
  isInnocent,
  isUntraceableModule,
  mayChange,
  namedGlobals,
  untraceableUse,
} = require("./care.cjs");

const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
const { cwd, umask, getActiveResourcesInfo } = process;
const { keys, getOwnPropertyDescriptor, getOwnPropertyNames, getOwnPropertySymbols, getPrototypeOf, is } = Object;
const { join } = Array.prototype;
const apply = Reflect.apply;

/** The box's one writable folder: the image's environment names it. */
const TMP = process.env.TMPDIR ?? "/tmp";

/** @type {string | undefined} a change that no comparison would find */
let confession;

function confess(why) {
  confession ??= why;
}

/** @type {(timer: NodeJS.Timeout) => void} */
let hide;

/** A timer that does not keep the event loop alive. Our own; `watchUnref` must have been called. */
function hiddenTimer(task, delayMs) {
  const timer = setTimeout(task, delayMs);
  hide(timer);
  return timer;
}

/** No list of Node's shows a timer after unref(), so unref() itself tells. AbortSignal.timeout() comes through here, too. */
function watchUnref() {
  const timer = setTimeout(() => {}, 0);
  clearTimeout(timer);
  const immediate = setImmediate(() => {});
  clearImmediate(immediate);
  const unrefTimer = timer.unref;
  hide = (timer) => apply(unrefTimer, timer, []);
  for (const prototype of [getPrototypeOf(timer), getPrototypeOf(immediate)]) {
    const original = prototype.unref;
    prototype.unref = function unref() {
      if (!isFetchTimer(this)) confess("a timer was hidden with unref()");
      return apply(original, this, []);
    };
  }
}

/**
 * The globals of ECMAScript and the plain ones of Node. The others are made when they are first looked at, even by
 * getOwnPropertyDescriptor: `FormData` alone would load all of undici into an idle worker.
 */
const PLAIN_GLOBALS = new Set(
  (
    "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp " +
    "Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl " +
    "ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array " +
    "Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set Iterator WeakMap WeakSet WeakRef Proxy " +
    "Reflect FinalizationRegistry decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite " +
    "isNaN console process global Buffer URL URLSearchParams fetch setTimeout setInterval setImmediate clearTimeout " +
    "clearInterval clearImmediate queueMicrotask structuredClone"
  ).split(" "),
);

// --- the light check: a few microseconds ---

/** Where an accident with computed keys would leave something: constructors, prototypes and their methods. */
function hotIntrinsics() {
  const found = new Set();
  for (const name of PLAIN_GLOBALS) {
    const value = getOwnPropertyDescriptor(globalThis, name)?.value;
    if (typeof value !== "function" && value !== Math && value !== JSON) continue;
    found.add(value);
    if (value.prototype) found.add(value.prototype);
  }
  for (const owner of [
    Object,
    Array,
    Array.prototype,
    String.prototype,
    Object.prototype,
    Promise.prototype,
    Math,
    JSON,
  ])
    for (const name of getOwnPropertyNames(owner)) {
      const value = getOwnPropertyDescriptor(owner, name)?.value;
      if (typeof value === "function") found.add(value);
    }
  return [...found];
}

function hasEnumerable(object) {
  for (const _name in object) return true;
  return false;
}

function lightCheck() {
  const intrinsics = hotIntrinsics();
  const bare = intrinsics.filter((object) => !hasEnumerable(object)); // nearly all; to loop over them is half the work of keys()
  const others = intrinsics.filter(hasEnumerable);
  const counts = others.map((object) => keys(object).length);
  const globals = Object.create(null);
  let globalCount = 0;
  for (const name in globalThis) {
    globals[name] = true;
    globalCount += 1;
  }
  return () => {
    let count = 0;
    for (const name in globalThis) {
      if (!(name in globals)) return `global ${name}`;
      count += 1;
    }
    if (count !== globalCount) return "a global was removed";
    for (let at = 0; at < bare.length; at += 1)
      for (const name in bare[at]) return `a built-in object has a new property ${name}`;
    for (let at = 0; at < others.length; at += 1)
      if (keys(others[at]).length !== counts[at]) return "a built-in object has a new property";
    return undefined;
  };
}

// --- the deep check: some hundred microseconds ---

/** The lowest free descriptor: one that the code left open moves it. */
function lowestFreeFd() {
  const fd = openSync("/", "r");
  closeSync(fd);
  return fd;
}

/** What no comparison of objects shows, each after its name. */
function processState() {
  const state = [
    ["open files", lowestFreeFd()],
    ["working directory", cwd()],
    ["umask", umask()],
    ["exit code", process.exitCode],
    ["process title", process.title],
    ["EventEmitter.defaultMaxListeners", events.defaultMaxListeners],
  ];
  for (const name of keys(process.env)) state.push([`environment ${name}`, process.env[name]]);
  for (const event of process.eventNames())
    for (const listener of process.rawListeners(event)) state.push(["a listener of process", listener]);
  for (const name of getOwnPropertyNames(process)) {
    // The listeners are above, and Node itself replaces chdir() when net, zlib and others are first loaded.
    if (name.startsWith("_events") || name === "chdir") continue;
    const { value, get } = getOwnPropertyDescriptor(process, name) ?? {};
    state.push([`process.${name}`, value ?? get]);
  }
  return state;
}

/** @returns {string | undefined} what is not the same in both */
function stateDifference(before, after) {
  for (let at = 0; at < before.length || at < after.length; at += 1) {
    const was = before[at] ?? [];
    const now = after[at] ?? [];
    if (was[0] !== now[0] || !is(was[1], now[1])) return now[0] ?? was[0];
  }
  return undefined;
}

const consoleCounts = getOwnPropertySymbols(console)
  .filter((key) => key.description === "counts" || key.description === "kCounts" || key.description === "times")
  .map((key) => console[key]);

function deepCheck(code) {
  const { Snapshot, skip } = require("./snapshot.cjs");
  const snapshot = new Snapshot();
  skip(process);
  for (const map of consoleCounts) skip(map);
  const named = new Set(namedGlobals(code));
  if (named.has("fetch")) void globalThis.FormData; // loads undici, which leaves symbols on globalThis
  for (const name of named) void globalThis[name];
  snapshot.add(globalThis, (key) => typeof key === "symbol" || PLAIN_GLOBALS.has(key) || named.has(key));
  for (const name of named) snapshot.add(globalThis[name]); // those behind a getter
  for (const hidden of hiddenIntrinsics()) snapshot.add(hidden);
  snapshot.add(getPrototypeOf(process));
  const watch = (name, exports) => {
    if (isUntraceableModule(name)) confess(`module ${name} was loaded`);
    try {
      snapshot.add(exports);
    } catch {
      confess("the built-ins that the check itself needs were changed");
    }
  };
  for (const name of importedModules(code)) if (isBuiltin(name)) watch(name, require(name));
  const before = processState();
  const check = () => {
    if (readdirSync(TMP).length > 0) return `files in ${TMP}`;
    for (const map of consoleCounts) if (map.size > 0) return "a counter of console";
    return stateDifference(before, processState()) ?? snapshot.difference();
  };
  return { check, watch };
}

/** Built-ins that no global leads to. */
function hiddenIntrinsics() {
  return [
    (async () => {}).constructor,
    function* () {}.constructor,
    async function* () {}.constructor,
    getPrototypeOf(getPrototypeOf([][Symbol.iterator]())),
    getPrototypeOf([][Symbol.iterator]()),
    getPrototypeOf(""[Symbol.iterator]()),
    getPrototypeOf(new Map()[Symbol.iterator]()),
    getPrototypeOf(new Set()[Symbol.iterator]()),
    getPrototypeOf(/x/[Symbol.matchAll]("")),
    getPrototypeOf(setTimeout),
  ];
}

/**
 * Prepares the check for one program; call before its first run.
 * @returns {{ light: boolean, check: () => string | undefined, watch: (name: string, exports: unknown) => void }}
 */
function quietCheck(code) {
  if (isInnocent(code)) {
    const check = mayChange(code) ? lightCheck() : () => undefined;
    return { light: true, check: () => confession ?? check(), watch: confess };
  }
  const untraceable = untraceableUse(code);
  if (untraceable !== undefined) return { light: false, check: () => untraceable, watch: () => {} };
  const { check, watch } = deepCheck(code);
  return { light: false, check: () => confession ?? check(), watch };
}

/** @returns {string | undefined} what keeps the event loop alive */
function openResources() {
  const open = getActiveResourcesInfo();
  return open.length === 0 ? undefined : apply(join, open, [", "]);
}

module.exports = { hiddenTimer, openResources, quietCheck, watchUnref };
