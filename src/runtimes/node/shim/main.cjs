// @ts-check
"use strict";
// The shim: our code inside the box of a Node worker. Speaks docs/wire-protocol.md on fd 3 and runs one program: a script
// here, handlers in `handlers.cjs`.
// CommonJS, because an ES module as entry point costs 6 ms of a 22 ms boot.
const { receive, receiveWhere, send, sendText, usage, usageText } = require("./channel.cjs");
const { closeConnections, prepareEgress } = require("./egress.cjs");
const { describeSource, describeThrown, installStackTraces } = require("./failure.cjs");
const { captureOutput } = require("./output.cjs");
const { compile } = require("./program.cjs");
const { hiddenTimer, openResources, quietCheck, watchUnref } = require("./quiet.cjs");
const { rehearse } = require("./rehearsal.cjs");
const { toJson } = require("./result.cjs");

const { clearTimeout, setImmediate } = globalThis;
const parse = JSON.parse;
const stringify = JSON.stringify;
const { getOwnPropertyDescriptor } = Object;
const reallyExit = process.reallyExit.bind(process);
const listenerCount = process.listenerCount.bind(process);
const rawListeners = process.rawListeners.bind(process);
const { emit } = process; // oxlint-disable-line typescript/unbound-method -- only compared
const { includes } = Array.prototype; // oxlint-disable-line typescript/unbound-method -- called through apply()
const { apply } = Reflect;

/** The id of the run in progress; 0 and up, so NONE while there is none. */
const NONE = -1;
let running = NONE;
/** The same, but the last one where there is none. */
let lastRun = 0;
/** Why this worker takes no further run, whatever the quiet check says. @type {string | undefined} */
let spoilt;
/** Runs while the worker waits for proof that its event loop is empty. @type {ReturnType<typeof hiddenTimer> | undefined} */
let settling;
/** How long a job of the thread pool that the code did not wait for may take. */
const SETTLE_MS = 50;
let turnsWaited = 0;
/** Handles that are being closed need a turn or two. */
const TURNS_TO_CLOSE = 3;

/** @type {(input: unknown, context: unknown) => Promise<unknown>} */
let start = () => Promise.reject(new Error("no program is bound"));
/** The failure of every run, where the program cannot be compiled. */
let failure;
/** @type {ReturnType<typeof quietCheck>} */
let quiet;

/** Makes what the code sees as `ctx` of a run; undefined where the code does not ask for it. @type {((header: any) => unknown) | undefined} */
let contextOf;
/** Set where the program is one of handlers. @type {typeof import("./handlers.cjs") | undefined} */
let handlers;
/** Set where it is one in WebAssembly. @type {ReturnType<typeof import("./wasm.cjs").bindWasm> | undefined} */
let wasm;

/** Names by which code gets hold of what we give it beside its input. */
const NAMES_CONTEXT = /\b(?:ctx|context|eval)\b/;
const NAMES_CLOCHE = /\bcloche\b/;

function bind({ options = {}, env = {}, concurrency = 1, function: info = {} }, code) {
  if (options.format === "wasm") {
    wasm = require("./wasm.cjs").bindWasm({ options, info }, code);
    return;
  }
  for (const name of Object.keys(env)) process.env[name] = env[name];
  describeSource(options, code);
  if (options.format !== undefined) {
    bindHandlers({ options, code, env, concurrency, info });
    return;
  }
  if (options.error !== undefined) {
    failure = options.error;
    quiet = quietCheck("");
    return;
  }
  prepareEgress(code);
  const hasFiles = options.files !== undefined;
  const namesCloche = NAMES_CLOCHE.test(code);
  const namesContext = NAMES_CONTEXT.test(code);
  const cloche = namesCloche ? require("./cloche.cjs") : undefined;
  if (namesContext) {
    const { contextOf: make } = require("./context.cjs");
    contextOf = (header) => make(info, header);
  }
  if (namesCloche || namesContext) {
    require("./calls.cjs").prepareCalls(() => lastRun, { blocking: true });
  }
  if (hasFiles || (namesCloche && includesWord(code, "import"))) {
    // A module cannot be loaded anew, so what the last run left in it would be there in the next one.
    require("./loader.cjs").installLoader(
      options,
      undefined,
      () => (spoilt ??= "the code loaded a file of its program"),
    );
  }
  quiet = quietCheck(code);
  const file = options.file ?? "script.js";
  const compiled = compile(code, file, userRequire, cloche);
  if ("failure" in compiled) failure = compiled.failure;
  else start = compiled.start;
}

function includesWord(code, word) {
  return new RegExp(`\\b${word}\\b`).test(code);
}

function bindHandlers(program) {
  const { code, options } = program;
  prepareEgress([code, ...Object.values(options.files ?? {})].join("\n"));
  require("./loader.cjs").installLoader(options, code);
  handlers = require("./handlers.cjs");
  process.off("beforeExit", onEmptyLoop);
  handlers.serveHandlers(program);
}

/** `require` of the code; made when first called. */
let nodeRequire;
function userRequire(name) {
  if (name === "cloche") return require("./cloche.cjs");
  nodeRequire ??= require("node:module").createRequire("/script.js");
  const loaded = nodeRequire(name);
  quiet.watch(name, loaded);
  return loaded;
}

/** Ends run `id` unless something else has ended it: the first cause wins. */
function end(id, type, body) {
  if (id === NONE || id !== running) return;
  running = NONE;
  // Innocent code cannot reach the descriptors, so the server need not look for what it wrote there.
  sendText(`{"t":"${type}","id":${id}${quiet.light ? "" : ',"raw":true'}${usageText()}`, body);
  setImmediate(afterRun);
}

function fail(id, thrown) {
  end(id, "error", stringify(describeThrown(thrown)));
}

async function run(header, body) {
  const { id } = header;
  running = lastRun = id;
  if (failure !== undefined) {
    end(id, "error", stringify(failure));
    return;
  }
  try {
    const input = header.t === "run" ? parse(body) : requestEvent(header, body);
    let value = await start(input, contextOf === undefined ? undefined : contextOf(header));
    value ??= value === undefined ? await takeGlobalResult() : null;
    const text = toJson(value);
    if (process.exitCode) process.exit();
    end(id, "result", text);
  } catch (error) {
    fail(id, error);
  }
}

/** A script gets a request when all of its body is there. */
function requestEvent(header, first) {
  const { id } = header;
  const chunks = [first];
  for (let ended = header.end, last = first; ended !== true;) {
    send({ t: "credit", id, bytes: last.length });
    const frame = receiveWhere((header) => header.t === "body" && header.id === id);
    if (frame === undefined) reallyExit(0); // the server is gone
    last = frame.body;
    chunks.push(last);
    ended = frame.header.end;
  }
  return require("./events.cjs").scriptEvent(header, Buffer.concat(chunks));
}

/** Says what the program is, without running it. */
function check(id) {
  if (failure === undefined) send({ t: "result", id }, '{"style":"script"}');
  else send({ t: "error", id }, stringify(failure));
}

/** Code that returns nothing may have set `globalThis.result`. Taking it away leaves the worker as it was. */
function takeGlobalResult() {
  if (getOwnPropertyDescriptor(globalThis, "result") === undefined) return undefined;
  const { result } = globalThis;
  delete globalThis.result;
  return result;
}

/** A later macrotask than the end of the run, so that no microtask of it is left. */
function afterRun() {
  if (turnsWaited === 0) closeConnections();
  const open = openResources();
  if (open !== undefined && turnsWaited < TURNS_TO_CLOSE) {
    turnsWaited += 1;
    setImmediate(afterRun);
    return;
  }
  turnsWaited = 0;
  if (!hearsEmptyLoop()) retire("the code took the events of process");
  else if (open !== undefined) retire(`still open: ${open}`);
  else if (quiet.light) takeOrRetire();
  // Threads and jobs of the thread pool show in no list, but they keep `beforeExit` back.
  else settling = hiddenTimer(() => retire("the event loop does not become empty"), SETTLE_MS);
}

/** Node tells it through `process.emit`; without that it would end the process, and the next run with it. */
function hearsEmptyLoop() {
  return process.emit === emit && apply(includes, rawListeners("beforeExit"), [onEmptyLoop]);
}

function takeOrRetire() {
  const why = spoilt ?? changed();
  if (why === undefined) takeFrames();
  else retire(why);
}

function changed() {
  try {
    return quiet.check();
  } catch {
    return "the built-ins that the check itself needs were changed";
  }
}

function retire(why) {
  send({ t: "retire", why });
  while (receive() !== undefined); // nothing of the code runs any more; the server ends us
  reallyExit(0);
}

/** Answers frames until one starts a run. Waits for them with the whole thread: nothing else is left to do. */
function takeFrames() {
  for (;;) {
    const frame = receive();
    if (frame === undefined) reallyExit(0);
    const { header, body } = frame;
    if (wasm !== undefined && (header.t === "run" || header.t === "request")) {
      wasm.run(header, body);
      setImmediate(takeFrames); // V8 has work of its own to do between two runs
      return;
    }
    if (header.t === "run" || header.t === "request") {
      void run(header, body);
      return;
    }
    if (header.t === "bind") {
      bind(header, body);
      if (handlers !== undefined) return; // they read on the event loop
    } else if (header.t === "check") (wasm?.check ?? check)(header.id);
    else if (header.t === "ping") send({ t: "pong", id: header.id });
  }
}

/** The event loop is empty. Node would exit here: a run that still waits waits for nothing. */
function onEmptyLoop() {
  if (running !== NONE) {
    if (process.exitCode) process.exit();
    end(running, "result", "");
  } else if (settling !== undefined) {
    clearTimeout(settling);
    settling = undefined;
    setImmediate(takeOrRetire);
  }
}

/** An error that nothing caught, from a callback or a promise. The user's own listener has precedence. */
function onUncaught(event) {
  process.on(event, (reason) => {
    if (listenerCount(event) > 1) return;
    if (handlers !== undefined) {
      handlers.onUncaughtInHandlers(event, reason);
      return;
    }
    spoilt ??= `an error was not caught (${event})`;
    fail(running, reason);
  });
}

process.reallyExit = (code) => {
  if (handlers !== undefined) handlers.exitHandlers(code ?? 0);
  else if (running !== NONE) send({ t: "exit", id: running, code: code ?? 0 });
  else send({ t: "retire", why: "its code ended the process after a run" });
  reallyExit(code);
};
process.on("beforeExit", onEmptyLoop);
onUncaught("uncaughtException");
onUncaught("unhandledRejection");
installStackTraces();
captureOutput();
watchUnref();
void begin();

async function begin() {
  await rehearse();
  send({ t: "ready", ...usage() });
  takeFrames();
}
