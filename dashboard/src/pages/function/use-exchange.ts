// Sends a request to a function's own address, as anybody would, and gives the answer as it comes; or has the management API
// send it, now or later.
import { useEffect, useRef, useState } from "react";
import { send as sendToApi, urlOf } from "../../api/client.ts";
import { type Accepted, type Operations, type Result, ROUTES } from "../../api/schema.ts";
import type { Pair } from "./test-request.ts";

const MOST_SHOWN_BYTES = 2 * 1024 * 1024;

export interface Exchange {
  readonly phase: "idle" | "waiting" | "streaming" | "done" | "failed" | "accepted";
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: readonly Pair[];
  readonly body?: string;
  readonly executionId?: string | undefined;
  readonly contentType?: string;
  readonly tookMs?: number;
  readonly error?: unknown;
  /** Of what was accepted. */
  readonly jobId?: string;
}

type Described = Operations["invoke"]["body"]["request"];

export function useExchange(): {
  exchange: Exchange;
  send: (url: string, init: RequestInit) => Promise<void>;
  /** @param isLater true: as a job */
  sendDescribed: (functionId: string, request: Promise<Described>, isLater: boolean) => Promise<void>;
  stop: () => void;
} {
  const [exchange, setExchange] = useState<Exchange>({ phase: "idle" });
  const control = useRef<AbortController>(undefined);
  useEffect(() => () => control.current?.abort(), []);

  /** What is under way is over; what `act` shows is shown until the next one begins. */
  async function begin(act: (show: (part: Exchange) => void, signal: AbortSignal) => Promise<void>): Promise<void> {
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
      await act(show, own.signal);
    } catch (error) {
      show(own.signal.aborted ? { phase: "done" } : { phase: "failed", error });
    }
  }

  async function send(url: string, init: RequestInit): Promise<void> {
    await begin(async (show, signal) => {
      const response = await fetch(url, { ...init, signal, redirect: "follow", cache: "no-store" });
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
    });
  }

  async function sendDescribed(functionId: string, request: Promise<Described>, isLater: boolean): Promise<void> {
    await begin(async (show, signal) => {
      const response = await sendToApi(urlOf(ROUTES.invoke[1], { id: functionId }), {
        ...{ method: "POST", signal, body: JSON.stringify({ request: await request }) },
        headers: { "Content-Type": "application/json", ...(isLater ? { Prefer: "respond-async" } : {}) },
      });
      const answer = (await response.json()) as Result | Accepted;
      show("jobId" in answer ? { phase: "accepted", jobId: answer.jobId } : exchangeOf(answer));
    });
  }
  return { exchange, send, sendDescribed, stop: () => control.current?.abort() };
}

/** As if the page had sent it itself. */
function exchangeOf({ executionId, response, error }: Result): Exchange {
  if (response === undefined) return { phase: "failed", executionId, error: new Error(error?.message) };
  const { statusCode, headers, body, isBase64Encoded } = response;
  const contentType = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  return {
    ...{ phase: "done", status: statusCode, statusText: "", headers, contentType, executionId },
    body: isBase64Encoded ? new TextDecoder().decode(Uint8Array.from(atob(body), (char) => char.charCodeAt(0))) : body,
  };
}
