// What the script API is asked: paths, numbers and bodies, checked and typed in one step.
import { type EgressPolicy, parseEgressPolicy } from "../../core/egress-policy.ts";
import { PlatformError } from "../../core/errors.ts";
import { isJson } from "../../core/json-text.ts";
import { parseJsonBody } from "../decode.ts";

const MAX_PATH_BYTES = 1024;
const BEGINS_WITH_INPUT = /^\s*\{\s*"input"\s*:\s*(?=[^\s"n])/; // but not with a text or null, which stand for something else

export interface RunBody {
  /** JSON text. */
  readonly input: string;
  readonly stream: boolean;
}

export interface RunNowBody extends RunBody {
  readonly language: string;
  readonly code: string;
  /** What the caller wants at most; undefined: whatever the server allows. */
  readonly egress: EgressPolicy | undefined;
}

export interface UploadBody {
  readonly path: string;
  readonly code: string;
  readonly language: string;
  readonly egress: EgressPolicy | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws PlatformError INVALID_REQUEST */
export function parseUpload(text: string): UploadBody {
  const { path, code, language, egress } = parseFields(text);
  if (!isFilled(path) || !isFilled(code) || !isFilled(language)) {
    throw new PlatformError("INVALID_REQUEST", "path, code and language are required, each a string that is not empty");
  }
  return { path, code, language, egress: egressOf(egress) };
}

/** @throws PlatformError INVALID_REQUEST */
export function parseRun(text: string): RunBody {
  const input = inputAsSent(text);
  if (input !== undefined) return { input, stream: false };
  return runBody(text.trim() === "" ? {} : parseFields(text));
}

/** Language and code may be `""`: which of the two is missed first is the door's to say. */
export function parseRunNow(text: string): RunNowBody {
  const fields = parseFields(text);
  const language = optionalString(fields, "language");
  const code = optionalString(fields, "code");
  return { ...runBody(fields), language, code, egress: egressOf(fields["egress"]) };
}

/** @throws PlatformError INVALID_PATH as INVALID_REQUEST */
export function checkPath(path: string): string {
  const name = path.replace(/^\/+/, "");
  const bytes = Buffer.byteLength(name);
  if (name === "" || name.includes("..") || name.includes("\0") || bytes > MAX_PATH_BYTES) {
    throw new PlatformError("INVALID_PATH", `a path has 1 to ${MAX_PATH_BYTES} bytes and neither ".." nor NUL in it`);
  }
  return name;
}

/** Undefined stands for the latest: absent, 0, or not a number. */
export function versionOf(query: string): number | undefined {
  if (query === "") return undefined;
  const text = new URLSearchParams(query).get("version") ?? "";
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : 0;
  return number === 0 ? undefined : number;
}

/**
 * The input of a body that has nothing else, cut out of it: to write it again would cost more than to read it. Undefined where that is
 * not sure.
 */
function inputAsSent(text: string): string | undefined {
  const from = BEGINS_WITH_INPUT.exec(text)?.[0].length;
  // Of a key that comes twice the last one counts, also when it is written with escapes.
  if (from === undefined || text.includes('"input"', from) || text.includes("\\u")) return undefined;
  if (Object.keys(parseFields(text, JSON.parse)).length > 1) return undefined;
  return text.slice(from, text.lastIndexOf("}")).trimEnd();
}

function parseFields(text: string, parse?: (text: string) => unknown): Fields {
  const value = parseJsonBody(text, parse);
  if (!text.trimStart().startsWith("{")) {
    throw new PlatformError("INVALID_REQUEST", "the body is not a JSON object");
  }
  return value as Fields;
}

function runBody(fields: Fields): RunBody {
  const stream = fields["stream"] ?? false;
  if (typeof stream !== "boolean") throw new PlatformError("INVALID_REQUEST", "stream must be true or false");
  return { input: inputText(fields["input"]), stream };
}

/** A word, hosts with commas between, or a list of hosts. */
function egressOf(value: unknown): EgressPolicy | undefined {
  if (value === undefined || value === null) return undefined;
  const isList = Array.isArray(value) && value.length > 0 && value.every((host) => typeof host === "string");
  const policy = isList
    ? parseEgressPolicy(value.join(","))
    : typeof value === "string"
      ? parseEgressPolicy(value)
      : undefined;
  if (policy !== undefined) return policy;
  throw new PlatformError(
    "INVALID_REQUEST",
    'egress must be "none", "public", "all" or a list of hosts ("api.example.com")',
  );
}

function inputText(input: unknown): string {
  if (input === undefined || input === null) return "{}";
  if (typeof input !== "string") return jsonText(input);
  if (input.trim() === "") return "{}";
  if (!isJson(input)) throw new PlatformError("INVALID_REQUEST", "input is a string that is not JSON");
  return input;
}

function jsonText(input: unknown): string {
  try {
    return JSON.stringify(input);
  } catch {
    throw new PlatformError("INVALID_REQUEST", "input is nested too deeply"); // what V8's stack can hold: some thousand levels
  }
}

function optionalString(fields: Fields, name: string): string {
  const value = fields[name] ?? "";
  if (typeof value !== "string") throw new PlatformError("INVALID_REQUEST", `${name} must be a string`);
  return value;
}

function isFilled(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
