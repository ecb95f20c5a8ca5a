// @ts-check
"use strict";
// What a program is told about its run: `ctx` of scripts and handlers.
const { env, http, kv, log } = require("./cloche.cjs");

/**
 * @param {{ id?: string, name?: string, version?: string, baseUrl?: string }} info `function` of the `bind` frame
 * @param {{ executionId?: string, requestId?: string, relativePath?: string, timeoutMs?: number }} header of the frame that asked for the run
 */
function contextOf(info, header) {
  /** @type {Record<string, unknown>} */
  const context = {
    executionId: header.executionId ?? "",
    functionId: info.id ?? "",
    functionName: info.name ?? "",
    version: info.version ?? "",
    requestId: header.requestId ?? header.executionId ?? "",
    /** Unix time in milliseconds. */
    startedAt: Date.now(),
    baseUrl: info.baseUrl ?? "",
    kv,
    env,
    log,
    http,
  };
  if (header.timeoutMs !== undefined) context.timeoutMs = header.timeoutMs;
  if (header.relativePath !== undefined) context.relativePath = header.relativePath;
  return context;
}

module.exports = { contextOf };
