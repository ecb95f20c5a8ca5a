// @ts-check
"use strict";
// A program in WebAssembly: compiled once, and a fresh instance for each run, so that nothing of one is left in the next.
const { send, sendText, usage, usageText } = require("./channel.cjs");
const { EXIT, Wasi } = require("./wasi.cjs");
const { Cancelled } = require("./wasi-streams.cjs");
const { describeTrap } = require("./wasm-failure.cjs");
const { Instances } = require("./wasm-instances.cjs");
const { compileModule, Unfit } = require("./wasm-module.cjs");

const NO_MEMORY = new WebAssembly.Memory({ initial: 0 });
const NO_TEXTS = [];
const MOST_FRAMES = 30;

/**
 * @param {{ options: { memoryBytes: number }, info: { name?: string } }} bound @param {Buffer} bytes
 * @returns {{ run: (header: any, body: any) => void, check: (id: number) => void }}
 */
function bindWasm({ options: { memoryBytes }, info }, bytes) {
  Error.prepareStackTrace = undefined; // traces of JavaScript leave out what is not the user's, and here that is all
  Error.stackTraceLimit = MOST_FRAMES;
  const wasi = new Wasi();
  wasi.args = [zeroEnded(info.name ?? "program")];
  const imports = { wasi_snapshot_preview1: wasi.imports };
  let instances;
  let failure;
  try {
    instances = new Instances(compileModule(bytes, memoryBytes, new Set(Object.keys(wasi.imports))), imports);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    failure = JSON.stringify({ name: error.name, message: error.message, stack: "" });
  }

  /** Its exit code. */
  function start(from, memory) {
    try {
      const instance = from.take();
      memory.current = instance.exports["memory"];
      wasi.enter(memory.current);
      /** @type {() => void} */ (instance.exports["_start"])();
      return 0;
    } catch (thrown) {
      if (thrown === EXIT) return wasi.exitCode;
      throw thrown;
    }
  }

  function run(header, body) {
    const { id } = header;
    if (instances === undefined) {
      sendText(`{"t":"error","id":${id}}`, failure);
      return;
    }
    const isRequest = header.t === "request";
    wasi.environ = isRequest
      ? Object.entries(header.cgi ?? {}).map(([name, value]) => zeroEnded(`${name}=${value}`))
      : NO_TEXTS;
    wasi.streams.start({
      id,
      isRequest,
      first: isRequest ? body : stdinOf(body),
      ended: !isRequest || header.end === true,
    });
    const memory = { current: undefined };
    try {
      tellEnd(header, start(instances, memory));
    } catch (thrown) {
      wasi.streams.finishPrinting();
      const heldBytes = memory.current?.buffer.byteLength ?? 0;
      const told =
        thrown instanceof Cancelled
          ? { name: "Cancelled", message: thrown.message, stack: "" }
          : describeTrap(thrown, heldBytes, memoryBytes);
      send({ t: "error", id, ...usage() }, JSON.stringify(told));
    }
    const heldBytes = memory.current?.buffer.byteLength ?? 0;
    memory.current = undefined;
    wasi.enter(NO_MEMORY);
    instances.leave(heldBytes);
  }

  /** The response is whole only if the program says that all went well. */
  function tellEnd({ t, id }, code) {
    if (code === 0) wasi.streams.finish();
    else wasi.streams.finishPrinting();
    if (code !== 0) send({ t: "exit", id, code, stays: true, ...usage() });
    else if (t === "run") sendText(`{"t":"result","id":${id}${usageText()}`, "");
  }

  function check(id) {
    if (instances === undefined) sendText(`{"t":"error","id":${id}}`, failure);
    else send({ t: "result", id }, '{"style":"program"}');
  }

  return { run, check };
}

function zeroEnded(text) {
  return Buffer.from(`${text}\0`);
}

/** Text is given as it is, any other value as JSON. @param {string} json */
function stdinOf(json) {
  return Buffer.from(json.startsWith('"') ? JSON.parse(json) : json);
}

module.exports = { bindWasm };
