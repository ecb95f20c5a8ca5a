// The call `ai.chat`: docs/wire-protocol.md, "Calls".
import type { Clock } from "../../core/clock.ts";
import { messageOf, PlatformError } from "../../core/errors.ts";
import { type Caller, number, optionalText } from "../capabilities.ts";
import { OutboundError, shown } from "./outbound-error.ts";
import { postJson } from "./post-json.ts";
import { type Chat, type ChatAnswer, type ChatMessage, errorText, type Provider, PROVIDERS } from "./providers.ts";
import { keptText, type OnRecord } from "./record.ts";
import type { Send } from "./send.ts";

const MAX_TOKENS = 1024;

type Arguments = Readonly<Record<string, unknown>>;

export interface ChatDeps {
  readonly send: Send;
  readonly timeoutMs: number;
  readonly responseBytes: number;
  readonly clock: Clock;
  readonly onRecord: OnRecord;
}

/** What is known of a call while it goes on. */
interface Progress {
  endpoint?: string;
  request: unknown;
  response?: unknown;
}

/** @throws PlatformError INVALID_REQUEST; OutboundError */
export async function aiChat(caller: Caller, given: Arguments, deps: ChatDeps): Promise<string> {
  const providerName = required(given, "provider", "provider is required (openai or anthropic)");
  const chat = parseChat(given);
  const { version, executionId } = caller;
  const { clock } = deps;
  const startedMs = clock.monotonicMs();
  const atMs = clock.now();
  const progress: Progress = { request: { provider: providerName, ...chat } };
  const record = (answer: ChatAnswer | undefined, error: unknown): void =>
    deps.onRecord(executionId, "ai", {
      ...{ atMs, durationMs: clock.monotonicMs() - startedMs, provider: providerName, model: chat.model },
      ...{ status: error === undefined ? "success" : "error", endpoint: progress.endpoint },
      error: error === undefined ? undefined : messageOf(error),
      request: keptText(version, progress.request),
      response: progress.response === undefined ? undefined : keptText(version, progress.response),
      inputTokens: answer?.usage.input_tokens,
      outputTokens: answer?.usage.output_tokens,
    });
  try {
    const provider = PROVIDERS.get(providerName);
    if (provider === undefined) throw failure(`unsupported provider: ${shown(providerName)} (use openai or anthropic)`);
    const answer = await ask(caller, provider, chat, optionalText(given, "endpoint"), progress, deps);
    record(answer, undefined);
    return JSON.stringify(answer);
  } catch (error) {
    record(undefined, error);
    throw error;
  }
}

async function ask(
  caller: Caller,
  provider: Provider,
  chat: Chat,
  endpoint: string | undefined,
  progress: Progress,
  { send, timeoutMs, responseBytes }: ChatDeps,
): Promise<ChatAnswer> {
  const { env } = caller.version;
  const key = env[provider.keyVariable] ?? "";
  if (key === "") throw failure(`${provider.keyVariable} not set in function environment`);
  const base = [endpoint, env[provider.endpointVariable]].find((one) => one !== undefined && one !== "");
  const url = `${(base ?? provider.endpoint).replace(/\/+$/, "")}${provider.path}`;
  const body = provider.body(chat);
  progress.endpoint = url;
  progress.request = body;
  const asked = { url, headers: provider.headers(key), body };
  const { isOk, status, value } = await postJson(caller, asked, send, { timeoutMs, responseBytes });
  progress.response = value;
  const mistake = errorText(value);
  if (!isOk) throw failure(`${provider.title}: ${mistake ?? "no reason given"} (HTTP status ${status})`);
  const answer = provider.answer(value);
  if (answer !== undefined) return answer;
  throw failure(mistake === undefined ? `no response from ${provider.name}` : `${provider.title}: ${mistake}`);
}

/** In the order in which the mistakes are told. */
function parseChat(given: Arguments): Chat {
  const model = required(given, "model", "model is required");
  const messages = given["messages"];
  if (!Array.isArray(messages)) throw invalid("messages is required and must be a table");
  const usable = messages.filter(isMessage).map(({ role, content }) => ({ role, content }));
  if (usable.length === 0) throw invalid("messages cannot be empty");
  const maxTokens = isAbsent(given["max_tokens"]) ? MAX_TOKENS : number(given, "max_tokens");
  const temperature = isAbsent(given["temperature"]) ? 0 : number(given, "temperature");
  return { model, messages: usable, maxTokens, temperature: temperature > 0 ? temperature : undefined };
}

/** Those without a role or a content do not count. */
function isMessage(value: unknown): value is ChatMessage {
  const { role, content } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof role === "string" && role !== "" && typeof content === "string" && content !== "";
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function required(given: Arguments, name: string, complaint: string): string {
  const value = given[name];
  if (typeof value === "string" && value !== "") return value;
  throw invalid(complaint);
}

function invalid(message: string): PlatformError {
  return new PlatformError("INVALID_REQUEST", message);
}

function failure(message: string): OutboundError {
  return new OutboundError("REQUEST_FAILED", message);
}
