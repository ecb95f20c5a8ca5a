// What is kept of calls to providers, so that an execution shows what it has asked of whom.
import { maskedFields, maskOf } from "../../core/masking.ts";
import type { Version } from "../../core/program.ts";

/** Of one request or response, as it is kept. */
const KEPT_CHARS = 64 * 1024;

interface CallRecord {
  /** Unix time in milliseconds. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly status: "success" | "error";
  /** What the code was told; undefined on success. */
  readonly error: string | undefined;
  /** JSON texts, masked and cut; the response is undefined where there was none. */
  readonly request: string;
  readonly response: string | undefined;
}

export interface AiRecord extends CallRecord {
  readonly provider: string;
  readonly model: string;
  /** Where it was sent; undefined where it was not. */
  readonly endpoint: string | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

export interface EmailRecord extends CallRecord {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** The provider's. */
  readonly emailId: string | undefined;
}

/** Told once for each call that got past the checks of its arguments, however it ended. Must not throw. */
export interface OnRecord {
  (executionId: string, kind: "ai", record: AiRecord): void;
  (executionId: string, kind: "email", record: EmailRecord): void;
}

/** JSON text of a request or response without secrets: those of the function by value, others by the names of their fields. */
export function keptText(version: Version, value: unknown): string {
  const text = JSON.stringify(withCounts(value, maskedFields(value))) ?? "null";
  const masked = maskOf(version.secrets)?.(text) ?? text;
  return masked.length > KEPT_CHARS ? `${masked.slice(0, KEPT_CHARS)}…` : masked;
}

/** Numbers of tokens are no secrets, although the name says so. */
function withCounts(value: unknown, masked: unknown): unknown {
  if (typeof value !== "object" || value === null || typeof masked !== "object" || masked === null) return masked;
  if (Array.isArray(value) && Array.isArray(masked)) return value.map((item, index) => withCounts(item, masked[index]));
  const hidden = masked as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, unknown]) => [
      name,
      /tokens/i.test(name) && typeof field === "number" ? field : withCounts(field, hidden[name]),
    ]),
  );
}
