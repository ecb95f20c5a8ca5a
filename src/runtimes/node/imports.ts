// Static imports in a script. A script is a function's body, where `import x from "m"` is not allowed; it becomes
// `const {default: x} = await import("m");` at the same place, so that no line moves.
import { init, parse, type StaticImport } from "es-module-lexer";

await init();

const CLAUSE_TOKEN = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[*{},]|[^\s*{},"'/]+/g;

/**
 * The source with its static imports rewritten. Source that is not understood comes back as it is: the compiler after
 * us says what is wrong with it.
 */
export function rewriteImports(source: string): string {
  let rewritten = "";
  let from = 0;
  for (const found of staticImports(source)) {
    const statement = source.slice(found.importStart, found.importEnd);
    const replacement = rewriteImport(statement, found, source);
    if (replacement === undefined) continue;
    const lineBreaks = statement.replace(/[^\n]/g, "");
    rewritten += source.slice(from, found.importStart) + replacement + lineBreaks;
    from = found.importEnd;
  }
  return rewritten + source.slice(from);
}

function staticImports(source: string): StaticImport[] {
  if (!/\bimport\b/.test(source)) return [];
  try {
    return parse(source)[0].filter((found): found is StaticImport => found.type === "static");
  } catch {
    return [];
  }
}

function rewriteImport(statement: string, found: StaticImport, source: string): string | undefined {
  if (found.phase !== null) return undefined;
  if (found.typeOnly) return "";
  const clause = source.slice(found.importStart + "import".length, found.start - 1);
  const tokens = (clause.match(CLAUSE_TOKEN) ?? []).filter((token) => !/^\/[/*]/.test(token));
  if (tokens.includes("=")) return undefined; // TypeScript's `import fs = require("fs")`
  const options = found.attributes === null ? "" : `, {with: ${JSON.stringify(Object.fromEntries(found.attributes))}}`;
  // The shim's own module is there already; naming it with `import` would cost the script its quick check for traces.
  const isOurs = found.specifier === "cloche";
  const loaded = isOurs ? "$cloche" : `await import(${JSON.stringify(found.specifier)}${options})`;
  if (tokens.at(-1) === "from") tokens.pop();
  if (tokens.length === 0) return `${loaded};`;
  const { namespace, names } = readClause(tokens);
  if (names.length === 0 && !statement.includes("{")) return `const ${namespace} = ${loaded};`;
  const pattern = `{${names.join(", ")}}`;
  return namespace === undefined
    ? `const ${pattern} = ${loaded};`
    : `const ${namespace} = ${loaded}, ${pattern} = ${namespace};`;
}

/** Reads `d, * as ns` or `d, {a, b as c, type T}` into what a destructuring needs. */
function readClause(tokens: readonly string[]): { namespace: string | undefined; names: string[] } {
  const names: string[] = [];
  let namespace: string | undefined;
  for (const part of split(tokens)) {
    const [first = "", second, third] = part.words;
    if (first === "") continue;
    if (first === "*") namespace = third;
    else if (!part.braced) names.push(`default: ${first}`);
    else if (first === "type" && isTypeOnly(part.words)) continue;
    else names.push(second === "as" && third !== undefined ? `${first}: ${third}` : first);
  }
  return { namespace, names };
}

/** `{type A}` and `{type A as B}` import a type; `{type}`, `{type as A}` import a value called `type`. */
function isTypeOnly(words: readonly string[]): boolean {
  return words.length === 2 || words.length === 4 || (words.length === 3 && words[1] === "as" && words[2] === "as");
}

function split(tokens: readonly string[]): { words: string[]; braced: boolean }[] {
  let part = { words: [] as string[], braced: false };
  const parts = [part];
  for (const token of tokens) {
    if (token === "{" || token === "," || token === "}") {
      part = { words: [], braced: token === "{" || (token === "," && part.braced) };
      parts.push(part);
    } else part.words.push(token);
  }
  return parts;
}
