// Runs code that is not kept, and follows it: what it prints as it prints it, then its result.
import { useEffect, useRef, useState } from "react";
import { messageOf, send } from "../../api/client.ts";
import { readEvents } from "../../api/events.ts";
import { parseKeepingDigits, pretty } from "../../components/executions/digits.ts";
import { LineBuffer, type ShownLine } from "../../components/executions/use-logs.ts";
import type { Draft } from "./draft.ts";

export type Outcome =
  | { readonly kind: "result"; readonly text: string; readonly type: string; readonly tookMs: number }
  | { readonly kind: "error"; readonly message: string; readonly line: number | undefined; readonly tookMs: number }
  | { readonly kind: "stopped" };

export interface RunState {
  readonly isRunning: boolean;
  readonly lines: readonly ShownLine[];
  readonly outcome: Outcome | undefined;
}

export interface RunNow extends RunState {
  run(draft: Draft): void;
  stop(): void;
}

interface ScriptEvent {
  readonly event: "log" | "result" | "error";
  readonly data: unknown;
  readonly type: string;
}

const ERROR_PREFIX = "stopped to run script: ";

export function useRunNow(): RunNow {
  const [state, setState] = useState<RunState>({ isRunning: false, lines: [], outcome: undefined });
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);

  async function run({ language, code, input }: Draft): Promise<void> {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    const startedMs = performance.now();
    const tookMs = (): number => performance.now() - startedMs;
    setState({ isRunning: true, lines: [], outcome: undefined });
    const buffer = new LineBuffer((fresh) =>
      setState((before) =>
        current.current === controller ? { ...before, lines: [...before.lines, ...fresh] } : before,
      ),
    );
    let n = 0;
    let outcome: Outcome | undefined;
    try {
      const response = await send("/api/run-now", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
        body: JSON.stringify({ language, code, input, stream: true }),
        signal: controller.signal,
      });
      for await (const { data } of readEvents(response)) {
        const event = parseKeepingDigits(data) as ScriptEvent;
        const text = typeof event.data === "string" ? event.data : JSON.stringify(event.data);
        if (event.event === "log") buffer.push({ n: (n += 1), text, level: "info" });
        else if (event.event === "error") outcome = failure(text, tookMs());
        else
          outcome = {
            kind: "result",
            text: typeof event.data === "string" ? text : pretty(event.data),
            type: event.type,
            tookMs: tookMs(),
          };
      }
    } catch (error) {
      outcome = controller.signal.aborted ? { kind: "stopped" } : failure(messageOf(error), tookMs());
    }
    if (current.current !== controller) return; // another run has begun
    buffer.flush();
    setState(({ lines }) => ({
      isRunning: false,
      lines,
      outcome: outcome ?? failure("the answer broke off", tookMs()),
    }));
  }

  return { ...state, run: (draft) => void run(draft), stop: () => current.current?.abort() };
}

function failure(text: string, tookMs: number): Outcome {
  const message = (text.startsWith(ERROR_PREFIX) ? text.slice(ERROR_PREFIX.length) : text).trimEnd();
  // The last place in the user's own file: Python names the innermost call last, the others first.
  const places = [...message.matchAll(/\bscript\.(\w+)"?(?::|, line )(\d+)/g)];
  const place = places[0]?.[1] === "py" ? places.at(-1) : places[0];
  return { kind: "error", message, line: place === undefined ? undefined : Number(place[2]), tookMs };
}
