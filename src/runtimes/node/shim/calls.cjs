// @ts-check
"use strict";
// Asks the server for something and waits for its answer: docs/wire-protocol.md, "Calls".
const { receiveWhere, send } = require("./channel.cjs");

/** So many calls may wait for their answers; those beyond wait here. */
const WAITING_LIMIT = 64;

const { parse, stringify } = JSON;
const { defineProperty } = Object;
const reallyExit = process.reallyExit.bind(process);

let lastId = 0;
/** The run that a call is made for; the last one where none is in progress. @type {() => number} */
let currentRun = () => 0;
let blocks = true;
/** @type {Map<number, (answer: { error?: { code: string, message: string }, text: string }) => void>} */
const waiting = new Map();
/** @type {(() => void)[]} */
const line = [];

/**
 * Call once, before any call is made.
 * @param {() => number} which the run that asks
 * @param {{ blocking: boolean }} how a script blocks its thread, so that an empty event loop still means that nothing is left to do
 */
function prepareCalls(which, { blocking }) {
  currentRun = which;
  blocks = blocking;
}

/**
 * Asks the server. Errors have a `code`.
 * @param {string} name @param {object} input @returns {Promise<any>}
 */
async function call(name, input) {
  const text = stringify(input);
  const answer = blocks ? askAndBlock(name, text) : await ask(name, text);
  if (answer.error !== undefined) throw callError(answer.error.code, answer.error.message);
  return answer.text === "" ? {} : parse(answer.text);
}

/** @param {string} code @param {string} message */
function callError(code, message) {
  return defineProperty(new Error(message), "code", {
    value: code,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function sendCall(name, text) {
  lastId += 1;
  send({ t: "call", id: lastId, run: currentRun(), name }, text);
  return lastId;
}

function askAndBlock(name, text) {
  const id = sendCall(name, text);
  const frame = receiveWhere((header) => header.t === "answer" && header.id === id);
  if (frame === undefined) reallyExit(0); // the server is gone
  return { error: frame.header.error, text: frame.body };
}

async function ask(name, text) {
  while (waiting.size >= WAITING_LIMIT) await new Promise((resolve) => line.push(() => resolve(undefined)));
  const id = sendCall(name, text);
  return await new Promise((resolve) => waiting.set(id, resolve));
}

/** Takes an `answer` frame. */
function answered({ header, body }) {
  const resolve = waiting.get(header.id);
  if (resolve === undefined) return;
  waiting.delete(header.id);
  resolve({ error: header.error, text: body });
  line.shift()?.();
}

module.exports = { answered, call, prepareCalls };
