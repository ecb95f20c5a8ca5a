// The two shapes in which models are asked: requests and answers of OpenAI's and Anthropic's HTTP APIs.
import { shown } from "./outbound-error.ts";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface Chat {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  /** Undefined: the provider's. */
  readonly temperature: number | undefined;
}

export interface ChatAnswer {
  readonly content: string;
  readonly model: string;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

type Json = Readonly<Record<string, unknown>>;

export interface Provider {
  /** As its errors begin. */
  readonly title: string;
  /** As "no response from …" ends. */
  readonly name: string;
  /** Names of the function's variables. */
  readonly keyVariable: string;
  readonly endpointVariable: string;
  readonly endpoint: string;
  /** Behind the endpoint. */
  readonly path: string;
  headers(key: string): Readonly<Record<string, string>>;
  body(chat: Chat): object;
  /** Undefined where the answer holds no text. */
  answer(value: Json): ChatAnswer | undefined;
}

const OPENAI: Provider = {
  title: "OpenAI API error",
  name: "OpenAI",
  keyVariable: "OPENAI_API_KEY",
  endpointVariable: "OPENAI_ENDPOINT",
  endpoint: "https://api.openai.com/v1",
  path: "/chat/completions",
  headers: (key) => ({ authorization: `Bearer ${key}` }),
  body: ({ model, messages, maxTokens, temperature }) => ({ model, messages, max_tokens: maxTokens, temperature }),
  answer(value) {
    const [choice] = list(value["choices"]);
    const content = object(object(choice)["message"])["content"];
    const usage = object(value["usage"]);
    return typeof content === "string"
      ? { content, ...told(value, usage["prompt_tokens"], usage["completion_tokens"]) }
      : undefined;
  },
};

const ANTHROPIC: Provider = {
  title: "anthropic API error",
  name: "Anthropic",
  keyVariable: "ANTHROPIC_API_KEY",
  endpointVariable: "ANTHROPIC_ENDPOINT",
  endpoint: "https://api.anthropic.com",
  path: "/v1/messages",
  headers: (key) => ({ "x-api-key": key, "anthropic-version": "2023-06-01" }),
  body: ({ model, messages, maxTokens, temperature }) => ({
    model,
    max_tokens: maxTokens,
    system: messages.findLast(({ role }) => role === "system")?.content,
    messages: messages.filter(({ role }) => role !== "system"),
    temperature,
  }),
  answer(value) {
    const texts = list(value["content"])
      .map(object)
      .filter((block) => block["type"] === "text");
    const usage = object(value["usage"]);
    return texts.length > 0
      ? {
          content: texts.map((block) => text(block["text"])).join(""),
          ...told(value, usage["input_tokens"], usage["output_tokens"]),
        }
      : undefined;
  },
};

export const PROVIDERS: ReadonlyMap<string, Provider> = new Map([
  ["openai", OPENAI],
  ["anthropic", ANTHROPIC],
]);

/** What an API says that went wrong: `{"error": {"message"}}`, `{"error": "…"}` or `{"message"}`. */
export function errorText(value: Json): string | undefined {
  const { error, message } = value;
  const found = typeof error === "string" ? error : (object(error)["message"] ?? message);
  return typeof found === "string" && found !== "" ? shown(found) : undefined;
}

function told(value: Json, inputTokens: unknown, outputTokens: unknown): Omit<ChatAnswer, "content"> {
  const usage = { input_tokens: count(inputTokens), output_tokens: count(outputTokens) };
  return { model: text(value["model"]), usage };
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
