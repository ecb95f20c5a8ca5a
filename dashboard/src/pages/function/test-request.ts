// A request as the Test tab has it, and the same as a fetch and as code in other languages.

import type { Operations } from "../../api/schema.ts";

type DescribedRequest = NonNullable<Operations["invoke"]["body"]["request"]>;
export type Pair = readonly [name: string, value: string];

export interface TestRequest {
  readonly method: string;
  /** Behind the function's address, with its slash. */
  readonly path: string;
  readonly query: readonly Pair[];
  readonly headers: readonly Pair[];
  readonly bodyKind: "none" | "raw" | "json" | "form" | "file";
  readonly body: string;
  readonly fields: readonly Pair[];
}

export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;
export const EMPTY: TestRequest = {
  ...{ method: "GET", path: "", query: [], headers: [], bodyKind: "none", body: "", fields: [] },
};

/** @param base the function's address */
export function addressOf(request: TestRequest, base: string): string {
  const { path, query } = targetOf(request);
  return base + path + (query === "" ? "" : `?${query}`);
}

function targetOf({ path, query }: TestRequest): { readonly path: string; readonly query: string } {
  const tail = path === "" || path.startsWith("/") ? path : `/${path}`;
  return {
    path: encodeURI(tail).replaceAll("?", "%3F").replaceAll("#", "%23"),
    query: new URLSearchParams(named(query)).toString(),
  };
}

/** The request in words, for the management API, which sends it where the page itself may not, or later. */
export async function described(request: TestRequest, file: File | undefined): Promise<DescribedRequest> {
  const text = textOf(request);
  const isFile = request.bodyKind === "file" && file !== undefined && hasBody(request);
  return {
    ...targetOf(request),
    method: request.method as DescribedRequest["method"],
    headers: headersOf(request).map(([name, value]) => [name, value]),
    ...(isFile ? { body: await base64Of(file), isBase64Encoded: true } : text === undefined ? {} : { body: text }),
  };
}

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function hasBody({ method }: TestRequest): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Of requests that have one; GET and HEAD cannot. */
export function bodyOf(request: TestRequest, file: File | undefined): BodyInit | undefined {
  if (!hasBody(request)) return undefined;
  if (request.bodyKind === "file") return file;
  return textOf(request);
}

export function headersOf(request: TestRequest): Pair[] {
  const given = named(request.headers);
  const type = TYPES[request.bodyKind];
  const hasType = given.some(([name]) => name.toLowerCase() === "content-type");
  return type === undefined || hasType || textOf(request) === undefined ? given : [["Content-Type", type], ...given];
}

const TYPES: Readonly<Partial<Record<TestRequest["bodyKind"], string>>> = {
  json: "application/json",
  form: "application/x-www-form-urlencoded",
  raw: "text/plain",
};

function textOf(request: TestRequest): string | undefined {
  const { bodyKind, body, fields } = request;
  if (!hasBody(request)) return undefined;
  if (bodyKind === "form") return new URLSearchParams(named(fields)).toString();
  return bodyKind === "json" || bodyKind === "raw" ? body : undefined;
}

function named(pairs: readonly Pair[]): [string, string][] {
  return pairs.filter(([name]) => name.trim() !== "").map(([name, value]) => [name.trim(), value]);
}

const shell = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const quoted = (text: string): string => JSON.stringify(text);

export const CODE_LANGUAGES = ["curl", "JavaScript", "Python", "Go"] as const;
export type CodeLanguage = (typeof CODE_LANGUAGES)[number];

/** The same call, to paste somewhere else. A file is named as `FILE`. */
export function asCode(language: CodeLanguage, request: TestRequest, base: string): string {
  const url = addressOf(request, base);
  const headers = headersOf(request);
  const text = textOf(request);
  const isFile = request.bodyKind === "file" && hasBody(request);
  switch (language) {
    case "curl": {
      const method = request.method === "HEAD" ? "--head" : `-X ${request.method}`;
      const body = isFile ? ["--data-binary @FILE"] : text === undefined ? [] : [`--data-binary ${shell(text)}`];
      const lines = headers.map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`);
      return [`curl ${method} ${shell(url)}`, ...lines, ...body].join(" \\\n  ");
    }
    case "JavaScript": {
      const body = isFile ? ["  body: file,"] : text === undefined ? [] : [`  body: ${quoted(text)},`];
      const list = headers.length === 0 ? [] : [`  headers: ${JSON.stringify(Object.fromEntries(headers))},`];
      const options = [`  method: ${quoted(request.method)},`, ...list, ...body].join("\n");
      return `const response = await fetch(${quoted(url)}, {\n${options}\n});\nconsole.log(response.status, await response.text());`;
    }
    case "Python": {
      const data = isFile ? 'open("FILE", "rb").read()' : text === undefined ? "None" : `${quoted(text)}.encode()`;
      const lines = [
        ...[`    ${quoted(url)},`, `    method=${quoted(request.method)},`],
        ...[`    headers=${JSON.stringify(Object.fromEntries(headers))},`, `    data=${data},`],
      ].join("\n");
      return `import urllib.request\n\nrequest = urllib.request.Request(\n${lines}\n)\nwith urllib.request.urlopen(request) as response:\n    print(response.status, response.read().decode())`;
    }
    case "Go": {
      const body = isFile ? "file" : text === undefined ? "nil" : `strings.NewReader(${quoted(text)})`;
      const lines = headers.map(([name, value]) => `request.Header.Set(${quoted(name)}, ${quoted(value)})\n`).join("");
      return `request, err := http.NewRequest(${quoted(request.method)}, ${quoted(url)}, ${body})\nif err != nil {\n\treturn err\n}\n${lines}response, err := http.DefaultClient.Do(request)`;
    }
  }
}
