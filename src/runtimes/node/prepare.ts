// Makes scripts ready for the shim, in the server, once for each version. docs/wire-protocol.md names the options.
import type { Json, Program } from "../../core/program.ts";
import { rewriteImports } from "./imports.ts";
import { alwaysReturns } from "./returns.ts";
import type { Mistake } from "./typescript.ts";

export async function prepare(language: string, source: string): Promise<Program> {
  const script = rewriteImports(source.replace(/^\uFEFF?#!/, "//")); // a `#!` line is legal only at the start of a file
  if (language !== "typescript") return program(language, script, { file: "script.js" });
  const { compileTypeScript } = await import("./typescript.ts"); // 13 MiB that a server without TypeScript never pays for
  const compiled = await compileTypeScript(script);
  if (compiled.ok) return program(language, compiled.code, { file: "script.ts", positions: compiled.positions });
  return program(language, "", { file: "script.ts", error: syntaxError(compiled.mistakes) });
}

function program(language: string, code: string, options: Program["options"]): Program {
  return { language, base: "node", code, options, alwaysReturns: alwaysReturns(code) };
}

function syntaxError(mistakes: readonly Mistake[]): Json {
  const [first] = mistakes;
  const message = mistakes.map((mistake) => `${mistake.text}${suffix(mistake)}`).join("\n");
  const lineText = first?.place?.lineText ?? "";
  const caret = " ".repeat(first?.place?.column ?? 0) + "^";
  const stack = `SyntaxError: ${message}${lineText === "" ? "" : `\n\n${lineText}\n${caret}`}`;
  return { name: "SyntaxError", message, stack };
}

function suffix({ place }: Mistake): string {
  return place === undefined ? "" : ` (script.ts:${place.line}:${place.column + 1})`;
}
