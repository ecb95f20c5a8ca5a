// Programs to begin with: what each one is, in which languages, and how to try it.
const CODE = import.meta.glob<string>("./code/*", { query: "?raw", import: "default", eager: true });

export const TEMPLATE_IDS = [
  "hello",
  "json-api",
  "counter",
  "webhook",
  "router",
  "scheduled-job",
  "streaming",
  "ai-proxy",
] as const;
export type TemplateId = (typeof TEMPLATE_IDS)[number];

/** In the order in which they are offered. */
const ENDINGS = { javascript: "js", typescript: "ts", python: "py", lua: "lua", go: "go" } as const;

/** A request that shows what the function does; `path` is behind its name. */
export interface Trial {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}

const TRIALS: Readonly<Record<TemplateId, Trial>> = {
  hello: { method: "GET", path: "?name=Ada" },
  "json-api": { method: "POST", path: "", body: { a: 19, b: 23 } },
  counter: { method: "GET", path: "" },
  webhook: { method: "POST", path: "", body: { action: "opened" } },
  router: { method: "GET", path: "/users" },
  "scheduled-job": { method: "GET", path: "" },
  streaming: { method: "GET", path: "" },
  "ai-proxy": { method: "POST", path: "", body: { question: "Why is the sky blue?" } },
};

export interface Template {
  readonly id: TemplateId;
  readonly trial: Trial;
  /** Where it is to be run by itself. */
  readonly cron?: string;
  /** Code by language. */
  readonly code: Readonly<Record<string, string>>;
}

export const TEMPLATES: readonly Template[] = TEMPLATE_IDS.map((id) => ({
  id,
  trial: TRIALS[id],
  ...(id === "scheduled-job" ? { cron: "0 * * * *" } : {}),
  code: Object.fromEntries(
    Object.entries(ENDINGS).flatMap(([language, ending]) => {
      const code = CODE[`./code/${id}.${ending}`];
      return code === undefined ? [] : [[language, code]];
    }),
  ),
}));

export function templateOf(id: string): Template | undefined {
  return TEMPLATES.find((template) => template.id === id);
}

/** The language of a file, by its ending. */
export function languageOfFile(path: string): string | undefined {
  const ending = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  const others: Readonly<Record<string, string>> = {
    mjs: "javascript",
    cjs: "javascript",
    mts: "typescript",
    wasm: "wasm",
  };
  return Object.entries(ENDINGS).find(([, own]) => own === ending)?.[0] ?? others[ending];
}
