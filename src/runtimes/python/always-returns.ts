// Advice for the server: does this Python surely end by returning a value? A wrong "no" only holds back one printed line
// until the run ends; a wrong "yes" would lose one as the result. So whatever is in doubt is "no".

// Ends the script without a value, or may do so from within a library.
const OTHER_ENDINGS = /exit|quit|unittest|exec|eval|argparse|\breturn[ \t]*(?:$|[#;])/im;

/** @returns true only when the last statement of `source` is a `return` with a value at top level and nothing ends the script before it without one */
export function alwaysReturns(source: string): boolean {
  if (OTHER_ENDINGS.test(source)) return false;
  const start = lastStatementStart(source);
  return start !== undefined && /^return\b[ \t]*[^\s#;\\]/.test(source.slice(start));
}

/** Where the last logical line starts; undefined when the text ends within a string or a bracket. */
function lastStatementStart(source: string): number | undefined {
  // A string, a comment, a joined line, a line end, a bracket. Strings first, so that nothing in them counts.
  const tokens =
    /("""|''')(?:\\[^]|(?!\1)[^])*\1|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|#[^\n]*|\\\r?\n|\n|[([{]|[)\]}]|["']|[^\s]/g;
  let depth = 0;
  let lineIsEmpty = true;
  let lineStart = 0;
  let statementStart = 0;
  for (const { 0: token, index } of source.matchAll(tokens)) {
    if (token === "\n") {
      if (depth > 0) continue;
      lineIsEmpty = true;
      lineStart = index + 1;
    } else if (token === '"' || token === "'") {
      return undefined; // a string without an end
    } else if (!token.startsWith("#")) {
      if (lineIsEmpty) statementStart = lineStart;
      lineIsEmpty = false;
      if (/^[([{]$/.test(token)) depth += 1;
      if (/^[)\]}]$/.test(token)) depth -= 1;
    }
  }
  return depth === 0 ? statementStart : undefined;
}
