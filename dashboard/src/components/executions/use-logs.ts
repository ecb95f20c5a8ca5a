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
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another function to tell is no reason to begin again
  }, [executionId]);
  return logs;
}

/** Gives lines on once a frame: a hundred thousand of them are not a hundred thousand renderings. */
export class LineBuffer {
  #waiting: ShownLine[] = [];
  #frame: number | undefined;
  readonly #give: (lines: readonly ShownLine[]) => void;

  constructor(give: (lines: readonly ShownLine[]) => void) {
    this.#give = give;
  }

  push(line: ShownLine): void {
    this.#waiting.push(line);
    this.#frame ??= window.setTimeout(() => this.flush(), 30);
  }

  flush(): void {
    const lines = this.#waiting;
    this.close();
    if (lines.length > 0) this.#give(lines);
  }

  close(): void {
    window.clearTimeout(this.#frame);
    this.#frame = undefined;
    this.#waiting = [];
  }
}
