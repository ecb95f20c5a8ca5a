// What an execution printed or is printing.
import { useEffect, useState } from "react";
import { followLogs } from "../../api/events.ts";
import type { LogLine, NumberedLogLine } from "../../api/schema.ts";

export type Level = LogLine["level"];
export const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** A line to show. `at` is absent where the door that gave it does not say. */
export interface ShownLine {
  readonly n: number;
  readonly text: string;
  readonly level: Level;
  readonly at?: string;
}

export interface Logs {
  readonly lines: readonly ShownLine[];
  /** False once every line is there. */
  readonly isOpen: boolean;
}

/**
 * All lines of an execution from the first one on, as they come.
 *
 * @param onEnd is told once when the execution is over
 */
export function useLogs(executionId: string, onEnd?: () => void): Logs {
  const [logs, setLogs] = useState<Logs>({ lines: [], isOpen: true });
  useEffect(() => {
    const lines = new LineBuffer((fresh) =>
      setLogs(({ lines: before }) => ({ lines: [...before, ...fresh], isOpen: true })),
    );
    setLogs({ lines: [], isOpen: true });
    let seen = 0;
    const stop = followLogs(executionId, {
      line(line: NumberedLogLine) {
        if (line.n <= seen) return; // told again after a lost connection
        seen = line.n;
        lines.push(line);
      },
      end() {
        lines.flush();
        setLogs(({ lines: all }) => ({ lines: all, isOpen: false }));
        onEnd?.();
      },
    });
    return () => {
      stop();
      lines.close();
    };
    // Another function to tell is no reason to begin again.
  }, [executionId]);
  return logs;
}

const SOON_MS = 30;
const RARELY_MS = 250;
const MANY = 300;

/** Gives lines on a few times a second, the more often the fewer there are: a hundred thousand are not as many renderings. */
export class LineBuffer {
  #waiting: ShownLine[] = [];
  #timer: number | undefined;
  #pauseMs = SOON_MS;
  readonly #give: (lines: readonly ShownLine[]) => void;

  constructor(give: (lines: readonly ShownLine[]) => void) {
    this.#give = give;
  }

  push(line: ShownLine): void {
    this.#waiting.push(line);
    this.#timer ??= window.setTimeout(() => this.flush(), this.#pauseMs);
  }

  flush(): void {
    const lines = this.#waiting;
    this.close();
    this.#pauseMs = lines.length > MANY ? RARELY_MS : SOON_MS;
    if (lines.length > 0) this.#give(lines);
  }

  close(): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }
}
