// What a call gives a program, and what comes of it.
import type { IncomingMessage } from "node:http";
import { PlatformError } from "../../../core/errors.ts";
import type { ArtifactMode, Program } from "../../../core/program.ts";
import { explain } from "../../../services/explain.ts";
import type { InvocationResult } from "../../../services/invoke.ts";
import { parseJsonBody } from "../../decode.ts";
import { isForm, parseForm, textField } from "./form.ts";
import { modeOf } from "./upload.ts";

/** Limits, signals, traps, crashes and cancelled calls: the program has no exit code of its own. */
const NO_EXIT_CODE = -1;
/** Code that threw, as interpreters have it. */
const THREW = 1;

export interface Call {
  /** Undefined: the caller sent none. Text from a form or the query; anything where it came as JSON. */
  readonly input: unknown;
  /** Undefined: the version's own. */
  readonly mode: ArtifactMode | undefined;
}

/**
 * From the body, and from the query what the body does not say.
 *
 * @throws PlatformError INVALID_REQUEST
 */
export async function readCall(message: IncomingMessage, query: string, body: Buffer): Promise<Call> {
  const parameters = new URLSearchParams(query);
  const said = await readFields(message, body);
  return {
    input: said.input ?? parameters.get("input") ?? undefined,
    mode: modeOf(said.mode ?? parameters.get("mode") ?? undefined),
  };
}

async function readFields(
  message: IncomingMessage,
  body: Buffer,
): Promise<{ input?: unknown; mode?: string | undefined }> {
  if (body.length === 0) return {};
  if (isForm(message)) {
    const form = await parseForm(message, body);
    // `curl -d '{"input": …}'` calls its JSON a form.
    if (form.has("input") || form.has("mode") || body[0] !== "{".charCodeAt(0)) {
      return { input: await textField(form, "input"), mode: await textField(form, "mode") };
    }
  }
  const value = parseJsonBody(body.toString());
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PlatformError("INVALID_REQUEST", 'the body is neither a form nor a JSON object with "input"');
  }
  const { input, mode } = value as { readonly input?: unknown; readonly mode?: unknown };
  if (mode !== undefined && typeof mode !== "string")
    throw new PlatformError("INVALID_REQUEST", "mode: text is required");
  return { input, mode };
}

/** The input as JSON text. A program gets a text as it is on its stdin; code of other languages gets the value that it is the JSON of. */
export function inputFor({ options }: Program, input: unknown): string {
  if (isProgram(options)) return JSON.stringify(input ?? "");
  if (typeof input !== "string") return JSON.stringify(input ?? {});
  if (input === "") return "{}";
  try {
    JSON.parse(input);
    return input;
  } catch {
    return JSON.stringify(input);
  }
}

function isProgram(options: Program["options"]): boolean {
  return options["style"] === "program";
}

export function answerOf({ options }: Program, { outcome, printed, stderr, runMs }: InvocationResult): string {
  const answer = { Stdout: printed, Stderr: stderr, ExitCode: 0, DurationMs: Math.round(runMs) };
  switch (outcome.kind) {
    case "ok":
      if (outcome.json !== undefined) answer.Stdout += textOf(outcome.json);
      break;
    case "responded":
      break;
    case "exited":
      answer.ExitCode = outcome.exitCode;
      break;
    case "failed":
      answer.ExitCode = isProgram(options) ? NO_EXIT_CODE : THREW;
      answer.Stderr = withLine(stderr, explain(outcome));
      break;
    case "timed-out":
    case "out-of-memory":
    case "output-limit":
    case "crashed":
    case "cancelled":
      answer.ExitCode = NO_EXIT_CODE;
      answer.Stderr = withLine(stderr, explain(outcome));
  }
  return JSON.stringify(answer);
}

/** What was returned: a text as it is, anything else as JSON. */
function textOf(json: string): string {
  return json.startsWith('"') ? String(JSON.parse(json)) : json;
}

function withLine(text: string, line: string): string {
  return text === "" || text.endsWith("\n") ? `${text}${line}\n` : `${text}\n${line}\n`;
}
