// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- private copies of methods; they are called through apply() */
// The way out of the box. There is no network in it, only a unix socket to the egress gate, which connects to what the
// policy allows: `CONNECT host:port`, its answer, then the target's bytes.
//
// All of Node's clients (http, https, tls, fetch, WebSocket, any driver) connect through one method, Socket.connect, so
// that is the one we replace: a connection to a host and port becomes one to the gate, which is not said to be connected
// before the gate has said so. `lookup`, `localAddress`, `family` and their like have no meaning here.
const { isInnocent, mayConnect } = require("./care.cjs");

const GATE_PATH = "/run/egress.sock";
const END_OF_HEAD = "\r\n\r\n";
const HIGHEST_PORT = 65_535;
const NO_NETWORK = "no network: this function runs with EGRESS=none";
/** Errors of a gate that is not there. */
const NO_GATE = new Set(["ENOENT", "ENOTDIR", "ECONNREFUSED", "EACCES"]);

const apply = Reflect.apply;
const { isArray } = Array;
const { defineProperty, getOwnPropertySymbols } = Object;
const { from, prototype: bufferPrototype } = Buffer;
const { latin1Slice } = bufferPrototype;
const { indexOf, slice, startsWith, trim } = String.prototype;
const { exec, test } = RegExp.prototype;

/** Where undici, Node's fetch, keeps its pool of connections. */
const DISPATCHERS = [Symbol.for("undici.globalDispatcher.1"), Symbol.for("undici.globalDispatcher.2")];
const GATE_ERROR = /^X-Egress-Error: (.*)$/im;
const NO_HOST = /[\s\0]/;

/** Connections of user code that are open, or on their way. */
const open = new Set();
/** @type {symbol} Node's name for replacing the handle of a socket that is not connected yet */
let kReinitializeHandle;
let isInstalled = false;

/**
 * Gives `code` its way out. Call before its first run, and before the built-ins are compared for the first time. Loads nothing
 * for code that cannot connect anyway: `net` costs 2 ms, and fetch 15.
 *
 * @param {string} code
 */
function prepareEgress(code, gatePath = GATE_PATH) {
  const namesClient = mayConnect(code);
  if (isInstalled || (isInnocent(code) && !namesClient)) return;
  isInstalled = true;
  replaceConnect(gatePath);
  // The box has no AF_NETLINK to ask for them, and nothing to find.
  require("node:os").networkInterfaces = () => ({});
  if (namesClient) tameFetch();
}

/** Ends what agents and pools keep open for later requests, so that nothing of a run is left. */
function closeConnections() {
  for (const socket of open) socket.destroy();
}

/** True for the timer of an idle connection of fetch, which ends with the connection. */
function isFetchTimer(timer) {
  return isInstalled && timer._onTimeout?.name === "onParserTimeout";
}

/** Without time limits of its own, fetch has no hidden timer that outlives a run. The gate and the run have limits. */
function tameFetch() {
  void globalThis.FormData; // loads undici
  const { constructor: Agent } = globalThis[DISPATCHERS[0]];
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connectTimeout: 0 });
  for (const key of DISPATCHERS) if (key in globalThis) globalThis[key] = agent;
}

function replaceConnect(gatePath) {
  const net = require("node:net");
  const { Socket, _normalizeArgs: normalize } = /** @type {any} */ (net);
  kReinitializeHandle = symbolOf(Socket.prototype, "kReinitializeHandle");
  const nodeConnect = Socket.prototype.connect;
  // The first stream of a process makes libuv open /dev/null for good. A run must not look as if it had left a file open.
  new Socket()
    .on("error", () => {})
    .connect({ path: "/" })
    .destroy();

  Socket.prototype.connect = function connect(...args) {
    const [options, listener] = isArray(args[0]) ? args[0] : normalize(args);
    const port = Number(options.port ?? NaN);
    // Unix sockets are the box's own business; Node knows best what to say about a wrong port.
    const isOurs = !options.path && port >= 0 && port <= HIGHEST_PORT && port % 1 === 0;
    if (!isOurs) return apply(nodeConnect, this, args);

    if (listener) this.once("connect", listener);
    if (this.destroyed) {
      this._handle = null;
      this._undestroy();
    }
    this.connecting = true;
    const carrier = new Socket();
    open.add(this);
    this.once("close", () => {
      open.delete(this);
      carrier.destroy();
    });
    apply(nodeConnect, carrier, [{ path: gatePath }]);
    askGate(this, carrier, `${options.host || "localhost"}`, port);
    return this;
  };
}

/** Has `carrier` ask for the target; what it then carries becomes `socket`'s. */
function askGate(socket, carrier, host, port) {
  const name = apply(indexOf, host, [":"]) >= 0 && host[0] !== "[" ? `[${host}]` : host;
  if (apply(test, NO_HOST, [host])) {
    process.nextTick(() => socket.destroy(egressError("egress failed: that is no host name and no address")));
    return;
  }
  let answer = "";
  const onData = (chunk) => {
    answer += apply(latin1Slice, chunk, [0, chunk.length]);
    const end = apply(indexOf, answer, [END_OF_HEAD]);
    if (end < 0) return;
    carrier.off("data", onData);
    if (apply(startsWith, answer, ["HTTP/1.1 200 "])) {
      handOver(carrier, socket, from(apply(slice, answer, [end + END_OF_HEAD.length]), "latin1"));
    } else {
      const line = apply(exec, GATE_ERROR, [apply(slice, answer, [0, end])])?.[1] ?? "egress failed: the gate refused";
      socket.destroy(egressError(apply(trim, line, [])));
    }
  };
  carrier.on("data", onData);
  carrier.on("end", () => socket.destroy(egressError("egress failed: the gate closed the connection")));
  carrier.on("error", ({ code }) =>
    socket.destroy(egressError(NO_GATE.has(code) ? NO_NETWORK : `egress failed: the gate cannot be reached (${code})`)),
  );
  carrier.write(`CONNECT ${name}:${port} HTTP/1.1\r\nHost: ${name}:${port}${END_OF_HEAD}`);
}

/** Gives the carrier's connection to `socket`, as Node does with the one of several addresses that answers. */
function handOver(carrier, socket, early) {
  const handle = carrier._handle;
  carrier.removeAllListeners();
  carrier._handle = null;
  if (socket._handle) {
    // TLS: its layer was made when nothing was connected. Making it anew forgets an `end()` that has been called by now.
    const { ending, ended } = socket._writableState;
    socket[kReinitializeHandle](handle);
    Object.assign(socket._writableState, { ending, ended });
    if (early.length > 0) socket._handle.receive(early);
  } else {
    handle[symbolOf(handle, "owner_symbol")] = socket;
    socket._handle = handle;
    if (early.length > 0) socket.push(early);
  }
  socket.connecting = false;
  socket.emit("connect");
  socket.emit("ready");
  if (!socket.isPaused()) socket.read(0);
}

function symbolOf(object, description) {
  const symbol = getOwnPropertySymbols(object).find((key) => key.description === description);
  if (symbol === undefined) throw new Error(`this version of Node has no ${description}`);
  return symbol;
}

/** @param {string} message */
function egressError(message) {
  const error = new Error(message);
  const code = apply(startsWith, message, ["egress failed"]) ? "EGRESS_FAILED" : "EGRESS_DENIED";
  return defineProperty(error, "code", { value: code, enumerable: true, configurable: true, writable: true });
}

module.exports = { closeConnections, isFetchTimer, prepareEgress };
