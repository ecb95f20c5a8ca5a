// @ts-check
"use strict";
// The response of a run on its way out: its head, and a body that waits where the server has not passed on enough of it.
const { sendBytes } = require("./channel.cjs");
const { chunksOf, stop } = require("./chunks.cjs");

const FRAME_BYTES = 65_536;
const WINDOW_BYTES = 262_144;
/** Of promises: the body of a Response takes two, a generator with some helpers between it and us a few more. */
const MOST_TICKS = 32;
const TICK = Promise.resolve();
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

class Outbox {
  #run;
  #window = WINDOW_BYTES;
  #wake = () => {};

  /** @param {import("./run.cjs").Run} run */
  constructor(run) {
    this.#run = run;
  }

  /** The server has passed on `bytes` more. @param {number} bytes */
  credit(bytes) {
    this.#window += bytes;
    this.#wake();
  }

  /** Nobody waits for the rest. */
  close() {
    this.#wake();
  }

  /**
   * Sends a whole response and ends the run.
   * @param {number} status @param {[string, string][]} headers
   * @param {import("./chunks.cjs").Chunks} [body] of bytes or text; it is told where its rest is not wanted
   */
  async respond(status, headers, body) {
    const head = { t: "response", id: this.#run.id, status, headers };
    if (body === undefined) {
      this.#run.finish(head, NOTHING);
      return;
    }
    try {
      await this.#stream(head, body);
    } catch (error) {
      stop(body);
      throw error;
    }
  }

  /** Sends a response whose body is at hand, and ends the run. @param {number} status @param {[string, string][]} headers @param {Uint8Array} bytes */
  async respondWhole(status, headers, bytes) {
    this.#run.signal?.throwIfAborted();
    if (bytes.length <= FRAME_BYTES) this.#run.finish({ t: "response", id: this.#run.id, status, headers }, bytes);
    else await this.respond(status, headers, chunksOf(once(bytes)));
  }

  async #stream(head, body) {
    let header = head;
    let pending = body.next();
    if (!(await settlesNow(pending))) {
      sendBytes({ ...header, end: false }, NOTHING); // the client need not wait for the first bytes to see the head
      header = { t: "body", id: head.id };
    }
    let bytes = NOTHING;
    for (
      let now = await this.#run.unlessCancelled(pending);
      now.done !== true;
      now = await this.#run.unlessCancelled(pending)
    ) {
      bytes = bytesOf(now.value);
      pending = body.next();
      // Most bodies are one chunk: where the end is known at once, head, bytes and end go in one frame.
      const isLast = await endsNow(pending);
      while (bytes.length > 0) {
        const count = Math.min(bytes.length, FRAME_BYTES, await this.#room());
        if (isLast && count === bytes.length) break;
        sendBytes({ ...header, end: false }, bytes.subarray(0, count));
        header = { t: "body", id: head.id };
        bytes = bytes.subarray(count);
        this.#window -= count;
      }
    }
    this.#run.finish(header, bytes);
  }

  /** Waits until at least one byte may be sent. */
  async #room() {
    for (;;) {
      if (this.#run.isOver) throw new Error("the run is over");
      if (this.#run.signal?.aborted) throw this.#run.signal.reason;
      if (this.#window > 0) return this.#window;
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }
}

/**
 * Whether it settles without anything else in between. A turn of the event loop would be sure, but it costs a tenth of a quick call.
 * @param {Promise<unknown>} promise @returns {Promise<boolean>}
 */
async function settlesNow(promise) {
  const seen = { settled: false };
  const settle = () => {
    seen.settled = true;
  };
  promise.then(settle, settle);
  for (let ticks = 0; ticks < MOST_TICKS && !seen.settled; ticks++) await TICK;
  return seen.settled;
}

/** @param {Promise<IteratorResult<unknown>>} next @returns {Promise<boolean>} */
async function endsNow(next) {
  return (
    (await settlesNow(next)) &&
    (await next.then(
      ({ done }) => done === true,
      () => false,
    ))
  );
}

function* once(value) {
  yield value;
}

/** @returns {Uint8Array} */
function bytesOf(chunk) {
  if (typeof chunk === "string") return encoder.encode(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(
    `the stream gave ${chunk === null ? "null" : `a value of type ${typeof chunk}`}; it must give text or bytes`,
  );
}

module.exports = { bytesOf, Outbox };
