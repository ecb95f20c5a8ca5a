// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- each is called with its object by Reflect.apply */
// The Request that a handler gets. Node's own costs ten microseconds to make and to read, most of them for what few handlers ask. This one
// answers from the frame what they ask mostly, and makes Node's own for everything else.

/**
 * @typedef {object} Given
 * @property {string} url
 * @property {string} method
 * @property {[string, string][]} headers
 * @property {boolean} hasBody
 * @property {import("./inbox.cjs").Inbox} inbox of the body
 * @property {AbortSignal | undefined} signal
 */

const { Headers, Request: NodeRequest, TextDecoder, URL } = globalThis;
const { json: nodeJson, text: nodeText } = NodeRequest.prototype;
const { apply } = Reflect;
const decoder = new TextDecoder();

class LightRequest {
  #given;
  /** @type {string | undefined} */
  #url;
  /** @type {Headers | undefined} */
  #headers;
  #isRead = false;
  /** @type {Request | undefined} Node's own, once it is there */
  #node;

  /** @param {Given} given */
  constructor(given) {
    this.#given = given;
  }

  /** Node's own where `value` is one of these, else `value`. */
  static toNode(value) {
    return typeof value === "object" && value !== null && #given in value ? value.#toNode() : value;
  }

  get method() {
    return this.#given.method;
  }

  get url() {
    return (this.#url ??= new URL(this.#given.url).href);
  }

  get headers() {
    return this.#node?.headers ?? (this.#headers ??= new Headers(this.#given.headers));
  }

  get bodyUsed() {
    return this.#node?.bodyUsed ?? this.#isRead;
  }

  async text() {
    const bytes = LightRequest.#take(this);
    return bytes === undefined ? await apply(nodeText, LightRequest.toNode(this), []) : decoder.decode(bytes);
  }

  async json() {
    const bytes = LightRequest.#take(this);
    return bytes === undefined
      ? await apply(nodeJson, LightRequest.toNode(this), [])
      : JSON.parse(decoder.decode(bytes));
  }

  /** All of the body, once; undefined where that is for Node's own. */
  static #take(value) {
    if (typeof value !== "object" || value === null || !(#given in value)) return undefined;
    const { hasBody, inbox } = value.#given;
    if (value.#node !== undefined || value.#isRead || !hasBody) return undefined;
    const bytes = inbox.takeWhole();
    value.#isRead = bytes !== undefined;
    return bytes;
  }

  #toNode() {
    if (this.#node === undefined) {
      const { url, method, headers, hasBody, inbox, signal } = this.#given;
      const body = this.#isRead ? new Uint8Array(0) : hasBody ? inbox.stream() : undefined;
      const init = { method, headers: this.#headers ?? headers, body, signal, duplex: "half" };
      this.#node = new NodeRequest(url, init);
      if (this.#isRead) void this.#node.arrayBuffer(); // so that it knows, too
    }
    return this.#node;
  }
}

/** Makes `light` look like `node`, a class of the Web's: what it does not do itself, the object that `toNode` gives does. */
function standInFor(node, light, toNode) {
  const { prototype } = light;
  for (const key of Reflect.ownKeys(node.prototype)) {
    const asked = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(node.prototype, key));
    if (key === "constructor" || (asked.get === undefined && typeof asked.value !== "function")) continue;
    const own = Object.getOwnPropertyDescriptor(prototype, key) ?? passedOn(asked, toNode);
    Object.defineProperty(prototype, key, { ...own, configurable: true, enumerable: true });
  }
  Reflect.deleteProperty(prototype, "constructor");
  Object.setPrototypeOf(prototype, node.prototype);
}

/** @param {PropertyDescriptor} own of the class @returns {PropertyDescriptor} */
function passedOn({ get, value }, toNode) {
  /** @this {unknown} */
  function passOn(...given) {
    return apply(get ?? value, toNode(this), given);
  }
  return get === undefined ? { value: passOn } : { get: passOn };
}

standInFor(NodeRequest, LightRequest, LightRequest.toNode);

/** What takes a Request takes one of these, too. */
function install() {
  const { fetch } = globalThis;
  globalThis.fetch = {
    fetch(input, ...more) {
      return apply(fetch, this, arguments.length === 0 ? [] : [LightRequest.toNode(input), ...more]);
    },
  }.fetch;
  /** @type {typeof Request} */
  const Request = new Proxy(NodeRequest, {
    construct(target, given, newTarget) {
      if (given.length > 0) given[0] = LightRequest.toNode(given[0]);
      return Reflect.construct(target, given, newTarget === Request ? target : newTarget);
    },
  });
  NodeRequest.prototype.constructor = Request;
  globalThis.Request = Request;
}

module.exports = { LightRequest, install, standInFor };
