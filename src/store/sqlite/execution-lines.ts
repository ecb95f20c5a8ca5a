// Log lines as they are stored: JSON of one flat list, three values for each line: its kind, the milliseconds since the line before (of the
// first: since 1970) and its text. As objects they take thrice as much, on disk and of the time to store them (bench/history.ts). Older
// rows have them so, and are still read.
import type { LogLevel, LogLine, OutputStream } from "../../core/log-line.ts";

const STREAMS: readonly OutputStream[] = ["stdout", "stderr"];
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const VALUES = 3;

/** Null for none. */
export function packLines(lines: readonly LogLine[]): string | null {
  if (lines.length === 0) return null;
  const values: (number | string)[] = [];
  let lastMs = 0;
  for (const { stream, level, atMs, text } of lines) {
    values.push(STREAMS.indexOf(stream) * LEVELS.length + LEVELS.indexOf(level), atMs - lastMs, text);
    lastMs = atMs;
  }
  return JSON.stringify(values);
}

export function unpackLines(packed: string | null): LogLine[] {
  if (packed === null) return [];
  const values = JSON.parse(packed) as readonly (number | string)[] | LogLine[];
  if (isOfObjects(values)) return values;
  const lines: LogLine[] = [];
  let atMs = 0;
  for (let at = 0; at < values.length; at += VALUES) {
    const kind = Number(values[at]);
    atMs += Number(values[at + 1]);
    const stream = STREAMS[Math.floor(kind / LEVELS.length)] ?? "stdout";
    lines.push({ stream, level: LEVELS[kind % LEVELS.length] ?? "info", atMs, text: `${values[at + 2] ?? ""}` });
  }
  return lines;
}

function isOfObjects(values: readonly (number | string)[] | LogLine[]): values is LogLine[] {
  return typeof values[0] === "object";
}
