import type { LogChunk, LogLevel, LogLine, OutputStream } from "./log-line.ts";

/** Cuts printed chunks into lines, each stream for itself, and calls back for every line as soon as it is complete. */
export class LineSplitter {
  readonly #onLine: (line: LogLine) => void;
  readonly #nowMs: () => number;
  readonly #unfinished: Record<OutputStream, { text: string; level: LogLevel }> = {
    stdout: { text: "", level: "info" },
    stderr: { text: "", level: "error" },
  };

  constructor(onLine: (line: LogLine) => void, nowMs: () => number) {
    this.#onLine = onLine;
    this.#nowMs = nowMs;
  }

  push({ stream, level, text }: LogChunk): void {
    const unfinished = this.#unfinished[stream];
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      this.#emit(stream, level, unfinished.text + line);
      unfinished.text = "";
    }
    unfinished.text += rest;
    unfinished.level = level;
  }

  /** Gives out lines that were printed without a line break at the end. */
  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const { text, level } = this.#unfinished[stream];
      if (text !== "") this.#emit(stream, level, text);
      this.#unfinished[stream].text = "";
    }
  }

  #emit(stream: OutputStream, level: LogLevel, text: string): void {
    this.#onLine({ stream, level, atMs: this.#nowMs(), text: text.endsWith("\r") ? text.slice(0, -1) : text });
  }
}
