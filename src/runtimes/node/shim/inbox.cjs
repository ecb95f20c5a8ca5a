// @ts-check
"use strict";
// The body of a request on its way in. The server sends on only as it is told that bytes have been taken, so a body of any size
// needs little memory, and one that nobody reads stays with the client.
const { send } = require("./channel.cjs");

class Inbox {
  #id;
  /** @type {Buffer[]} */
  #chunks = [];
  #ended;
  #closed = false;
  /** @type {unknown} */
  #error;
  #wake = () => {};

  /** @param {number} id of the run @param {Buffer} first @param {boolean} ended */
  constructor(id, first, ended) {
    this.#id = id;
    this.#ended = ended;
    if (first.length > 0) this.#chunks.push(first);
  }

  /** What is there already is all that will come. */
  get isWhole() {
    return this.#ended;
  }

  get isEmpty() {
    return this.#chunks.length === 0;
  }

  /** @param {Buffer} bytes @param {boolean} ended */
  push(bytes, ended) {
    if (bytes.length > 0 && !this.#closed) this.#chunks.push(bytes);
    this.#ended = ended;
    this.#wake();
  }

  /** No more is wanted, or can come; reading fails with `error`. @param {unknown} [error] */
  close(error) {
    this.#closed = true;
    this.#error ??= error;
    this.#chunks = [];
    this.#wake();
  }

  /** The next bytes; undefined at the end */
  async next() {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended || this.#closed) return undefined;
      await new Promise((resolve) => (this.#wake = resolve));
    }
    const bytes = /** @type {Buffer} */ (this.#chunks.shift());
    if (!this.#ended) send({ t: "credit", id: this.#id, bytes: bytes.length });
    return bytes;
  }

  /** All bytes, where they have come; undefined where they are still coming. */
  takeWhole() {
    if (!this.#ended || this.#closed) return undefined;
    const bytes = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [];
    return bytes;
  }

  /** All bytes. */
  async whole() {
    const chunks = [];
    for (let bytes = await this.next(); bytes !== undefined; bytes = await this.next()) chunks.push(bytes);
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  }

  /** @returns {ReadableStream<Uint8Array>} */
  stream() {
    return new ReadableStream(
      {
        pull: async (controller) => {
          const bytes = await this.next();
          if (bytes === undefined) controller.close();
          else controller.enqueue(bytes);
        },
        cancel: () => this.close(),
      },
      { highWaterMark: 0 },
    );
  }
}

module.exports = { Inbox };
