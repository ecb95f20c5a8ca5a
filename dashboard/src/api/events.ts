// Server-sent events: as they come from an address, and as the answer of a POST, which `EventSource` cannot make.
import type { NumberedLogLine } from "./schema.ts";
import { urlOf } from "./client.ts";

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/**
 * What an execution prints, as it prints it, from its first line on. The browser comes back by itself after a lost
 * connection, with the number of the last line.
 *
 * @returns stops listening
 */
export function followLogs(
  executionId: string,
  on: { line: (line: NumberedLogLine) => void; end: (final: { status: string; error?: string }) => void },
): () => void {
  const source = new EventSource(urlOf("/api/executions/{id}/logs", { id: executionId }, { follow: 1 }));
  source.addEventListener("message", ({ data }) => on.line(JSON.parse(String(data)) as NumberedLogLine));
  source.addEventListener("end", ({ data }) => {
    source.close();
    on.end(JSON.parse(String(data)) as { status: string; error?: string });
  });
  return () => source.close();
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
