// Sends a request to a function's own address, as anybody would, and gives the answer as it comes.
import { useEffect, useRef, useState } from "react";
import type { Pair } from "./test-request.ts";

const MOST_SHOWN_BYTES = 2 * 1024 * 1024;

export interface Exchange {
  readonly phase: "idle" | "waiting" | "streaming" | "done" | "failed";
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: readonly Pair[];
  readonly body?: string;
  readonly executionId?: string | undefined;
  readonly contentType?: string;
  readonly tookMs?: number;
  readonly error?: unknown;
}

export function useExchange(): {
  exchange: Exchange;
  send: (url: string, init: RequestInit) => Promise<void>;
  stop: () => void;
} {
  const [exchange, setExchange] = useState<Exchange>({ phase: "idle" });
  const control = useRef<AbortController>(undefined);
  useEffect(() => () => control.current?.abort(), []);

  async function send(url: string, init: RequestInit): Promise<void> {
    control.current?.abort();
    const own = new AbortController();
    control.current = own;
    const startedAtMs = performance.now();
    let now: Exchange = { phase: "waiting" };
    const show = (part: Exchange): void => {
      now = { ...now, ...part, tookMs: performance.now() - startedAtMs };
      if (control.current === own) setExchange(now);
    };
    setExchange(now);
    try {
      const response = await fetch(url, { ...init, signal: own.signal, redirect: "follow", cache: "no-store" });
      const { status, statusText, headers } = response;
      const contentType = headers.get("content-type") ?? "";
      const executionId = headers.get("x-execution-id") ?? undefined;
      show({
        ...{ phase: "streaming", status, statusText, contentType, executionId, body: "" },
        headers: [...headers],
      });
      let body = "";
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done) break;
        if (body.length < MOST_SHOWN_BYTES) body += value;
        show({ phase: "streaming", body });
      }
      show({ phase: "done", body });
    } catch (error) {
      show(own.signal.aborted ? { phase: "done" } : { phase: "failed", error });
    }
  }
  return { exchange, send, stop: () => control.current?.abort() };
}
