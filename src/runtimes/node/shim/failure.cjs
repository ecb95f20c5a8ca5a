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
const decode = decodeURIComponent;
const toInteger = parseInt;
const { isNativeError } = require("node:util/types");

/** The bound program's main file, and all its files. */
let file = "script.js";
let files = { __proto__: null, [file]: true };
/** For compiled code the way back to the source, by file (docs/wire-protocol.md, `positions`). @type {Record<string, number[][][]>} */
let positions = {};
/** Where V8 does not say it: line and column of a mistake in a module, by file. @type {Record<string, [number, number]>} */
let mistakes = {};
/** @type {(path: string) => string | undefined} */
let textOfFile = () => undefined;

/** @param {{ file?: string, positions?: any, files?: any, filePositions?: any, mistakes?: any }} options @param {string} code of the main file */
function describeSource(options, code) {
  file = options.file ?? file;
  files = { __proto__: null, ...options.files, [file]: code };
  positions = { __proto__: null, ...options.filePositions, [file]: options.positions };
  mistakes = options.mistakes ?? {};
  textOfFile = (path) => files[path];
}

/** The path of the program's file that V8 calls `name`; undefined if it is none. */
function userFile(name) {
  if (name === file) return file;
  if (typeof name !== "string") return undefined;
  if (name[0] === "/") return inFiles(apply(slice, name, [1]));
  if (apply(indexOf, name, ["file:///"]) !== 0) return undefined;
  try {
    return inFiles(decode(apply(slice, name, [8])));
  } catch {
    return undefined;
  }
}

function inFiles(path) {
  return path in files ? path : undefined;
}

/** The user's line and column, one-based, for one of the running code; undefined for code that a compiler added. */
function sourcePosition(path, line, column) {
  if (positions[path] === undefined) return [line, column];
  const segments = positions[path][line - 1] ?? [];
  let best;
  for (let at = 0; at < segments.length && segments[at][0] < column; at += 1) best = segments[at];
  return best === undefined ? undefined : [best[1] + 1, best[2] + 1];
}

/** One line of a stack trace, or undefined if the frame is not the user's. */
function showFrame(site) {
  const name = site.getFileName();
  const path = userFile(name);
  if (path === undefined) {
    // Built-ins (`at JSON.parse`, `at Array.map`) and eval have no file of their own.
    return name === undefined || name === null ? `    at ${site.toString()}` : undefined;
  }
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  const source = sourcePosition(path, line, column);
  if (source === undefined) return undefined;
  const text = site.toString();
  const place = `${name}:${line}:${column}`;
  const at = apply(indexOf, text, [place]);
  if (at < 0) return `    at ${text}`;
  const rest = apply(slice, text, [at + place.length]);
  return `    at ${apply(slice, text, [0, at])}${path}:${source[0]}:${source[1]}${rest}`;
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
    if (userFile(sites[at].getFileName()) !== undefined) {
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

/** The line of the main file that a stack names first. */
function lineIn(stack) {
  const frames = apply(slice, stack, [apply(indexOf, stack, ["\n    at "])]);
  const inside = apply(indexOf, frames, [`(${file}:`]);
  const plain = apply(indexOf, frames, [` ${file}:`]);
  const at = inside >= 0 && (plain < 0 || inside < plain) ? inside : plain;
  if (at < 0) return undefined;
  const line = toInteger(apply(slice, frames, [at + file.length + 2]), 10);
  return line > 0 ? line : undefined;
}

/**
 * What an `error` frame says about a thrown value.
 * @returns {{ name: string, message: string, stack: string, line?: number }}
 */
function describeThrown(thrown) {
  try {
    if (isNativeError(thrown) || thrown instanceof Error) {
      const stack = cap(showError(thrown), STACK_LIMIT_UNITS);
      return {
        name: cap(textOf(thrown.name, "Error"), 256),
        message: cap(typeof thrown.message === "string" ? thrown.message : "", MESSAGE_LIMIT_UNITS),
        stack,
        line: lineIn(stack),
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
  const colon = place.lastIndexOf(":");
  const path = userFile(apply(slice, place, [0, colon]));
  const line = Number(apply(slice, place, [colon + 1]));
  if (path === undefined || !(line > 0))
    return { name, message: cap(message, MESSAGE_LIMIT_UNITS), stack: `${name}: ${message}` };
  const skip = line === 1 && code.startsWith(prefix) ? prefix.length : 0;
  const column = caret.search(/\S/) + 1 - skip;
  return showMistake({ name, message, path, line, column, code: code.slice(skip), caret: caret.slice(skip) });
}

function showMistake({ name, message, path, line, column, code, caret }) {
  const source = sourcePosition(path, line, column) ?? [line, column];
  const at = `${path}:${source[0]}:${source[1]}`;
  return {
    name,
    message: cap(`${message} (${at})`, MESSAGE_LIMIT_UNITS),
    stack: cap(`${name}: ${message}\n    at ${at}\n\n${code}\n${caret}`, STACK_LIMIT_UNITS),
    line: path === file ? source[0] : undefined,
  };
}

/** What an `error` frame says about a program that could not be loaded. @param {any} error */
function describeLoadFailure(error) {
  const isThrownByUser = !(error instanceof SyntaxError) || /\n {4}at .*:\d+:\d+/.test(String(error.stack));
  if (isThrownByUser) return describeThrown(error);
  const [[path, [line, column]] = ["", [0, 0]]] = Object.entries(mistakes);
  const code = textOfFile(path)?.split("\n")[line - 1];
  if (code === undefined || /^\S+:\d+\n/.test(String(error.stack))) return describeSyntaxError(error, "");
  const { name, message } = error;
  return showMistake({ name, message, path, line, column, code, caret: `${" ".repeat(column - 1)}^` });
}

module.exports = { describeLoadFailure, describeSource, describeSyntaxError, describeThrown, installStackTraces };
