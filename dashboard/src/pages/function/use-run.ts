// One run at a time of the function that is on the page, with its lines while it runs.
import { useEffect, useRef, useState } from "react";
import { call, send, urlOf } from "../../api/client.ts";
import { parseExact } from "../../api/exact-json.ts";
import { followLogs } from "../../api/events.ts";
import { type LogLine, type Result, ROUTES } from "../../api/schema.ts";

const LOOK_EVERY_MS = 250; // what runs for less is not listed before it is over
const MOST_LINES = 2000;

export type RunState =
  | { readonly phase: "idle" }
  | { readonly phase: "running"; readonly lines: readonly LogLine[] }
  | { readonly phase: "done"; readonly result: Result; readonly lines: readonly LogLine[]; readonly tookMs: number }
  | { readonly phase: "failed"; readonly error: unknown };

export interface Run {
  readonly state: RunState;
  /** @param inputJson a JSON text; its digits arrive as they are. Resolves when the run is over. */
  readonly start: (inputJson: string, version?: string) => Promise<RunState>;
  /** The server ends a run whose caller goes away. */
  readonly stop: () => void;
}

export function useRun(functionId: string): Run {
  const [state, setState] = useState<RunState>({ phase: "idle" });
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);

  async function start(inputJson: string, version?: string): Promise<RunState> {
    current.current?.abort();
    const control = new AbortController();
    current.current = control;
    const show = (next: RunState): RunState => {
      if (current.current === control) setState(next);
      return next;
    };
    show({ phase: "running", lines: [] });
    const stopFollowing = followRun(functionId, (lines) => show({ phase: "running", lines }));
    const startedAtMs = performance.now();
    try {
      const pin = version === undefined ? "" : `, "version": ${JSON.stringify(version)}`;
      const response = await send(urlOf(ROUTES.invoke[1], { id: functionId }), {
        ...{ method: "POST", headers: { "Content-Type": "application/json" }, signal: control.signal },
        body: `{"input": ${inputJson}${pin}}`,
      });
      const result = parseExact(await response.text()) as Result;
      return show({ phase: "done", result, lines: result.logs, tookMs: performance.now() - startedAtMs });
    } catch (error) {
      return show(control.signal.aborted ? { phase: "idle" } : { phase: "failed", error });
    } finally {
      stopFollowing();
    }
  }
  return { state, start, stop: () => current.current?.abort() };
}

/** Finds the run that has just been started, and gives its lines as they come. The answer has them all again. */
function followRun(functionId: string, onLines: (lines: readonly LogLine[]) => void): () => void {
  let isOver = false;
  let stopLogs: (() => void) | undefined;
  const look = async (): Promise<void> => {
    const filter = { function: functionId, status: "running", trigger: "invoke", limit: 1 } as const;
    const { items } = await call("listExecutions", { query: filter });
    const found = items[0];
    if (isOver) return;
    if (found === undefined) {
      timer = window.setTimeout(() => void look().catch(() => undefined), LOOK_EVERY_MS);
      return;
    }
    let lines: LogLine[] = [];
    let isScheduled = false;
    stopLogs = followLogs(found.id, {
      line(line) {
        if (lines.length < MOST_LINES) lines = [...lines, line];
        if (isScheduled) return;
        isScheduled = true;
        requestAnimationFrame(() => {
          isScheduled = false;
          if (!isOver) onLines(lines);
        });
      },
      end: () => undefined,
    });
  };
  let timer = window.setTimeout(() => void look().catch(() => undefined), LOOK_EVERY_MS);
  return () => {
    isOver = true;
    window.clearTimeout(timer);
    stopLogs?.();
  };
}
