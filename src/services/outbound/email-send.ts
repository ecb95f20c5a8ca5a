// The call `email.send`, by way of Resend: docs/wire-protocol.md, "Calls".
import type { Clock } from "../../core/clock.ts";
import { messageOf, PlatformError } from "../../core/errors.ts";
import type { Caller } from "../capabilities.ts";
import { OutboundError } from "./outbound-error.ts";
import { postJson } from "./post-json.ts";
import { errorText } from "./providers.ts";
import { keptText, type OnRecord } from "./record.ts";
import type { Send } from "./send.ts";

const BASE_URL = "https://api.resend.com";
const KEY = "RESEND_API_KEY";

type Arguments = Readonly<Record<string, unknown>>;

export interface EmailDeps {
  readonly send: Send;
  readonly timeoutMs: number;
  readonly responseBytes: number;
  readonly clock: Clock;
  readonly onRecord: OnRecord;
}

interface Email {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** All that Resend takes beside these, where it was given. */
  readonly rest: object;
}

/** @throws PlatformError INVALID_REQUEST; OutboundError */
export async function emailSend(caller: Caller, given: Arguments, deps: EmailDeps): Promise<string> {
  const { from, to, subject, rest } = parseEmail(given);
  const body = { from, to, subject, ...rest };
  const { version, executionId } = caller;
  const { clock } = deps;
  const startedMs = clock.monotonicMs();
  const atMs = clock.now();
  let response: string | undefined;
  const record = (emailId: string | undefined, error: unknown): void =>
    deps.onRecord(executionId, "email", {
      ...{ atMs, durationMs: clock.monotonicMs() - startedMs, from, to, subject, emailId },
      status: error === undefined ? "success" : "error",
      error: error === undefined ? undefined : messageOf(error),
      request: keptText(version, body),
      response,
    });
  try {
    const { env } = version;
    const key = env[KEY] ?? "";
    if (key === "") throw failure(`${KEY} not set in function environment`);
    const url = `${(env["RESEND_BASE_URL"] || BASE_URL).replace(/\/+$/, "")}/emails`;
    const headers = { authorization: `Bearer ${key}` };
    const { isOk, status, value } = await postJson(caller, { url, headers, body }, deps.send, deps);
    response = keptText(version, value);
    if (!isOk) throw failure(`Resend API error: ${errorText(value) ?? "no reason given"} (HTTP status ${status})`);
    const { id } = value;
    if (typeof id !== "string") throw failure("no response from Resend");
    record(id, undefined);
    return JSON.stringify({ id });
  } catch (error) {
    record(undefined, error);
    throw error;
  }
}

/** In the order in which the mistakes are told. */
function parseEmail(given: Arguments): Email {
  if (isAbsent(given["to"])) throw invalid("to is required");
  const to = addresses(given, "to");
  if (to.length === 0) throw invalid("to cannot be empty");
  const from = optional(given, "from");
  if (from === undefined) throw invalid("from is required");
  const subject = optional(given, "subject");
  if (subject === undefined) throw invalid("subject is required");
  const text = optional(given, "text");
  const html = optional(given, "html");
  if (text === undefined && html === undefined) throw invalid("either text or html content is required");
  const rest = {
    ...{ text, html, cc: someAddresses(given, "cc"), bcc: someAddresses(given, "bcc") },
    reply_to: someAddresses(given, "reply_to"),
    headers: texts(given["headers"]),
    tags: tags(given["tags"]),
    scheduled_at: scheduledAt(given["scheduled_at"]),
  };
  return { from, to, subject, rest };
}

function addresses(given: Arguments, name: string): readonly string[] {
  const value = given[name];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((one) => typeof one === "string")) throw invalid(`${name} must be a string or table of strings`);
  return list.filter((one) => one !== "");
}

function someAddresses(given: Arguments, name: string): readonly string[] | undefined {
  const list = isAbsent(given[name]) || isEmptyTable(given[name]) ? [] : addresses(given, name);
  return list.length === 0 ? undefined : list;
}

function texts(value: unknown): Readonly<Record<string, string>> | undefined {
  if (isAbsent(value) || isEmptyTable(value)) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) throw invalid("headers must be a table of strings");
  return Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, String(one)]));
}

function tags(value: unknown): readonly { readonly name: string; readonly value: string }[] | undefined {
  if (isAbsent(value) || isEmptyTable(value)) return undefined;
  if (!Array.isArray(value)) throw invalid("tags must be a table of tables with name and value");
  return value.map((tag: unknown) => {
    const { name, value: text } = (tag ?? {}) as Arguments;
    if (typeof name !== "string" || typeof text !== "string")
      throw invalid("tags must be a table of tables with name and value");
    return { name, value: text };
  });
}

/** A time in seconds since 1970, or a text that Resend understands. */
function scheduledAt(value: unknown): string | undefined {
  if (isAbsent(value) || value === "") return undefined;
  if (typeof value === "string") return value;
  const date = new Date(typeof value === "number" ? Math.trunc(value) * 1000 : Number.NaN);
  if (Number.isNaN(date.getTime())) throw invalid("scheduled_at must be a time in seconds since 1970, or a text");
  return date.toISOString().replace(".000Z", "Z");
}

function optional(given: Arguments, name: string): string | undefined {
  const value = given[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** An empty table of Lua is an empty list or an empty object, whatever was meant. */
function isEmptyTable(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function invalid(message: string): PlatformError {
  return new PlatformError("INVALID_REQUEST", message);
}

function failure(message: string): OutboundError {
  return new OutboundError("REQUEST_FAILED", message);
}
