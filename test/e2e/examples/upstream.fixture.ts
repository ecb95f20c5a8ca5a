// A stand-in for the API of a language model, in a process of its own: the model's answers are what nobody can have in a test.
// `GET /seen` tells what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** A request as it came in here. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The client went away before the answer was whole. */
  wasLeft: boolean;
}

const PIECES = 3;
export const PIECE_INTERVAL_MS = 400;
const ANSWER = { choices: [{ message: { role: "assistant", content: "Hello." } }] };

const [, , address = "", port = ""] = process.argv;
const seen: Seen[] = [];

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "", url = "", headers } = request;
  if (url === "/seen") {
    response.end(JSON.stringify(seen));
    return;
  }
  const body = (await request.setEncoding("utf8").toArray()).join("");
  const entry: Seen = { method, url, headers, body, wasLeft: false };
  seen.push(entry);
  response.on("close", () => (entry.wasLeft = !response.writableFinished));
  const { model, stream } = body === "" ? {} : (JSON.parse(body) as { model?: string; stream?: boolean });
  if (model === "busy") {
    response.writeHead(429, { "Content-Type": "application/json", "Retry-After": "7", "Set-Cookie": "upstream=1" });
    response.end('{"error":{"message":"slow down"}}');
  } else if (stream === true) await streamPieces(response, model === "endless" ? Infinity : PIECES);
  else response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(ANSWER));
}

async function streamPieces(response: ServerResponse, pieces: number): Promise<void> {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for (let n = 0; n < pieces && !response.destroyed; n++) {
    response.write(`data: ${n}\n\n`);
    await delay(PIECE_INTERVAL_MS);
  }
  response.end("data: [DONE]\n\n");
}

if (address !== "") {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(Number(port), address, () => process.stdout.write("ready\n"));
}
