// Makes programs ready for the shim, in the server, once for each version. docs/wire-protocol.md names the options.
import type { Json, Program, Source } from "../../core/program.ts";
import { hasModuleSyntax, isModule, mayBeModule, type Shape, shapeOf, syntaxErrorPlace } from "./exports.ts";
import { rewriteImports } from "./imports.ts";
import { alwaysReturns } from "./returns.ts";
import type { Compiled, Mistake } from "./typescript.ts";

type Options = { file: string; [key: string]: Json };

export async function prepare(language: string, source: Source): Promise<Program> {
  const text = source.text.replace(/^\uFEFF?#!/, "//"); // a `#!` line is legal only at the start of a file
  const isTypeScript = isTypeScriptFile(source.entry ?? "") ?? language === "typescript";
  const file = source.entry ?? (isTypeScript ? "script.ts" : "script.js");
  const options: Options = { file };
  const others = Object.entries(source.files ?? {}).filter(([path]) => path !== file);
  if (others.length > 0) await addFiles(options, others);
  const program =
    (mayBeModule(text, file) ? await prepareModule(text, options, isTypeScript) : undefined) ??
    (await prepareScript(text, options, isTypeScript));
  return { language, base: "node", ...program };
}

type Prepared = Pick<Program, "code" | "options" | "alwaysReturns">;

async function prepareScript(text: string, options: Options, isTypeScript: boolean): Promise<Prepared> {
  const file = options.file;
  const script = rewriteImports(text);
  if (!isTypeScript) return { code: script, options, alwaysReturns: alwaysReturns(script) };
  const { compileTypeScript } = await import("./typescript.ts"); // 13 MiB that a server without TypeScript never pays for
  const compiled = await compileTypeScript(script, file);
  if (!compiled.ok) return failed(options, compiled.mistakes, file);
  options["positions"] = compiled.positions;
  return { code: compiled.code, options, alwaysReturns: alwaysReturns(compiled.code) };
}

/** Undefined if the program is a bare script. */
async function prepareModule(text: string, options: Options, isTypeScript: boolean): Promise<Prepared | undefined> {
  const file = options.file;
  let code = text;
  if (isTypeScript) {
    const compiled = await compileModule(text, file);
    // A script in TypeScript may have a top-level `return`, which no module has.
    if (!compiled.ok) return isModule(text, file) ? failed(options, compiled.mistakes, file) : undefined;
    code = compiled.code;
    options["positions"] = compiled.positions;
  }
  const shape = shapeOf(code, file);
  if (shape.format === "script") {
    delete options["positions"];
    return undefined;
  }
  if (shape.format === "bare main") {
    const ending = shape.needsModule ? "export { main };" : "module.exports = { main };";
    return handlers(`${code}\n${ending}`, {
      ...options,
      format: shape.needsModule ? "module" : "commonjs",
      style: "main",
    });
  }
  const { format, style } = shape;
  const place = syntaxErrorPlace(code, format);
  if (place !== undefined) options["mistakes"] = { ...(options["mistakes"] as object), [file]: place };
  if (style !== undefined) return handlers(code, { ...options, format, style });
  return handlers(code, { ...options, format, noHandler: noHandler(shape, file) });
}

/** What handlers print is never their result. */
function handlers(code: string, options: Options): Prepared {
  return { code, options, alwaysReturns: true };
}

function noHandler({ found }: Exclude<Shape, { format: "script" | "bare main" }>, file: string): Json {
  const exported = found.length === 0 ? "nothing" : found.join(", ");
  const message =
    `${file} exports ${exported}, but no handler. Looked for: a default export that is a function or has ` +
    '"fetch(request, env, ctx)", "handler(event, context)", "main(params)"';
  return { name: "Error", message, stack: "" };
}

/** Adds the other files to `options`: code as JavaScript, with its kind of module; the rest as it is. */
async function addFiles(options: Options, others: readonly (readonly [string, string])[]): Promise<void> {
  const files: { [path: string]: string } = {};
  const formats: { [path: string]: string } = {};
  const positions: { [path: string]: Json } = {};
  const mistakes: { [path: string]: Json } = {};
  for (const [path, text] of others) {
    const isTypeScript = isTypeScriptFile(path);
    files[path] = text;
    if (isTypeScript === undefined || /\.d\.[cm]?ts$/.test(path)) continue;
    let code = text.replace(/^\uFEFF?#!/, "//");
    if (isTypeScript) {
      const compiled = await compileModule(code, path);
      if (!compiled.ok) {
        options["error"] = syntaxError(compiled.mistakes, path);
        continue;
      }
      code = compiled.code;
      positions[path] = compiled.positions;
    }
    const format = hasModuleSyntax(code, path) ? "module" : "commonjs";
    const place = syntaxErrorPlace(code, format);
    if (place !== undefined) mistakes[path] = place;
    files[path] = code;
    formats[path] = format;
  }
  Object.assign(options, { files, formats, filePositions: positions, mistakes });
}

function isTypeScriptFile(path: string): boolean | undefined {
  if (/\.[cm]?ts$/.test(path)) return true;
  return /\.[cm]?js$/.test(path) ? false : undefined;
}

async function compileModule(text: string, file: string): Promise<Compiled> {
  const typescript = await import("./typescript.ts");
  return await typescript.compileModule(text, file);
}

function failed(options: Options, mistakes: readonly Mistake[], file: string): Prepared {
  return { code: "", options: { ...options, error: syntaxError(mistakes, file) }, alwaysReturns: false };
}

function syntaxError(mistakes: readonly Mistake[], file: string): Json {
  const [first] = mistakes;
  const message = mistakes.map((mistake) => `${mistake.text}${suffix(mistake, file)}`).join("\n");
  const lineText = first?.place?.lineText ?? "";
  const caret = " ".repeat(first?.place?.column ?? 0) + "^";
  const stack = `SyntaxError: ${message}${lineText === "" ? "" : `\n\n${lineText}\n${caret}`}`;
  return { name: "SyntaxError", message, stack, ...(first?.place === undefined ? {} : { line: first.place.line }) };
}

function suffix({ place }: Mistake, file: string): string {
  return place === undefined ? "" : ` (${file}:${place.line}:${place.column + 1})`;
}
