const LINES_AROUND = 3;

/** The line of the source that went wrong, marked, with the lines around it: `>  3 | return x`. Undefined where there is no such line. */
export function codeFrame(source: string, line: number): string | undefined {
  const lines = source.split(/\r?\n/);
  if (line < 1 || line > lines.length) return undefined;
  const first = Math.max(1, line - LINES_AROUND);
  const last = Math.min(lines.length, line + LINES_AROUND);
  const width = String(last).length;
  return lines
    .slice(first - 1, last)
    .map((text, index) => {
      const number = first + index;
      return `${number === line ? ">" : " "} ${String(number).padStart(width)} | ${text}`.trimEnd();
    })
    .join("\n");
}
