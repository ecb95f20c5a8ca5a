// @ts-check
"use strict";
// The module "cloche" of user code; src/runtimes/node/cloche.d.ts describes it. All of it is frozen, so that no run can leave
// anything here for the next one.
const { formatWithOptions } = require("node:util");
const { call } = require("./calls.cjs");
const { sendLog } = require("./channel.cjs");

const { freeze, values } = Object;
const { stringify } = JSON;
const { clearTimeout, setTimeout } = globalThis;

/** Keys that one `kv.list` of the server holds. */
const PAGE_KEYS = 1_000;

/** Freezes `object` and its functions, all of which are arrow functions and so have no prototype. */
function frozen(object) {
  for (const value of values(object)) freeze(value);
  return freeze(object);
}

/** JSON drops `undefined` and functions without a word, and the server would see no value at all. */
function storable(value, what) {
  if (stringify(value) === undefined) throw new TypeError(`${what} must be JSON, not ${typeof value}`);
  return value;
}

/** @param {true | undefined} global the store that all functions share */
function store(global) {
  return {
    get: async (key) => (await call("kv.get", { key, global })).value,
    set: async (key, value, { ttl } = /** @type {{ ttl?: number }} */ ({})) => {
      const ttlMs = ttl === undefined ? undefined : ttl * 1_000;
      await call("kv.set", { key, value: storable(value, "the value of kv.set"), ttlMs, global });
    },
    delete: async (key) => (await call("kv.delete", { key, global })).deleted,
    list: async (prefix, { limit = Infinity } = {}) => {
      const found = [];
      let cursor;
      do {
        const left = limit - found.length;
        const page = await call("kv.list", { prefix, limit: left < PAGE_KEYS ? left : PAGE_KEYS, cursor, global });
        for (const key of page.keys) found[found.length] = key;
        cursor = page.cursor;
      } while (cursor !== undefined && found.length < limit);
      return found;
    },
    all: async (prefix) => (await call("kv.all", { prefix, global })).entries,
    incr: async (key, by) => (await call("kv.incr", { key, by, global })).value,
    cas: async (key, old, value) => (await call("kv.cas", { key, old, new: value, global })).swapped,
  };
}

const kv = frozen({ ...store(undefined), global: frozen(store(true)) });

const env = frozen({
  get: async (name) => (await call("env.get", { name })).value,
  set: async (name, value) => {
    await call("env.set", { name, value });
  },
  delete: async (name) => (await call("env.delete", { name })).deleted,
});

const logger =
  (level) =>
  (...items) => {
    const [only] = items;
    const text = items.length === 1 && typeof only === "string" ? only : formatWithOptions({ colors: false }, ...items);
    sendLog(level, `${text}\n`);
  };

const log = frozen({ debug: logger("debug"), info: logger("info"), warn: logger("warn"), error: logger("error") });

const requester =
  (method) =>
  async (url, { headers, query, body, timeoutMs } = /** @type {any} */ ({})) => {
    const target = new URL(url);
    for (const name in query) target.searchParams.append(name, query[name]);
    const sent = new Headers(headers);
    const isJson =
      typeof body === "object" && body !== null && !ArrayBuffer.isView(body) && !(body instanceof ArrayBuffer);
    if (isJson && !sent.has("content-type")) sent.set("content-type", "application/json");
    const controller = timeoutMs === undefined ? undefined : new AbortController();
    const timer =
      controller &&
      setTimeout(
        () =>
          controller.abort(
            new DOMException(`${method} ${target.origin} took longer than ${timeoutMs} ms`, "TimeoutError"),
          ),
        timeoutMs,
      );
    try {
      const content = isJson ? stringify(body) : body;
      const init = { method, headers: sent, body: content, signal: controller?.signal };
      const response = await fetch(target, init);
      const received = {};
      response.headers.forEach((value, name) => {
        received[name] = name in received ? `${received[name]}, ${value}` : value; // Set-Cookie comes once for each
      });
      return { statusCode: response.status, headers: received, body: await response.text() };
    } finally {
      clearTimeout(timer);
    }
  };

const http = frozen({
  get: requester("GET"),
  post: requester("POST"),
  put: requester("PUT"),
  patch: requester("PATCH"),
  delete: requester("DELETE"),
  head: requester("HEAD"),
});

const ai = frozen({ chat: (request) => call("ai.chat", request) });
const email = frozen({ send: (message) => call("email.send", message) });

module.exports = { kv, env, log, http, ai, email };
freeze(module.exports);
