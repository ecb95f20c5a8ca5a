// @ts-check
"use strict";
// The style `web`: a Request in, a Response out.
const { answerWithResponse, isResponse } = require("./web-answer.cjs");
const webRequest = require("./web-request.cjs");
const webResponse = require("./web-response.cjs");

const { LightRequest } = webRequest;
const { LightResponse } = webResponse;

/** @typedef {import("./run.cjs").Run} Run */

const METHODS_WITHOUT_BODY = new Set(["GET", "HEAD"]);

/** Before any code of the program runs. */
function prepareWeb() {
  webRequest.install();
  webResponse.install();
}

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
  const { inbox } = run;
  return /** @type {any} */ (new LightRequest({ url, method, headers, hasBody, inbox, signal }));
}

/** @param {(request: Request, env: object, ctx: object) => unknown} handler @param {Run} run @param {{ env: object, ctx: object, baseUrl?: string }} given */
async function answerWeb(handler, run, { env, ctx, baseUrl }) {
  const response = await handler(requestOf(run, baseUrl), env, ctx);
  const whole = run.isRequest ? LightResponse.whole(response) : undefined;
  if (whole !== undefined) {
    await run.outbox.respondWhole(whole.status, whole.headers, whole.bytes);
    return;
  }
  if (!isResponse(response)) throw new TypeError(`the handler must return a Response, but returned ${shown(response)}`);
  await answerWithResponse(run, response);
}

function shown(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return name === undefined || name === "Object" ? "a plain object" : `an object of class ${name}`;
}

module.exports = { answerWeb, prepareWeb, webHandler };
