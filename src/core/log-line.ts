export type LogLevel = "debug" | "info" | "warn" | "error";

/** Which of a program's two outputs a text came from. Only stdout can become a result. */
export type OutputStream = "stdout" | "stderr";

/** A piece of printed text as it left the program; it may hold part of a line or many lines. */
export interface LogChunk {
  readonly stream: OutputStream;
  readonly level: LogLevel;
  readonly text: string;
}

/** One printed line, without its line break. */
export interface LogLine {
  readonly stream: OutputStream;
  readonly level: LogLevel;
  /** Unix time in milliseconds at which the line was complete. */
  readonly atMs: number;
  readonly text: string;
}
