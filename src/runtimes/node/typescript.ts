// Compiles a TypeScript script with esbuild. `transform` only: `build` resolves and reads files, and on the server those
// would be the host's.
import { decodedMappings, TraceMap } from "@jridgewell/trace-mapping";
import { transform, type Message, type TransformOptions } from "esbuild";

/** For each generated line the segments `[generatedColumn, sourceLine, sourceColumn]`, all zero-based. */
export type Positions = readonly (readonly (readonly [number, number, number])[])[];

export type Compiled =
  | { readonly ok: true; readonly code: string; readonly positions: Positions }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

export interface Mistake {
  readonly text: string;
  /** `line` from 1, `column` in UTF-16 units from 0. */
  readonly place: { readonly line: number; readonly column: number; readonly lineText: string } | undefined;
}

const OPTIONS: TransformOptions = {
  loader: "ts",
  target: "node24",
  supported: { using: true }, // V8 of Node 24 has it; esbuild's table is more careful
  sourcemap: "external",
  sourcesContent: false,
  charset: "utf8",
  logLevel: "silent",
  logLimit: 0, // all, since we look for each top-level return below
  legalComments: "inline",
  // Explicit, so that no tsconfig.json of the host has a say.
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true, verbatimModuleSyntax: true } },
};

/** Compiles a file of modules. An import whose names are used as types only goes away, as with `tsc`. */
export async function compileModule(source: string, file: string): Promise<Compiled> {
  const compiled = await attempt(source, {
    ...OPTIONS,
    sourcefile: file,
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  return Array.isArray(compiled) ? { ok: false, mistakes: compiled.map(mistake) } : { ok: true, ...compiled };
}

/**
 * Compiles the body of a script, its imports already rewritten. esbuild allows top-level `return` or top-level `await`,
 * but not both, and `namespace` only outside of functions. So where it complains about a `return`, we let it compile a
 * `throw` there, which has the same flow, and turn that back afterwards.
 */
export async function compileTypeScript(source: string, file: string): Promise<Compiled> {
  const options = { ...OPTIONS, sourcefile: file };
  const first = await attempt(source, options);
  if (Array.isArray(first)) {
    const returnsAt = first.filter(isTopLevelReturn);
    if (returnsAt.length === 0 || returnsAt.length < first.length)
      return { ok: false, mistakes: first.filter((message) => !isTopLevelReturn(message)).map(mistake) };
    const second = await attempt(returnsToThrows(source, returnsAt), options);
    return Array.isArray(second) ? { ok: false, mistakes: second.map(mistake) } : throwsToReturns(second, returnsAt);
  }
  return { ok: true, code: first.code, positions: first.positions };
}

interface Output {
  readonly code: string;
  readonly positions: [number, number, number][][];
}

async function attempt(source: string, options: TransformOptions): Promise<Output | Message[]> {
  try {
    const { code, map } = await transform(source, options);
    const lines = decodedMappings(new TraceMap(map));
    const positions = lines.map((line) =>
      line.flatMap((segment): [number, number, number][] =>
        segment.length === 1 ? [] : [[segment[0], segment[2], segment[3]]],
      ),
    );
    return { code, positions };
  } catch (error) {
    if (error instanceof Error && "errors" in error && Array.isArray(error.errors) && error.errors.length > 0) {
      return error.errors;
    }
    throw error;
  }
}

function isTopLevelReturn({ text }: Message): boolean {
  return text.startsWith("Top-level return cannot be used");
}

function mistake({ text, location }: Message): Mistake {
  if (location === null) return { text, place: undefined };
  const { line, column, lineText } = location;
  return { text, place: { line, column: columnOf(lineText, column), lineText } };
}

/** esbuild counts columns in bytes of UTF-8. */
function columnOf(lineText: string, byteColumn: number): number {
  return Buffer.from(lineText).subarray(0, byteColumn).toString().length;
}

/** `throw ` is as long as `return`, so no column moves but those behind a `return` without a value. */
function returnsToThrows(source: string, returnsAt: readonly Message[]): string {
  const lines = source.split("\n");
  for (const { line, column } of returnsAt.map(place).toReversed()) {
    const text = lines[line] ?? "";
    const rest = text.slice(column + "return".length);
    const hasValue = /^(?:\s|\/\*.*?\*\/)*(?!\/\/|\/\*)[^\s;}]/.test(rest);
    lines[line] = text.slice(0, column) + (hasValue ? "throw " : "throw void 0") + rest;
  }
  return lines.join("\n");
}

function place({ location }: Message): { line: number; column: number } {
  if (location === null) throw new Error("esbuild named no place for a top-level return");
  return { line: location.line - 1, column: columnOf(location.lineText, location.column) };
}

function throwsToReturns(output: Output, returnsAt: readonly Message[]): Compiled {
  const places = new Set(returnsAt.map(place).map(({ line, column }) => `${line}:${column}`));
  const lines = output.code.split("\n");
  for (const [index, segments] of output.positions.entries()) {
    for (const segment of segments.toReversed()) {
      const [column, sourceLine, sourceColumn] = segment;
      const text = lines[index] ?? "";
      // esbuild maps a statement from before the blanks that it prints in front of it.
      if (!places.has(`${sourceLine}:${sourceColumn}`) || !/^\s*throw /.test(text.slice(column))) continue;
      lines[index] = text.slice(0, column) + text.slice(column).replace(/^(\s*)throw /, "$1return ");
      for (const later of segments) if (later[0] > column) later[0] += 1;
    }
  }
  return { ok: true, code: lines.join("\n"), positions: output.positions };
}
