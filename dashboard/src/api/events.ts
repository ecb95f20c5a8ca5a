// Server-sent events: as they come from an address, and as the answer of a POST, which `EventSource` cannot make.
import type { NumberedLogLine } from "./schema.ts";
import { ApiError, send, urlOf } from "./client.ts";

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

const AGAIN_MS = 1000;

/**
 * What an execution prints, as it prints it, from its first line on. After a lost connection it asks again for what comes
 * behind the last line. It does not use `EventSource`, which makes each of a hundred thousand lines a task of its own.
 *
 * @returns stops listening
 */
export function followLogs(
  executionId: string,
  on: { line: (line: NumberedLogLine) => void; end: (final: { status: string; error?: string }) => void },
): () => void {
  const url = urlOf("/api/executions/{id}/logs", { id: executionId }, { follow: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  let last = "0";
  const listen = async (): Promise<void> => {
    try {
      const response = await send(url, { signal, headers: { "Last-Event-ID": last } });
      for await (const { event, data, id } of readEvents(response)) {
        if (signal.aborted) return;
        last = id ?? last;
        if (event === "end") return on.end(JSON.parse(data) as { status: string; error?: string });
        on.line(JSON.parse(data) as NumberedLogLine);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return; // asking again changes nothing
    }
    if (!signal.aborted) window.setTimeout(() => void listen(), AGAIN_MS);
  };
  void listen();
  return () => controller.abort();
}

/** The events of a response's body. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent> {
  let rest = "";
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value = "" } = await reader.read();
      const frames = (rest + value).split(/\r?\n\r?\n/);
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const event = eventOf(frame);
        if (event !== undefined) yield event;
      }
      if (done) return;
    }
  } finally {
    await reader.cancel();
  }
}

function eventOf(frame: string): ServerEvent | undefined {
  const fields = frame
    .split(/\r?\n/)
    .filter((line) => line !== "" && !line.startsWith(":"))
    .map((line) => /^([^:]*):? ?(.*)$/.exec(line)?.slice(1) ?? []);
  const data = fields.filter(([name]) => name === "data").map(([, value = ""]) => value);
  if (data.length === 0) return undefined;
  const last = (wanted: string): string | undefined => fields.findLast(([name]) => name === wanted)?.[1];
  return { event: last("event") ?? "message", data: data.join("\n"), id: last("id") };
}
