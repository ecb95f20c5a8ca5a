// What a function answers, as HTTP: checked, so that nothing of it breaks the connection or passes for ours.
import type { HeaderList } from "../../../core/exchange.ts";
import { HEADER_NAME, MAX_HEADERS, UNSENDABLE } from "../../../core/header-syntax.ts";
import { SESSION_COOKIE } from "../../session-cookie.ts";

export interface WholeResponse {
  readonly status: number;
  readonly headers: HeaderList;
  /** As text where it is text: Node sends that with the head, in one write. */
  readonly body: string | Buffer;
}

/** A response cannot be sent like this; the text says why. */
export class InvalidResponse extends Error {
  override readonly name = "InvalidResponse";
}

const FIRST_FINAL_STATUS = 200; // below it nothing is final: 101 would take the connection over
const LAST_STATUS = 999;

/** Said by the connection, or by us. A length that the function states may be a lie; we know the true one. */
const NOT_FROM_FUNCTIONS =
  /^(?:connection|content-length|keep-alive|proxy-connection|trailer|transfer-encoding|upgrade|x-execution-.*|x-function-.*|x-cold-start|x-error-source|server-timing)$/i;

/** @throws InvalidResponse */
export function checkStatus(status: number): number {
  if (Number.isInteger(status) && status >= FIRST_FINAL_STATUS && status <= LAST_STATUS) return status;
  throw new InvalidResponse(
    `status ${status} is not one that a response can have (${FIRST_FINAL_STATUS} to ${LAST_STATUS})`,
  );
}

/**
 * The headers that go out.
 *
 * @throws InvalidResponse where a name or value would break the connection
 */
export function checkHeaders(headers: HeaderList): HeaderList {
  if (headers.length > MAX_HEADERS) throw new InvalidResponse(`${headers.length} headers (max ${MAX_HEADERS})`);
  for (const [name, value] of headers) {
    if (!HEADER_NAME.test(name))
      throw new InvalidResponse(`${JSON.stringify(name.slice(0, 100))} is not a header's name`);
    if (UNSENDABLE.test(value)) {
      throw new InvalidResponse(`header ${name} has a line break or another character that a header cannot have`);
    }
  }
  return headers.filter(([name, value]) => !NOT_FROM_FUNCTIONS.test(name) && !isSessionCookie(name, value));
}

/** The headers that go out with this status, or as text why such a head cannot. */
export function checkHead(status: number, headers: HeaderList): HeaderList | string {
  try {
    checkStatus(status);
    return checkHeaders(headers);
  } catch (error) {
    if (error instanceof InvalidResponse) return error.message;
    throw error;
  }
}

/** A function must not log the caller's browser in to our dashboard as somebody else. */
function isSessionCookie(name: string, value: string): boolean {
  return name.toLowerCase() === "set-cookie" && value.trimStart().toLowerCase().startsWith(`${SESSION_COOKIE}=`);
}

/**
 * The response that a returned value stands for: a map with `statusCode` is one, text stays text, nothing is 204, all
 * else is JSON.
 *
 * @param json undefined: nothing was returned
 * @throws InvalidResponse
 */
export function responseOf(json: string | undefined): WholeResponse {
  if (json === undefined) return { status: 204, headers: [], body: "" };
  const first = json.trimStart()[0];
  if (first === '"') return text(JSON.parse(json) as string);
  if (first === "{" && json.includes('"statusCode"')) {
    const value = JSON.parse(json) as Fields;
    if (value["statusCode"] !== undefined) return fromFields(value);
  }
  return { status: 200, headers: [["content-type", JSON_TYPE]], body: json };
}

type Fields = Readonly<Record<string, unknown>>;

function text(body: string): WholeResponse {
  return { status: 200, headers: [["content-type", "text/plain; charset=utf-8"]], body };
}

function fromFields({ statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded }: Fields): WholeResponse {
  const status = typeof statusCode === "string" && /^\d+$/.test(statusCode) ? Number(statusCode) : statusCode;
  if (typeof status !== "number") throw new InvalidResponse("statusCode must be a number");
  const list: [string, string][] = [...headerPairs(headers), ...headerPairs(multiValueHeaders)];
  if (Array.isArray(cookies)) for (const cookie of cookies) list.push(["set-cookie", String(cookie)]);
  const isText = typeof body === "string";
  if (!list.some(([name]) => name.toLowerCase() === "content-type") && body !== undefined && body !== null) {
    const type =
      isText && isBase64Encoded !== true ? typeOfText(body) : isText ? "application/octet-stream" : JSON_TYPE;
    list.push(["content-type", type]);
  }
  return { status: checkStatus(status), headers: checkHeaders(list), body: bodyBytes(body, isBase64Encoded === true) };
}

const JSON_TYPE = "application/json; charset=utf-8";

/** As API Gateway does: a body without a type is taken for JSON where it is. */
function typeOfText(body: string): string {
  if (/^\s*[[{]/.test(body)) {
    try {
      JSON.parse(body);
      return JSON_TYPE;
    } catch {
      // then it is text
    }
  }
  return "text/plain; charset=utf-8";
}

function headerPairs(headers: unknown): [string, string][] {
  if (headers === undefined || headers === null) return [];
  if (typeof headers !== "object" || Array.isArray(headers)) throw new InvalidResponse("headers must be a map");
  return Object.entries(headers).flatMap(([name, value]: [string, unknown]): [string, string][] => {
    if (Array.isArray(value)) return value.map((one): [string, string] => [name, String(one)]);
    if (value === undefined || value === null) return [];
    if (typeof value === "string" || typeof value === "number") return [[name, String(value)]];
    throw new InvalidResponse(`header ${JSON.stringify(name)} must be text, a number or a list of those`);
  });
}

function bodyBytes(body: unknown, isBase64: boolean): string | Buffer {
  if (body === undefined || body === null) return "";
  if (typeof body !== "string") return JSON.stringify(body);
  if (!isBase64) return body;
  if (!/^[A-Za-z0-9+/_-]*={0,2}\s*$/.test(body))
    throw new InvalidResponse("isBase64Encoded is set, but body is not base64");
  return Buffer.from(body, "base64");
}
