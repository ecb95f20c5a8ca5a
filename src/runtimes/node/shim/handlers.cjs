// @ts-check
"use strict";
// A program of handlers: it is loaded once, keeps its state, and is called on the event loop for each run, for several at a
// time where it was bound so.
const { AsyncLocalStorage } = require("node:async_hooks");
const { answered, prepareCalls } = require("./calls.cjs");
const { listen, nameRunsInLogs, send, sendLog } = require("./channel.cjs");
const { contextOf } = require("./context.cjs");
const { describeLoadFailure, describeThrown } = require("./failure.cjs");
const { checkModule, importEntry } = require("./loader.cjs");
const { Run } = require("./run.cjs");

const reallyExit = process.reallyExit.bind(process);
const { setImmediate } = globalThis;

/** Ways to write to the descriptors without us, after which the server must look there. */
const WRITES_RAW =
  /\b(?:child_process|worker_threads|cluster|inspector|fs|wasi|tty|net|dlopen|binding|getBuiltinModule|_rawDebug)\b/;

/**
 * @typedef {{ options: any, code: string, concurrency: number, env: Record<string, string>, info: any }} Program
 */

/** @type {Program} */
let program;
let writesRaw = false;
/** Asked for and not begun, oldest first. @type {Run[]} */
const queue = [];
/**
 * In progress, oldest first. No Map: each table that one leaves behind keeps the runs of its time from the collector until the next full
 * collection.
 * @type {Run[]}
 */
const active = [];
/** Pings that wait for a moment without a run. @type {number[]} */
const pings = [];
/** Of the event loop, asked for to take runs in. */
let turns = 0;
/** @type {AsyncLocalStorage<Run>} */
const storage = new AsyncLocalStorage();
/** @type {Promise<(run: Run) => Promise<void>> | undefined} */
let loading;
let lastRun = 0;
let isRetired = false;

/** Takes over from the blocking loop for good. @param {Program} bound */
function serveHandlers(bound) {
  program = bound;
  const texts = [bound.code, ...Object.values(bound.options.files ?? {})];
  writesRaw = texts.some((text) => WRITES_RAW.test(text));
  prepareCalls(() => (storage.getStore() ?? oldest())?.id ?? lastRun, { blocking: false });
  nameRunsInLogs(runOfLog);
  listen(onFrame, () => reallyExit(0));
}

function oldest() {
  return active[0];
}

/** Named only where the server would take it for another run's. */
function runOfLog() {
  const run = storage.getStore();
  return run === undefined || (program.concurrency === 1 && run === oldest()) ? undefined : run.id;
}

function onFrame(frame) {
  const { header, body } = frame;
  switch (header.t) {
    case "run":
    case "request":
    case "check":
      queue.push(new Run(frame, { cancellable: program.concurrency > 1, raw: writesRaw, onOver }));
      takeRunsInTurn();
      break;
    case "body":
      findRun(header.id)?.inbox.push(body, header.end === true);
      break;
    case "credit":
      active.find(({ id }) => id === header.id)?.outbox.credit(header.bytes);
      break;
    case "answer":
      answered(frame);
      break;
    case "cancel":
      findRun(header.id)?.cancel(); // one that has not begun begins with an aborted signal
      break;
    case "ping":
      pings.push(header.id);
      takeRunsInTurn();
      break;
    default: // unknown frames are ignored
  }
}

function findRun(id) {
  return active.find((run) => run.id === id) ?? queue.find((run) => run.id === id);
}

/**
 * One turn for each run that has come: what came together is taken in one round of the event loop, which is a tenth of a quick run, and
 * yet what a run leaves to do at once, a promise that nobody handles, comes before the next one.
 */
function takeRunsInTurn() {
  turns++;
  setImmediate(takeRuns);
}

function takeRuns() {
  turns--;
  while (active.length < program.concurrency) {
    const run = isRetired ? undefined : queue.shift();
    if (run === undefined) break;
    active.push(run);
    lastRun = run.id;
    void storage.run(run, answer, run);
  }
  if (active.length > 0 || isRetired) return;
  for (const id of pings.splice(0)) send({ t: "pong", id });
}

function onOver(run) {
  const at = active.indexOf(run);
  if (at >= 0) active.splice(at, 1);
  if (turns === 0 && queue.length + pings.length > 0) takeRunsInTurn();
}

async function answer(run) {
  try {
    if (run.header.t === "check") await check(run);
    else {
      loading ??= loadHandler();
      const handle = await loading.catch((error) => failLoading(run, error));
      await handle?.(run);
    }
  } catch (error) {
    run.fail(error);
  }
}

/** Compiles all of it, runs none of it. */
async function check(run) {
  const { error, format, noHandler, style } = program.options;
  if (error !== undefined) return run.failWith(error);
  try {
    if (format === "commonjs") compileCommonJs();
    else await checkModule();
  } catch (mistake) {
    return run.failWith(describeLoadFailure(mistake));
  }
  if (style === undefined) run.failWith(noHandler);
  else run.succeed(JSON.stringify({ style }));
}

function compileCommonJs() {
  const vm = require("node:vm");
  const { code, options } = program;
  const parameters = ["exports", "require", "module", "__filename", "__dirname"];
  // What it compiles to is not called.
  vm.compileFunction(code, parameters, { filename: `/${options.file}` });
}

function failLoading(run, error) {
  const { options } = program;
  const known = options.error ?? (error === NO_HANDLER ? options.noHandler : undefined);
  run.failWith(known ?? describeLoadFailure(error));
  // What failed while it ran, such as a request to another server, may go well the next time, but a module loads only once.
  if (known === undefined && !(error instanceof SyntaxError)) retire("the program could not be loaded");
  return undefined;
}

const NO_HANDLER = new Error("no handler");

async function loadHandler() {
  const { env, info, options } = program;
  const { error, file, format, style } = options;
  if (error !== undefined) throw NO_HANDLER;
  if (style === "web") require("./web.cjs").prepareWeb();
  const exported = await importEntry();
  const contextFor = (run) => {
    const ctx = contextOf(info, run.header);
    ctx.waitUntil = waitUntil;
    if (run.signal !== undefined) ctx.signal = run.signal;
    return ctx;
  };
  if (style === "web") {
    const { answerWeb, webHandler } = require("./web.cjs");
    const handler = webHandler(defaultOf(exported, format), file);
    const vars = Object.freeze({ ...env });
    const passThroughOnException = () => {};
    return (run) => {
      const ctx = contextFor(run);
      ctx.passThroughOnException = passThroughOnException;
      return answerWeb(handler, run, { env: vars, ctx, baseUrl: info.baseUrl });
    };
  }
  if (style === undefined) throw NO_HANDLER;
  const { answerLambda, answerMain } = require("./lambda.cjs");
  const name = style === "main" ? "main" : "handler";
  const handler = exported[name];
  if (typeof handler !== "function")
    throw new TypeError(`"${name}" of ${file} is a ${typeof handler}; it must be a function`);
  const answerIt = style === "main" ? answerMain : answerLambda;
  return (run) => answerIt(handler, run, { ctx: contextFor(run), info });
}

/** CommonJS has a default export by a convention of compilers only. */
function defaultOf(exported, format) {
  if (format !== "commonjs") return exported.default;
  return exported.__esModule || (typeof exported !== "function" && exported.fetch === undefined)
    ? exported.default
    : exported;
}

/** Work behind the response. The next run may begin; that the worker lives on is not promised. */
function waitUntil(promise) {
  void Promise.resolve(promise).catch((error) => logThrown("waitUntil", error));
}

function logThrown(where, thrown) {
  const { name, message, stack } = describeThrown(thrown);
  sendLog("error", `${where}: ${stack || `${name}: ${message}`}\n`);
}

/** An error that nothing caught: whose it is cannot be known for sure, and the state of the program cannot either. */
function onUncaughtInHandlers(event, thrown) {
  if (active.length === 0) logThrown(event, thrown);
  for (const run of [...active]) run.fail(thrown);
  retire(`an error was not caught (${event})`);
}

function retire(why) {
  if (isRetired) return;
  isRetired = true;
  // Others that are in progress cannot be finished by a worker that the server ends.
  for (const run of [...active]) run.fail(new Error(`the worker ends: ${why}`));
  send({ t: "retire", why });
}

/** The code ends the process. @param {number} code */
function exitHandlers(code) {
  if (active.length === 0) send({ t: "retire", why: "its code ended the process after a run" });
  for (const run of [...active]) run.exit(code);
}

module.exports = { exitHandlers, onUncaughtInHandlers, serveHandlers };
