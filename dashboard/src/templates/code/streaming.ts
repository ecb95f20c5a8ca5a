// The time as server-sent events, one each half second: new EventSource("/fn/NAME") listens.
import { setTimeout as delay } from "node:timers/promises";

export default (): Response =>
  new Response(ReadableStream.from(clock(5)), { headers: { "Content-Type": "text/event-stream" } });

async function* clock(ticks: number): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let tick = 1; tick <= ticks; tick++) {
    yield encoder.encode(`id: ${tick}\ndata: ${new Date().toISOString()}\n\n`);
    if (tick < ticks) await delay(500);
  }
}
