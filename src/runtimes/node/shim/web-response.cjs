// @ts-check
"use strict";
/* oxlint-disable typescript/unbound-method -- each is called with its object by Reflect.apply */
// The Response that a handler makes. Node's own makes a stream of every body, which costs six microseconds and is read again at once. This
// one keeps text and bytes as they are, and makes Node's own where anything unusual is asked.
const { standInFor } = require("./web-request.cjs");

const { Headers, Response: NodeResponse, TextEncoder } = globalThis;
const nodeJson = NodeResponse.json;
const NO_BODY = new Set([204, 205, 304]);
const INIT_KEYS = new Set(["headers", "status"]);
const TEXT = "text/plain;charset=UTF-8";
const JSON_TYPE = "application/json";
const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

class LightResponse {
  #body;
  #type;
  #status;
  /** @type {Headers | undefined} */
  #headers;
  /** @type {Response | undefined} Node's own, once it is there */
  #node;

  /**
   * @param {string | Uint8Array | null} body
   * @param {string | undefined} type of the body, where the headers say none
   * @param {{ status: number, headers: Headers | undefined }} init
   */
  constructor(body, type, { status, headers }) {
    this.#body = body;
    this.#type = type;
    this.#status = status;
    this.#headers = headers;
    if (headers !== undefined && type !== undefined && !headers.has("content-type")) headers.set("content-type", type);
  }

  /** Node's own where `value` is one of these, else `value`. */
  static toNode(value) {
    return typeof value === "object" && value !== null && #body in value ? value.#toNode() : value;
  }

  /** All of it, where `value` is one of these that nobody has taken for a stream: the headers as pairs, the body as bytes. */
  static whole(value) {
    if (typeof value !== "object" || value === null || !(#body in value) || value.#node !== undefined) return undefined;
    const body = value.#body;
    const bytes = typeof body === "string" ? encoder.encode(body) : (body ?? EMPTY);
    return { status: value.#status, headers: value.#pairs(), bytes };
  }

  get status() {
    return this.#status;
  }

  get ok() {
    return this.#status < 300;
  }

  get headers() {
    return this.#node?.headers ?? (this.#headers ??= new Headers(this.#pairs()));
  }

  get bodyUsed() {
    return this.#node?.bodyUsed ?? false;
  }

  /** @returns {[string, string][]} */
  #pairs() {
    if (this.#headers !== undefined) return [...this.#headers];
    return this.#type === undefined ? [] : [["content-type", this.#type]];
  }

  #toNode() {
    if (this.#node === undefined) {
      const { headers } = this;
      this.#node = new NodeResponse(/** @type {any} */ (this.#body), { status: this.#status, headers });
      if (!headers.has("content-type")) this.#node.headers.delete("content-type"); // its user has taken it away
    }
    return this.#node;
  }
}

standInFor(NodeResponse, LightResponse, LightResponse.toNode);

/** What is said of a response with a body or none; undefined where Node shall look at it. */
function plainInit(init, hasBody) {
  if (init === undefined) return { status: 200, headers: undefined };
  if (typeof init !== "object" || init === null || Object.getPrototypeOf(init) !== Object.prototype) return undefined;
  if (!Object.keys(init).every((key) => INIT_KEYS.has(key))) return undefined;
  const { status = 200, headers } = init;
  if (!Number.isInteger(status) || status < 200 || status > 599 || (hasBody && NO_BODY.has(status))) return undefined;
  return { status, headers: headers === undefined ? undefined : new Headers(headers) };
}

/** @returns {LightResponse | undefined} */
function lightResponse([body = null, init]) {
  const isText = typeof body === "string";
  if (!isText && body !== null && !(body instanceof Uint8Array)) return undefined;
  const plain = plainInit(init, body !== null);
  if (plain === undefined) return undefined;
  return new LightResponse(isText || body === null ? body : Uint8Array.from(body), isText ? TEXT : undefined, plain);
}

function install() {
  /** @type {typeof Response} */
  const Response = new Proxy(NodeResponse, {
    construct(target, given, newTarget) {
      if (newTarget !== Response) return Reflect.construct(target, given, newTarget);
      return lightResponse(given) ?? Reflect.construct(target, given, target);
    },
  });
  NodeResponse.json = function json(data, ...[init]) {
    const text = JSON.stringify(data);
    const plain = typeof text === "string" ? plainInit(init, true) : undefined;
    if (plain === undefined) return Reflect.apply(nodeJson, NodeResponse, [data, init]);
    return /** @type {any} */ (new LightResponse(text, JSON_TYPE, plain));
  };
  NodeResponse.prototype.constructor = Response;
  globalThis.Response = Response;
}

module.exports = { install, LightResponse };
