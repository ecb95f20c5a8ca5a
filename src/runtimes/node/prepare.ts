// Makes scripts ready for the shim, in the server, once for each version. docs/wire-protocol.md names the options.
import type { Json, Program } from "../../core/program.ts";
import { rewriteImports } from "./imports.ts";
import { alwaysReturns } from "./returns.ts";
import { columnOf, compileTypeScript } from "./typescript.ts";

export async function prepare(language: string, source: string): Promise<Program> {
  const script = rewriteImports(source.replace(/^\uFEFF?#!/, "//")); // a `#!` line is legal only at the start of a file
  if (language !== "typescript") return program(language, script, { file: "script.js" });
  const compiled = await compileTypeScript(script);
  if (compiled.ok) return program(language, compiled.code, { file: "script.ts", positions: compiled.positions });
  return program(language, "", { file: "script.ts", error: syntaxError(compiled.mistakes) });
}

/** Starts esbuild's service, so that the server does not have to fork later, when it is large and busy. */
export async function warmUp(): Promise<void> {
  await compileTypeScript("");
}

function program(language: string, code: string, options: Program["options"]): Program {
  return { language, base: "node", code, options, alwaysReturns: alwaysReturns(code) };
}

interface Mistake {
  readonly text: string;
  readonly location: { readonly line: number; readonly column: number; readonly lineText: string } | null;
}

function syntaxError(mistakes: readonly Mistake[]): Json {
  const [first] = mistakes;
  const message = mistakes.map((mistake) => `${mistake.text}${suffix(mistake)}`).join("\n");
  const lineText = first?.location?.lineText ?? "";
  const caret = " ".repeat(columnIn(first)) + "^";
  const stack = `SyntaxError: ${message}${lineText === "" ? "" : `\n\n${lineText}\n${caret}`}`;
  return { name: "SyntaxError", message, stack };
}

function columnIn(mistake: Mistake | undefined): number {
  const location = mistake?.location;
  return location ? columnOf(location.lineText, location.column) : 0;
}

function suffix(mistake: Mistake): string {
  return mistake.location === null ? "" : ` (script.ts:${mistake.location.line}:${columnIn(mistake) + 1})`;
}
