// The one shape of every result, and how it is printed.

export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly rivals?: string;
  /** The physical limit, measured in the same run. */
  readonly limit?: string;
  readonly target?: string;
  /** Undefined where there is no target. */
  readonly ok?: boolean;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

const HEADINGS = ["what", "ours", "rivals", "limit", "target", "ok"] as const;

export function formatTable({ title, rows }: Table): string {
  const cells = rows.map((row) => HEADINGS.map((heading) => cellOf(row, heading)));
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const format = (line: readonly string[]): string =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [title, format(HEADINGS), format(widths.map((width) => "-".repeat(width))), ...cells.map(format), ""].join(
    "\n",
  );
}

/** `met` of `judged` rows that have a target. */
export function verdict(tables: readonly Table[]): { readonly met: number; readonly judged: number } {
  const judged = tables.flatMap(({ rows }) => rows).filter(({ ok }) => ok !== undefined);
  return { met: judged.filter(({ ok }) => ok).length, judged: judged.length };
}

function cellOf(row: Row, heading: (typeof HEADINGS)[number]): string {
  if (heading !== "ok") return row[heading] ?? "";
  return row.ok === undefined ? "" : row.ok ? "yes" : "NO";
}

export function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

export function us(value: number): string {
  return value < 10_000 ? `${Math.round(value)} µs` : ms(value / 1000);
}

export function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

export function perS(value: number): string {
  return `${value < 1000 ? value.toFixed(value < 100 ? 1 : 0) : `${(value / 1000).toFixed(1)}k`}/s`;
}

export function ratio(value: number): string {
  return `×${value.toFixed(value < 0.01 ? 4 : 2)}`;
}
