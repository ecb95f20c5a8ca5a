// Single requests over kept-alive connections, timed from the first byte out to the last byte in.
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
  readonly ms: number;
}

const agent = new Agent({ keepAlive: true });

export function post(url: string, body: unknown, more: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text), ...more };
    const outgoing = request(url, { method: "POST", agent, headers }, (response) => {
      let received = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (received += chunk));
      response.on("error", reject).on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          text: received,
          retryAfter: response.headers["retry-after"],
          ms: performance.now() - startedMs,
        }),
      );
    });
    outgoing.on("error", reject).end(text);
  });
}

/** The same, for answers that must be good. */
export async function postOk(url: string, body: unknown): Promise<Reply> {
  const reply = await post(url, body);
  if (reply.status !== 200) throw new Error(`${url} answered ${reply.status}: ${reply.text}`);
  return reply;
}

/** Calls `one` at a steady pace, never two at a time; returns what it gave. */
export async function paced<T>(count: number, perSecond: number, one: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const firstMs = performance.now();
  for (let number = 0; number < count; number++) {
    const waitMs = firstMs + (number * 1000) / perSecond - performance.now();
    if (waitMs > 0) await delay(waitMs);
    results.push(await one());
  }
  return results;
}
