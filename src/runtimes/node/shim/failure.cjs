// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- private copies of methods; they are called through apply() */
// How a mistake of the user is shown: with the user's own frames, lines and columns, and nothing of ours or of Node.
const { inspect } = require("node:util");

const MESSAGE_LIMIT_UNITS = 16_384;
const STACK_LIMIT_UNITS = 32_768;
/** How many causes and errors inside errors are shown. */
const CAUSE_DEPTH = 4;

const apply = Reflect.apply;
const { toString: errorToString } = Error.prototype;
const { indexOf, slice, split } = String.prototype;
const { isNativeError } = require("node:util/types");

/** The bound program's file name, and for compiled code the way back to the source (docs/wire-protocol.md, `positions`). */
let file = "script.js";
/** @type {number[][][] | undefined} */
let positions;

/** @param {{ file?: string, positions?: number[][][] }} options */
function describeSource(options) {
  file = options.file ?? file;
  positions = options.positions;
}

/** The user's line and column, one-based, for one of the running code; undefined for code that a compiler added. */
function sourcePosition(line, column) {
  if (positions === undefined) return [line, column];
  const segments = positions[line - 1] ?? [];
  let best;
  for (let at = 0; at < segments.length && segments[at][0] < column; at += 1) best = segments[at];
  return best === undefined ? undefined : [best[1] + 1, best[2] + 1];
}

/** One line of a stack trace, or undefined if the frame is not the user's. */
function showFrame(site) {
  const name = site.getFileName();
  if (name !== file) {
    // Built-ins (`at JSON.parse`, `at Array.map`) and eval have no file of their own.
    return name === undefined || name === null ? `    at ${site.toString()}` : undefined;
  }
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  const source = sourcePosition(line, column);
  if (source === undefined) return undefined;
  const text = site.toString();
  const place = `${file}:${line}:${column}`;
  const at = apply(indexOf, text, [place]);
  if (at < 0) return `    at ${text}`;
  const rest = apply(slice, text, [at + place.length]);
  return `    at ${apply(slice, text, [0, at])}${file}:${source[0]}:${source[1]}${rest}`;
}

function showTrace(error, sites) {
  let text;
  try {
    text = apply(errorToString, error, []);
  } catch {
    text = "Error";
  }
  let pending = ""; // built-in frames count only if a frame of the user lies below them
  for (let at = 0; at < sites.length; at += 1) {
    const line = showFrame(sites[at]);
    if (line === undefined) continue;
    pending += `\n${line}`;
    if (sites[at].getFileName() === file) {
      text += pending;
      pending = "";
    }
  }
  return text;
}

/** Call once, before any user code: from then on every `error.stack` is the user's view. */
function installStackTraces() {
  Error.prepareStackTrace = showTrace;
}

function cap(text, limitUnits) {
  if (text.length <= limitUnits) return text;
  return `${apply(slice, text, [0, limitUnits - 40])}… (${text.length - limitUnits + 40} more characters)`;
}

function textOf(value, otherwise) {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

/** The stack with what belongs to it: causes, the errors of an AggregateError, codes. */
function showError(error) {
  const text = inspect(error, { depth: CAUSE_DEPTH });
  return text === `[${error.stack}]` ? error.stack : text; // how inspect() shows an error without frames
}

/**
 * What an `error` frame says about a thrown value.
 * @returns {{ name: string, message: string, stack: string }}
 */
function describeThrown(thrown) {
  try {
    if (isNativeError(thrown) || thrown instanceof Error) {
      return {
        name: cap(textOf(thrown.name, "Error"), 256),
        message: cap(typeof thrown.message === "string" ? thrown.message : "", MESSAGE_LIMIT_UNITS),
        stack: cap(showError(thrown), STACK_LIMIT_UNITS),
      };
    }
    const shown = typeof thrown === "string" ? thrown : inspect(thrown);
    return { name: "Error", message: cap(shown, MESSAGE_LIMIT_UNITS), stack: "" };
  } catch {
    return { name: "Error", message: "the code threw a value that cannot be shown", stack: "" };
  }
}

/**
 * V8 puts `script.js:2`, the line of code and a caret before the stack of a syntax error.
 * @param {Error} error
 * @param {string} prefix what stands before the user's code on its first line
 */
function describeSyntaxError(error, prefix) {
  const { name, message } = error;
  const [place = "", code = "", caret = ""] = apply(split, String(error.stack), ["\n"]);
  const line = Number(apply(slice, place, [file.length + 1]));
  if (!(line > 0)) return { name, message: cap(message, MESSAGE_LIMIT_UNITS), stack: `${name}: ${message}` };
  const skip = line === 1 && code.startsWith(prefix) ? prefix.length : 0;
  const column = caret.search(/\S/) + 1 - skip;
  const source = sourcePosition(line, column) ?? [line, column];
  const at = `${file}:${source[0]}:${source[1]}`;
  return {
    name,
    message: cap(`${message} (${at})`, MESSAGE_LIMIT_UNITS),
    stack: cap(`${name}: ${message}\n    at ${at}\n\n${code.slice(skip)}\n${caret.slice(skip)}`, STACK_LIMIT_UNITS),
  };
}

module.exports = { describeSource, describeSyntaxError, describeThrown, installStackTraces };
