// @ts-check
"use strict";
// What a Response says, on its way out.
const { chunksOf } = require("./chunks.cjs");
const { toJson } = require("./result.cjs");

/** @typedef {import("./run.cjs").Run} Run */

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

module.exports = { answerWithResponse, isResponse };
