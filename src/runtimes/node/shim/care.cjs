// @ts-check
"use strict";
// Reads the bound code once and decides how hard the quiet check must look after each of its runs.
//
// A full comparison of the interpreter's objects costs hundreds of microseconds, more than most functions run. Code can
// only change a built-in if it gets hold of it: by its name, through a property such as `constructor` or `prototype`, or
// through something that hands out objects (`require`, `process`, `globalThis`, `eval`). Code whose text holds none of
// that, and which uses built-in globals only to call them (`JSON.parse(…)`, `new Date()`), is "innocent": it can still
// leak by accident through an undeclared variable, a key such as "__proto__" in its input, or an open handle, and that
// is what the light check sees; where the code changes nothing but its own variables, open handles are all there is to
// see. The scan reads strings and comments, too; a word too many only costs time.

/** Words that give access to built-ins, or to state that the light check does not see. */
const TELLING = new Set(
  (
    "prototype constructor globalThis global self eval Function Reflect Proxy delete process require import module " +
    "exports this with arguments caller callee Symbol WebAssembly Atomics SharedArrayBuffer WeakRef unref subtle " +
    "FinalizationRegistry getPrototypeOf setPrototypeOf defineProperty defineProperties performance navigator " +
    "AbortSignal BroadcastChannel MessageChannel Worker EventTarget getOwnPropertyDescriptor getOwnPropertyDescriptors"
  ).split(" "),
);

/** Ways to change the process that no comparison of ours would find: such code gets a fresh worker for each run. */
const UNTRACEABLE =
  /\b(?:getBuiltinModule|mainModule|binding|_linkedBinding|_load|dlopen|unref|locks|setServers|setFips|setEngine|setDefault\w*|setGlobal\w*|setMaxIdleHTTPParsers|setTraceSigInt|setSourceMapsEnabled|setUncaughtExceptionCaptureCallback|setgid|setuid|setegid|seteuid|setgroups|chroot|performance\s*\.\s*(?:mark|measure|timerify|set\w+|clear\w+))\b/;

/** Modules from which everything can be changed, or whose state cannot be compared. */
const UNTRACEABLE_MODULES = new Set(
  (
    "vm worker_threads child_process module inspector inspector/promises v8 async_hooks diagnostics_channel cluster " +
    "repl trace_events domain test wasi sqlite perf_hooks"
  ).split(" "),
);

/** A write through a computed property of a computed property: `table[event.a][event.b] = …` can reach a built-in. */
const DEEP_WRITE = /\]\s*(?:\[[^\]]*\]|\.[\w$]+)\s*(?:[-+*/%&|^<>?]{0,3}=(?![=>])|\+\+|--)/;

/** Globals that connect; innocent code may call them. */
const CONNECTING_GLOBALS = /\b(?:fetch|WebSocket|EventSource)\b/;
/** The shim's own `http`, which calls fetch. */
const OWN_CLIENT = /\b(?:cloche|ctx|context)\b[\s\S]*\bhttp\b|\bhttp\b[\s\S]*\bcloche\b/;
/** The shim's own module is frozen: whoever has it can change nothing. */
const OWN_MODULE = /\b(?:require|import)\s*\(\s*(["'])cloche\1\s*\)/g;

// Innocent code without any of this can leave nothing in an object that is not its own, not even by accident: without an assignment
// (a variable's first one aside), a loop over an undeclared variable, a computed property or a function that changes what it is given.
const FIRST_ASSIGNMENT = /\b(?:const|let|var)[ \t]+(?:[\w$]+|\{[\w$\s,:.]*\})[ \t]*=(?![=>])/g;
const NO_ASSIGNMENT = /=>|[=!]==?|(?<!<)<=|(?<!>)>=/g;
const MAY_CHANGE =
  /=|\+\+|--|\[(?!\d*\])|\bfor\b(?!\s*(?:await\s*)?\(\s*(?:const|let|var)\b)|\b(?:assign|freeze|seal|preventExtensions|call|apply|bind)\b/;

const WORD = /[A-Za-z_$][\w$]*/g;
const CALLED = /\s*(?:\(|\.\s*[A-Z][A-Z0-9_]*\b(?!\s*[[(.=+-])|\.\s*[a-z]\w*\s*\()/y;
const CONSOLE_CALLED = /\s*\.\s*(?:log|info|warn|error|debug)\s*\(/y;
const INSTANCEOF_BEFORE = /\binstanceof\s+$/;
const CALLBACK_BEFORE = /\.(?:map|filter|some|every|find|flatMap)\(\s*$/;
const CALLBACK_AFTER = /\s*\)/y;
const DOT_BEFORE = /(?:^|[^.])\.\s*$/;

const globalNames = new Set(Object.getOwnPropertyNames(globalThis));
for (const harmless of ["undefined", "NaN", "Infinity"]) globalNames.delete(harmless);

function matchesAt(pattern, code, index) {
  pattern.lastIndex = index;
  return pattern.test(code);
}

function isHarmlessUse(name, code, from, to) {
  const before = code.slice(Math.max(0, from - 24), from);
  if (DOT_BEFORE.test(before)) return true; // `order.Date`: a property of the user's
  if (name === "console") return matchesAt(CONSOLE_CALLED, code, to);
  if (matchesAt(CALLED, code, to)) return true;
  if (INSTANCEOF_BEFORE.test(before)) return true;
  const isConversion = name === "Boolean" || name === "Number" || name === "String";
  return isConversion && CALLBACK_BEFORE.test(before) && matchesAt(CALLBACK_AFTER, code, to);
}

/** @param {string} text */
function isInnocent(text) {
  const code = text.replace(OWN_MODULE, "$cloche");
  if (code.includes("\\u") || code.includes("\\x") || DEEP_WRITE.test(code)) return false;
  for (const { 0: word, index } of code.matchAll(WORD)) {
    if (TELLING.has(word) || word.startsWith("__")) return false;
    if (globalNames.has(word) && !isHarmlessUse(word, code, index, index + word.length)) return false;
  }
  return true;
}

/** Whether innocent code may have changed something all the same. @param {string} code */
function mayChange(code) {
  return MAY_CHANGE.test(code.replace(FIRST_ASSIGNMENT, "").replace(NO_ASSIGNMENT, ""));
}

/** @param {string} code @returns {string | undefined} why no run of this code may be followed by another */
function untraceableUse(code) {
  const use = UNTRACEABLE.exec(code);
  if (use !== null) return `the code uses ${use[0]}`;
  for (const { 1: specifier } of code.matchAll(/\bimport\s*\(\s*(["'][^"'\\\n]*["']\s*[,)])?/g)) {
    if (specifier === undefined) return "the code imports a module by a computed name";
  }
  return undefined;
}

/** @param {string} code */
function mayConnect(code) {
  return CONNECTING_GLOBALS.test(code) || OWN_CLIENT.test(code);
}

/** The modules that the code imports by a fixed name. */
function importedModules(code) {
  return [...code.matchAll(/\bimport\s*\(\s*["']([^"'\\\n]*)["']/g)].map((match) => match[1]);
}

/** The built-in globals that the code names. Some are made on first use, which must not look like a change. */
function namedGlobals(code) {
  const named = new Set(code.match(WORD));
  if (OWN_CLIENT.test(code)) for (const name of ["fetch", "Headers", "URL"]) named.add(name);
  return [...named].filter((word) => globalNames.has(word));
}

const plainName = (specifier) => specifier.replace(/^node:/, "");

module.exports = {
  importedModules,
  isInnocent,
  mayChange,
  mayConnect,
  isUntraceableModule: (specifier) => UNTRACEABLE_MODULES.has(plainName(specifier)),
  namedGlobals,
  untraceableUse,
};
