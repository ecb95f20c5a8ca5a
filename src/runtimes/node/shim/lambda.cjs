// @ts-check
"use strict";
// The styles `lambda` and `main`: an event in, a value or a stream out.
const { chunksOf, isStream, stop } = require("./chunks.cjs");
const { gatewayEvent, whiskParams } = require("./events.cjs");
const { bytesOf } = require("./outbox.cjs");
const { toJson } = require("./result.cjs");
const { answerWithResponse, isResponse } = require("./web-answer.cjs");

/** @typedef {import("./run.cjs").Run} Run */

/** A time that no run gets; for code that only asks whether there is enough left. */
const LONG_MS = 900_000;

/** @param {Function} handler @param {Run} run @param {{ ctx: any, info: any }} given */
async function answerLambda(handler, run, { ctx, info }) {
  const event = run.isRequest
    ? gatewayEvent(run.header, run.inbox.takeWhole() ?? (await run.inbox.whole()), info)
    : inputOf(run);
  await answerWithValue(run, await callLambda(handler, event, lambdaContext(ctx)));
}

/** @param {Function} main @param {Run} run @param {{ ctx: any }} given */
async function answerMain(main, run, { ctx }) {
  const params = run.isRequest
    ? whiskParams(run.header, run.inbox.takeWhole() ?? (await run.inbox.whole()))
    : inputOf(run);
  await answerWithValue(run, await main(params, ctx));
}

function inputOf({ inputText }) {
  return inputText === "" ? undefined : JSON.parse(inputText);
}

function lambdaContext(ctx) {
  const endsAt = ctx.startedAt + (ctx.timeoutMs ?? LONG_MS);
  return {
    ...ctx,
    awsRequestId: ctx.executionId,
    functionVersion: ctx.version,
    invokedFunctionArn: `arn:cloche:function:${ctx.functionName}:${ctx.version}`,
    memoryLimitInMB: "",
    logGroupName: ctx.functionName,
    logStreamName: ctx.executionId,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()),
  };
}

/** Lambda's two ways: a promise, or a third parameter that is called with an error or the value. */
function callLambda(handler, event, context) {
  if (handler.length < 3) return handler(event, context);
  return new Promise((resolve, reject) => {
    const callback = (error, value) => {
      if (error === null || error === undefined) resolve(value);
      else reject(typeof error === "string" ? new Error(error) : error);
    };
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") returned.then((value) => value !== undefined && resolve(value), reject);
  });
}

/** @param {Run} run @param {any} value */
async function answerWithValue(run, value) {
  if (isResponse(value)) return await answerWithResponse(run, value);
  if (isStream(value)) return await answerWithStream(run, { body: value });
  if (isStream(value?.body)) return await answerWithStream(run, value);
  const isBytes = value instanceof Uint8Array;
  if (isBytes || value?.body instanceof Uint8Array) {
    const bytes = isBytes ? value : value.body;
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
    const head = isBytes ? { statusCode: 200, headers: { "content-type": "application/octet-stream" } } : value;
    run.succeed(toJson({ ...head, body, isBase64Encoded: true }));
    return;
  }
  run.succeed(toJson(value));
}

/** @param {Run} run @param {any} result */
async function answerWithStream(run, { statusCode = 200, headers = {}, cookies = [], body }) {
  const chunks = chunksOf(body);
  if (!run.isRequest) {
    const parts = [];
    for (let part = await chunks.next(); part.done !== true; part = await chunks.next())
      parts.push(bytesOf(part.value));
    run.succeed(toJson(Buffer.concat(parts).toString("utf8")));
    return;
  }
  /** @type {[string, string][]} */
  const list = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) list.push([name.toLowerCase(), String(one)]);
  }
  for (const cookie of cookies) list.push(["set-cookie", String(cookie)]);
  if (list.some(([name]) => name === "content-type")) {
    await run.outbox.respond(statusCode, list, chunks);
    return;
  }
  const first = await run.unlessCancelled(chunks.next()).catch((error) => {
    stop(chunks);
    throw error;
  });
  list.push([
    "content-type",
    typeof first.value === "string" ? "text/plain; charset=utf-8" : "application/octet-stream",
  ]);
  let next = () => {
    next = chunks.next;
    return Promise.resolve(first);
  };
  await run.outbox.respond(statusCode, list, { next: () => next(), stop: chunks.stop });
}

module.exports = { answerLambda, answerMain };
