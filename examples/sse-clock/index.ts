// The time as server-sent events. A page listens with `new EventSource("/fn/sse-clock")`.
import { setTimeout as delay } from "node:timers/promises";
import type { HttpEvent, HttpResult } from "cloche";

const MOST_TICKS = 20;
const SHORTEST_INTERVAL_MS = 10;

export const handler = (event: HttpEvent): HttpResult => {
  const { ticks = "5", intervalMs = "1000" } = event.queryStringParameters ?? {};
  // A client that lost the connection says what it saw last, and goes on from there.
  const first = Number(event.headers["last-event-id"] ?? 0) + 1;
  return {
    headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" },
    body: clock(first, Math.min(Number(ticks), MOST_TICKS), Math.max(Number(intervalMs), SHORTEST_INTERVAL_MS)),
  };
};

async function* clock(first: number, ticks: number, intervalMs: number): AsyncGenerator<string> {
  for (let id = first; id < first + ticks; id++) {
    if (id > first) await delay(intervalMs);
    yield `id: ${id}\ndata: ${new Date().toISOString()}\n\n`;
  }
}
