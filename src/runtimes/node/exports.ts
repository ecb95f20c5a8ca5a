// What does the main file of a program export, and is it a module at all? Nothing of it is run to find that out.
import { init, parse as parseModule } from "es-module-lexer";
import { parse, type Node } from "acorn";

await init();

/** How a handler is found by the names of what a program exports; docs/wire-protocol.md, "Styles". */
export type HandlerStyle = "web" | "lambda" | "main";

/** What a program is. Only a program that exports something is a module. */
export type Shape =
  | { readonly format: "script" }
  /** A bare script that declares `main` and leaves it to us to call. */
  | { readonly format: "bare main"; readonly needsModule: boolean }
  | { readonly format: "module" | "commonjs"; readonly style: HandlerStyle | undefined; readonly found: string[] };

const SCRIPT: Shape = { format: "script" };

/** A look that costs nothing, since most scripts hold none of these words. */
export function mayBeModule(text: string, file: string): boolean {
  return /\bexports?\b|\bfunction\s+main\b/.test(text) || /\.[cm][jt]s$/.test(file);
}

/** True if `text` has values to export; types alone make no module. It may be TypeScript. */
export function isModule(text: string, file: string): boolean {
  if (/\.m[jt]s$/.test(file)) return true;
  if (!/\bexport\b/.test(text)) return false;
  try {
    return parseModule(text)[1].some((found) => !found.typeOnly);
  } catch {
    return /^\s*export\b/m.test(text); // the compiler after us says what is wrong with it
  }
}

/** The same for a file that is surely no script: there, imports make a module, too. */
export function hasModuleSyntax(code: string, file: string): boolean {
  if (/\.[cm][jt]s$/.test(file)) return /\.m[jt]s$/.test(file);
  try {
    return parseModule(code)[3];
  } catch {
    return /^\s*(?:export\b|import\b(?!\s*\())/m.test(code);
  }
}

/** The shape of the main file; `code` is JavaScript. Code that does not parse is a script, whose compiler tells the mistake. */
export function shapeOf(code: string, file: string): Shape {
  if (isModule(code, file)) return moduleShape(code);
  const body = parseScript(code);
  if (body === undefined) return SCRIPT;
  const assigned = commonJsExports(body);
  const isGuarded = /\btypeof\s+(?:module|exports)\b/.test(code);
  const style = styleOf(assigned);
  if (assigned.size > 0 && (style !== undefined || !isGuarded))
    return { format: "commonjs", style, found: [...assigned] };
  return bareMain(body) ?? SCRIPT;
}

function moduleShape(code: string): Shape {
  const found = new Set<string>();
  try {
    for (const one of parseModule(code)[1]) if (!one.typeOnly) found.add("name" in one && one.name ? one.name : "*");
  } catch {
    // V8 will say what is wrong
  }
  if (found.has("default")) {
    const exported = parseBody(code, "module")?.find((node) => node.type === "ExportDefaultDeclaration");
    const names = objectKeys((exported as { declaration?: Node } | undefined)?.declaration);
    if (names !== undefined && !names.includes("fetch")) {
      found.delete("default");
      found.add(`default {${names.join(", ")}}`);
    } else if (names !== undefined) found.add("default.fetch");
  }
  return { format: "module", style: styleOf(found), found: [...found].filter((name) => name !== "default.fetch") };
}

/** A default export that surely has `fetch` goes before `handler`, and `handler` before one that may be a copy of it. */
function styleOf(found: ReadonlySet<string>): HandlerStyle | undefined {
  if (found.has("default.fetch")) return "web";
  if (found.has("handler")) return "lambda";
  if (found.has("default")) return "web";
  return found.has("main") ? "main" : undefined;
}

/** Where a module cannot be parsed: line and column, from one. V8 does not say it for modules. */
export function syntaxErrorPlace(code: string, format: "module" | "commonjs"): readonly [number, number] | undefined {
  try {
    parse(code, optionsFor(format === "module" ? "module" : "script"));
    return undefined;
  } catch (error) {
    const { loc } = error as { loc?: { line: number; column: number } };
    return loc === undefined ? undefined : [loc.line, loc.column + 1];
  }
}

function optionsFor(sourceType: "script" | "module"): Parameters<typeof parse>[1] {
  const isScript = sourceType === "script";
  return {
    ecmaVersion: "latest",
    sourceType,
    allowHashBang: true,
    allowReturnOutsideFunction: isScript,
    allowAwaitOutsideFunction: true,
    allowImportExportEverywhere: isScript,
  };
}

function parseBody(code: string, sourceType: "script" | "module"): Node[] | undefined {
  try {
    return parse(code, optionsFor(sourceType)).body;
  } catch {
    return undefined; // a mistake, newer than the parser, or nested too deeply
  }
}

const parseScript = (code: string): Node[] | undefined => parseBody(code, "script");

/** The fields of a node that are asked for below, whatever its type. */
type Fields = Node & { readonly [field: string]: unknown };

/** Calls `visit` with every node below `nodes`, which says whether to go into it. */
function walk(nodes: readonly Node[], visit: (node: Fields) => boolean): void {
  const rest: Node[] = [...nodes];
  for (;;) {
    const node = rest.pop() as Fields | undefined;
    if (node === undefined) return;
    if (!visit(node)) continue;
    for (const child of Object.values(node).flat()) if (isNode(child)) rest.push(child);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function nameOf(value: unknown): string | undefined {
  const { name, value: literal } = (value ?? {}) as { name?: unknown; value?: unknown };
  return typeof name === "string" ? name : typeof literal === "string" ? literal : undefined;
}

/** The names of an object literal; undefined for anything else, and for one that spreads another. */
function objectKeys(value: unknown): string[] | undefined {
  const object = value as Fields | null | undefined;
  if (object?.type !== "ObjectExpression") return undefined;
  const names = (object["properties"] as Fields[]).map((property) => nameOf(property["key"]));
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** `exports.a = …`, `module.exports.a = …`, `module.exports = …` and Object.defineProperty(exports, "a", …). */
function commonJsExports(body: readonly Node[]): Set<string> {
  const found = new Set<string>();
  walk(body, (node) => {
    if (node.type === "AssignmentExpression") {
      const left = node["left"] as Fields;
      if (left.type === "MemberExpression" && isExports(left["object"])) found.add(nameOf(left["property"]) ?? "*");
      else if (left.type === "MemberExpression" && isExports(left)) addExported(found, node["right"]);
    } else if (node.type === "CallExpression") {
      const [target, name] = node["arguments"] as Fields[];
      const callee = node["callee"] as Fields;
      if (callee.type === "MemberExpression" && nameOf(callee["property"]) === "defineProperty" && isExports(target)) {
        found.add(nameOf(name) ?? "*");
      }
    }
    return true;
  });
  found.delete("__esModule");
  return found;
}

function isExports(value: unknown): boolean {
  const node = value as Fields | undefined;
  if (node?.type === "Identifier") return nameOf(node) === "exports";
  if (node?.type !== "MemberExpression") return false;
  return nameOf(node["object"]) === "module" && nameOf(node["property"]) === "exports";
}

function addExported(found: Set<string>, value: unknown): void {
  const names = objectKeys(value);
  if (names === undefined) found.add("default");
  else if (names.includes("fetch")) found.add("default").add("default.fetch");
  else for (const name of names) found.add(name);
}

/** As OpenWhisk does it: `main` is declared at the top, nothing calls or mentions it, and no `return` ends the script. */
function bareMain(body: readonly Node[]): Shape | undefined {
  const isMain = (node: Node): boolean =>
    node.type === "FunctionDeclaration" && nameOf((node as Fields)["id"]) === "main";
  const declaration = body.find(isMain) as Fields | undefined;
  if (declaration === undefined) return undefined;
  let isUsed = false;
  walk(body, (node) => {
    if (node.type === "Identifier" && node !== declaration["id"] && nameOf(node) === "main") isUsed = true;
    return !isUsed;
  });
  let leaves = false;
  let needsModule = false;
  walk(body, (node) => {
    if (node.type === "ReturnStatement") leaves = true;
    if (node.type === "ImportDeclaration" || node.type === "AwaitExpression") needsModule = true;
    return !/Function|Class/.test(node.type);
  });
  return isUsed || leaves ? undefined : { format: "bare main", needsModule };
}
