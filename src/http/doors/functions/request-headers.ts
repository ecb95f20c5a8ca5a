// The headers of a caller, as a function gets them and as they are kept.
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HeaderList } from "../../../core/exchange.ts";
import { OF_THE_CONNECTION } from "../../../core/header-syntax.ts";
import { SESSION_COOKIE } from "../../session-cookie.ts";
import { keptHeaders, type KeptHeaders } from "./record.ts";

/** Up to this length the last headers of a connection are remembered: ten thousand connections must not fill the memory with them. */
const REMEMBERED_CHARS = 2_000;

export interface TakenHeaders {
  readonly list: HeaderList;
  /** The same as JSON text. */
  readonly json: string;
  readonly kept: KeptHeaders;
}

interface Remembered {
  readonly raw: readonly string[];
  readonly hideKey: boolean;
  readonly taken: TakenHeaders;
}

/** A client says the same about itself with every request of a connection: to read that once saves 2 to 4 us of a warm call's 40. */
const lastOn = new WeakMap<Socket, Remembered>();

/** @param hideKey the caller's `Authorization` opened our door and is none of the function's business */
export function headersFor({ rawHeaders, socket }: IncomingMessage, hideKey: boolean): TakenHeaders {
  const last = lastOn.get(socket);
  if (last?.hideKey === hideKey && isSame(last.raw, rawHeaders)) return last.taken;
  const list = headersOf(rawHeaders, hideKey);
  const taken = { list, json: JSON.stringify(list), kept: keptHeaders(list) };
  if (rawHeaders.join().length <= REMEMBERED_CHARS) lastOn.set(socket, { raw: rawHeaders, hideKey, taken });
  return taken;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

function headersOf(rawHeaders: readonly string[], hideKey: boolean): HeaderList {
  const headers: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    if (OF_THE_CONNECTION.has(name) || (hideKey && name === "authorization")) continue;
    if (name !== "cookie") headers.push([name, value]);
    else {
      const cookies = withoutSession(value);
      if (cookies !== "") headers.push([name, cookies]);
    }
  }
  return headers;
}

/** A function must never see the cookie that opens the dashboard. */
function withoutSession(cookies: string): string {
  return cookies
    .split(";")
    .filter((cookie) => cookie.split("=", 1)[0]?.trim().toLowerCase() !== SESSION_COOKIE)
    .join(";")
    .trim();
}
