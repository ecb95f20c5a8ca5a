// @ts-check
"use strict";
// The style `web`: a Request in, a Response out.
const { chunksOf } = require("./chunks.cjs");
const { toJson } = require("./result.cjs");

/** @typedef {import("./run.cjs").Run} Run */

const METHODS_WITHOUT_BODY = new Set(["GET", "HEAD"]);

/** The handler of a default export. @param {any} exported @param {string} file */
function webHandler(exported, file) {
  if (typeof exported?.fetch === "function") return (request, env, ctx) => exported.fetch(request, env, ctx);
  if (typeof exported === "function") return exported;
  throw new TypeError(
    `the default export of ${file} is ${shown(exported)}; it must be a function or have a method "fetch(request, env, ctx)"`,
  );
}

/** @param {Run} run @param {string | undefined} baseUrl */
function requestOf(run, baseUrl) {
  const { signal } = run;
  if (!run.isRequest) {
    const headers = { "content-type": "application/json" };
    return new Request(baseUrl || "http://localhost/", { method: "POST", headers, body: run.inputText, signal });
  }
  const { method, path, query, headers } = run.header;
  const host = headers.find(([name]) => name === "host")?.[1] ?? "localhost";
  const scheme = baseUrl?.startsWith("https:") ? "https" : "http";
  const url = `${scheme}://${host}${path}${query === "" ? "" : `?${query}`}`;
  const hasBody = !METHODS_WITHOUT_BODY.has(method) && !(run.inbox.isWhole && run.inbox.isEmpty);
  const body = hasBody ? run.inbox.stream() : undefined;
  return new Request(url, /** @type {any} */ ({ method, headers, body, signal, duplex: "half" }));
}

/** Of this or another realm, or of a polyfill. @param {any} value */
function isResponse(value) {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof value.status === "number" &&
    typeof value.arrayBuffer === "function" &&
    typeof value.headers?.[Symbol.iterator] === "function"
  );
}

/** Answers `run` with a Response: a `request` with all of it, a `run` with its body as a value. @param {Run} run @param {any} response */
async function answerWithResponse(run, response) {
  if (response.status < 200)
    throw new TypeError(`the Response has status ${response.status}, with which none can be sent`);
  if (response.bodyUsed)
    throw new TypeError("the Response's body has been read already; return response.clone() or a new one");
  if (run.isRequest) {
    await run.outbox.respond(
      response.status,
      [...response.headers],
      response.body ? chunksOf(response.body) : undefined,
    );
    return;
  }
  const text = await response.text();
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(response.headers.get("content-type") ?? "");
  if (text === "") run.succeed("");
  else run.succeed(isJson ? toJson(JSON.parse(text)) : toJson(text));
}

/** @param {(request: Request, env: object, ctx: object) => unknown} handler @param {Run} run @param {{ env: object, ctx: object, baseUrl?: string }} given */
async function answerWeb(handler, run, { env, ctx, baseUrl }) {
  const response = await handler(requestOf(run, baseUrl), env, ctx);
  if (!isResponse(response)) throw new TypeError(`the handler must return a Response, but returned ${shown(response)}`);
  await answerWithResponse(run, response);
}

function shown(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return name === undefined || name === "Object" ? "a plain object" : `an object of class ${name}`;
}

module.exports = { answerWeb, answerWithResponse, isResponse, webHandler };
