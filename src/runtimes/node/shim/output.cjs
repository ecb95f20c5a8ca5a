// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- private copies of methods; they are called through apply() */
// Everything that the code prints becomes a log frame at once: console.*, process.stdout and process.stderr.
// Built-in streams would buffer, know no levels and keep handles open.
const { formatWithOptions } = require("node:util");
const { sendLog, sendLogBytes } = require("./channel.cjs");

const apply = Reflect.apply;
const { replaceAll } = String.prototype;
const PLAIN = { colors: false };
const LEVELS = { debug: "debug", info: "info", log: "info", warn: "warn", error: "error" };

/** Node keeps the indentation of console.group under a private symbol. */
const indentation = Object.getOwnPropertySymbols(console).find((key) => key.description === "kGroupIndentationString");

function print(level, values) {
  let text = values.length === 1 && typeof values[0] === "string" ? values[0] : formatWithOptions(PLAIN, ...values);
  const indent = indentation === undefined ? "" : console[indentation];
  if (indent) text = indent + apply(replaceAll, text, ["\n", `\n${indent}`]);
  sendLog(level, `${text}\n`);
}

function replaceConsole() {
  for (const name of Object.keys(LEVELS)) {
    const level = LEVELS[name];
    // A method's own name shows in no trace of the user, but `console.log.name` is what Node has.
    console[name] = { [name]: (...values) => print(level, values) }[name];
  }
  console.trace = function trace(...values) {
    const at = { name: "Trace", message: formatWithOptions(PLAIN, ...values), toString: Error.prototype.toString };
    Error.captureStackTrace(at, trace);
    print("error", [/** @type {any} */ (at).stack]);
  };
}

/** Defines `process[name]` as a stream that is made when it is first asked for: most code never does. */
function lazyStream(name, make) {
  let stream;
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => (stream ??= make()) });
}

function outputStream(fd, level) {
  const { Writable } = require("node:stream");
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, encoding, done) {
      if (typeof chunk !== "string") sendLogBytes(level, chunk);
      else if (encoding === "utf8" || encoding === "utf-8") sendLog(level, chunk);
      else sendLogBytes(level, Buffer.from(chunk, encoding));
      done();
    },
  });
  // Node's own: process.stdout can be neither ended nor destroyed.
  stream.destroy = () => stream;
  stream._destroy = (error, done) => done(error);
  return Object.assign(stream, { fd, _isStdio: true, destroySoon: stream.destroy });
}

function replaceStreams() {
  lazyStream("stdout", () => outputStream(1, "info"));
  lazyStream("stderr", () => outputStream(2, "error"));
  lazyStream("stdin", () => {
    const { Readable } = require("node:stream");
    return Object.assign(
      new Readable({
        read() {
          this.push(null);
        },
      }),
      { fd: 0 },
    );
  });
}

/** Call once, before any user code. */
function captureOutput() {
  replaceConsole();
  replaceStreams();
}

module.exports = { captureOutput };
