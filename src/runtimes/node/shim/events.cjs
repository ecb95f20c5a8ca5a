// @ts-check
"use strict";
// A `request` frame as the event of a style that wants the whole of it: docs/wire-protocol.md, "Styles".
const { isUtf8 } = require("node:buffer");

/** @typedef {{ id: number, method: string, path: string, relativePath: string, query: string, headers: [string, string][], requestId: string, executionId: string }} RequestHeader */

/** Of the last request: the next one of the same caller has the same list (`channel.cjs`). @type {[string, string][]} */
let lastList = [];
let lastHeaders = {};

/** Several values of one name in one, as HTTP means it. */
function headersOf({ headers }) {
  if (headers !== lastList) {
    const found = Object.create(null);
    for (const [name, value] of headers) {
      found[name] = name in found ? `${found[name]}${name === "cookie" ? "; " : ","}${value}` : value;
    }
    lastList = headers;
    lastHeaders = { ...found };
  }
  return { ...lastHeaders };
}

let lastMs = 0;
let lastTime = "";

/** @param {number} ms */
function isoTime(ms) {
  if (ms !== lastMs) {
    lastMs = ms;
    lastTime = new Date(ms).toISOString();
  }
  return lastTime;
}

/** The first value of each name, decoded. */
function queryOf({ query }) {
  const found = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) found[name] ??= value;
  return { ...found };
}

/** @param {Buffer} bytes */
function bodyOf(bytes) {
  if (isUtf8(bytes)) return { body: bytes.toString("utf8") };
  return { body: bytes.toString("base64"), isBase64Encoded: true };
}

/** @param {RequestHeader} header @param {Buffer} bytes */
function scriptEvent(header, bytes) {
  const { method, path, relativePath } = header;
  return { method, path, relativePath, headers: headersOf(header), query: queryOf(header), ...bodyOf(bytes) };
}

/** API Gateway's event of an HTTP API, payload version 2.0. @param {RequestHeader} header @param {Buffer} bytes @param {any} info */
function gatewayEvent(header, bytes, info) {
  const headers = headersOf(header);
  const query = Object.create(null);
  for (const [name, value] of new URLSearchParams(header.query)) {
    query[name] = name in query ? `${query[name]},${value}` : value;
  }
  const nowMs = Date.now();
  const relative = header.relativePath.slice(1);
  const { body, isBase64Encoded = false } = bodyOf(bytes);
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: header.path,
    rawQueryString: header.query,
    ...(headers.cookie === undefined ? {} : { cookies: headers.cookie.split(/; */) }),
    headers,
    ...(header.query === "" ? {} : { queryStringParameters: { ...query } }),
    ...(relative === "" ? {} : { pathParameters: { proxy: relative } }),
    requestContext: {
      accountId: "",
      apiId: info.id ?? "",
      domainName: headers.host ?? "",
      domainPrefix: "",
      http: {
        method: header.method,
        path: header.path,
        protocol: "HTTP/1.1",
        sourceIp: headers["x-forwarded-for"]?.split(",")[0].trim() ?? "",
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: header.requestId,
      routeKey: "$default",
      stage: "$default",
      time: isoTime(nowMs),
      timeEpoch: nowMs,
    },
    ...(bytes.length === 0 ? {} : { body }),
    isBase64Encoded,
  };
}

/** OpenWhisk's parameters of a web action. @param {RequestHeader} header @param {Buffer} bytes */
function whiskParams(header, bytes) {
  const headers = headersOf(header);
  const { body, isBase64Encoded } = bodyOf(bytes);
  return {
    ...queryOf(header),
    ...(isBase64Encoded ? {} : fieldsOf(body, headers["content-type"] ?? "")),
    __ow_method: header.method.toLowerCase(),
    __ow_headers: headers,
    __ow_path: header.relativePath,
    __ow_query: header.query,
    __ow_body: body,
    ...(isBase64Encoded ? { __ow_isBase64Encoded: true } : {}),
  };
}

function fieldsOf(body, contentType) {
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) return queryOf({ query: body });
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)) return {};
  try {
    const value = JSON.parse(body);
    return typeof value === "object" && !Array.isArray(value) ? value : {};
  } catch {
    return {}; // it is in __ow_body for those who want to say so
  }
}

module.exports = { gatewayEvent, scriptEvent, whiskParams };
