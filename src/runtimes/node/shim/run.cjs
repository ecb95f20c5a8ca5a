// @ts-check
"use strict";
// One run of a program of handlers, from the frame that asks for it to the frame that ends it. The first end wins.
const { sendBytes, sendText, usage } = require("./channel.cjs");
const { describeThrown } = require("./failure.cjs");
const { Inbox } = require("./inbox.cjs");
const { Outbox } = require("./outbox.cjs");

const NOTHING = Buffer.alloc(0);

class Run {
  /** @type {any} the frame's header */
  header;
  /** @type {string} the input of a `run` as JSON text */
  inputText;
  /** The body of a `request`. */
  inbox;
  outbox = new Outbox(this);
  /** The run is over for the server. */
  isOver = false;
  #abort;
  #raw;
  #onOver;

  /**
   * @param {{ header: any, body: any }} frame `run`, `request` or `check`
   * @param {{ cancellable: boolean, raw: boolean, onOver: (run: Run) => void }} options
   */
  constructor({ header, body }, { cancellable, raw, onOver }) {
    this.header = header;
    const isRequest = header.t === "request";
    this.inputText = isRequest ? "" : body;
    this.inbox = new Inbox(header.id, isRequest ? body : NOTHING, !isRequest || header.end === true);
    this.#abort = cancellable ? new AbortController() : undefined;
    this.#raw = raw;
    this.#onOver = onOver;
  }

  /** @returns {number} */
  get id() {
    return this.header.id;
  }

  get isRequest() {
    return this.header.t === "request";
  }

  /** Aborted where nobody waits for the run any more; undefined where that cannot happen. */
  get signal() {
    return this.#abort?.signal;
  }

  /** What `promise` gives, unless the run is cancelled before. @template T @param {Promise<T>} promise @returns {Promise<T>} */
  async unlessCancelled(promise) {
    const { signal } = this;
    if (signal === undefined) return await promise;
    signal.throwIfAborted();
    const { promise: aborted, reject } = Promise.withResolvers();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** The server has given it up. */
  cancel() {
    const reason = new DOMException("the caller has gone away", "AbortError");
    this.inbox.close(reason);
    this.#abort?.abort(reason);
    this.outbox.close();
  }

  /** @param {string} json "" for nothing */
  succeed(json) {
    if (this.#end()) sendText(JSON.stringify({ t: "result", id: this.id, ...this.#marks() }), json);
  }

  /** @param {unknown} thrown */
  fail(thrown) {
    if (!this.isOver) this.failWith(describeThrown(thrown));
  }

  /** @param {object} failure as the `error` frame tells it */
  failWith(failure) {
    if (this.#end()) sendText(JSON.stringify({ t: "error", id: this.id, ...this.#marks() }), JSON.stringify(failure));
  }

  /** The last frame of a response. @param {object} header @param {Uint8Array} bytes */
  finish(header, bytes) {
    if (this.isOver) return;
    sendBytes({ ...header, end: true, ...this.#marks() }, bytes); // throws where the header is too large: then it is not over
    this.#end();
  }

  /** @param {number} code */
  exit(code) {
    if (this.#end()) sendText(JSON.stringify({ t: "exit", id: this.id, code }), "");
  }

  /** @returns {boolean} false where it is over already */
  #end() {
    if (this.isOver) return false;
    this.isOver = true;
    this.inbox.close();
    this.outbox.close();
    this.#onOver(this);
    return true;
  }

  #marks() {
    return this.#raw ? { raw: true, ...usage() } : usage();
  }
}

module.exports = { Run };
