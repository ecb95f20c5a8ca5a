export interface LlmsFacts {
  readonly baseUrl: string;
  /** Those that can run here. */
  readonly languages: readonly string[];
  readonly timeoutMs: number;
}

interface Sample {
  readonly title: string;
  readonly file: string;
  readonly code: string;
  readonly more: string;
}

/** One function in each language that says hello and counts its calls; test/e2e/management-documents.test.ts deploys them all. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  javascript: {
    title: "JavaScript",
    file: "hello.js",
    code: `import { kv } from "cloche";

export default {
  async fetch(request, env, ctx) {
    const name = new URL(request.url).searchParams.get("name") ?? "world";
    const calls = await kv.incr("calls");
    return Response.json({ hello: name, calls });
  },
};`,
    more: "Also taken: `export default (request) => Response`, `export const handler = async (event, context) => …` (AWS Lambda, HTTP API payload 2.0), and a bare script that ends in `return value`, with its input in `event`.",
  },
  typescript: {
    title: "TypeScript",
    file: "hello.ts",
    code: `import { kv } from "cloche";

export default async (request: Request): Promise<Response> => {
  const name = new URL(request.url).searchParams.get("name") ?? "world";
  const calls = await kv.incr("calls");
  return Response.json({ hello: name, calls });
};`,
    more: "As JavaScript; types are removed, not checked.",
  },
  python: {
    title: "Python",
    file: "hello.py",
    code: `from cloche import kv

def handler(event, context):
    query = event.get("query") or {}
    return {"hello": query.get("name", "world"), "calls": kv.incr("calls")}`,
    more: "`handler` may be async. Also taken: an ASGI or WSGI `app`, and a bare script that ends in `return value`, with its input in `event`.",
  },
  lua: {
    title: "Lua",
    file: "hello.lua",
    code: `function handler(ctx, event)
  local calls = kv.incr("calls", 1)
  return { statusCode = 200, body = { hello = event.query.name or "world", calls = calls } }
end`,
    more: "Lua 5.1 with goto. `kv`, `env`, `http`, `json`, `log`, `crypto`, `time` and others are there as globals.",
  },
  go: {
    title: "Go",
    file: "main.go",
    code: `package main

import (
	"encoding/json"
	"net/http"
)

func Handler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"hello": r.URL.Query().Get("name")})
}`,
    more: "Also taken: `func main()`, a process for each call with the body on stdin. It is compiled when it is deployed; modules come from `vendor/` or the module proxy.",
  },
};

/** How to write functions for this server and deploy them, in the form that language models read. */
export function llmsText({ baseUrl, languages, timeoutMs }: LlmsFacts): string {
  const samples = languages.flatMap((language) => {
    const sample = SAMPLES[language];
    return sample === undefined ? [] : [sampleText(language, sample, baseUrl)];
  });
  return `# Cloche

> Functions behind URLs, each run in its own sandbox on this server: ${languages.join(", ")}.

A function has a name such as \`hello\` or \`math/add\`, versions that never change, and a URL: \`${baseUrl}/fn/NAME\`. A call may
take ${timeoutMs / 1000} seconds. A value that is returned becomes the response: text stays text, a map with \`statusCode\` is taken as
\`{statusCode, headers, body}\`, anything else is JSON. What is printed is kept with the call's record.

Where the server asks for a key, every request but those to public functions needs \`-H "Authorization: Bearer KEY"\`.

## Deploy

${samples.join("\n\n")}

Several files: \`"files": {"main.py": "…", "lib/tools.py": "…"}\` and \`"entry": "main.py"\` instead of \`"code"\`, or a zip archive:
\`curl -X PUT "${baseUrl}/api/functions/NAME?language=python" -H "Content-Type: application/zip" --data-binary @code.zip\`.
Packages cannot be installed: bring their files along. A Linux executable, or a WebAssembly module for WASI preview 1, goes as it is:
\`curl -T FILE "${baseUrl}/api/functions/NAME?language=native"\`, or \`language=wasm\`.

## Look

- \`curl ${baseUrl}/fn/NAME\`: call it
- \`curl -X POST ${baseUrl}/api/functions/NAME/invocations -d '{"input": {}}'\`: call it with a value; the answer has result, error and logs
- \`curl "${baseUrl}/api/executions?function=NAME&status=error"\`: what failed
- \`curl ${baseUrl}/api/executions/ID\`: why, with the line of the code; \`…/logs\`: what it printed
- \`curl -X PUT ${baseUrl}/api/functions/NAME/env -d '{"env": {"NAME": "value"}}'\`: variables; \`curl -X PUT ${baseUrl}/api/functions/NAME/secrets/KEY -d '{"value": "…"}'\`: a secret
- \`curl ${baseUrl}/api/openapi.json\`: all of the API
`;
}

function sampleText(language: string, { title, file, code, more }: Sample, baseUrl: string): string {
  const upload = `jq -n --rawfile code ${file} '{language: "${language}", code: $code}'`;
  return `### ${title}

\`\`\`${language}
${code}
\`\`\`

${more} Save it as \`${file}\`, then:

\`\`\`sh
${upload} | curl -X PUT ${baseUrl}/api/functions/hello-${language} -d @-
\`\`\``;
}
