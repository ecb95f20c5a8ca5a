import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

const PIECE = Buffer.alloc(1024 * 1024, "x");

/** Posts that many bytes, a multiple of 1 MiB, and counts those that come back while they are still being sent. */
export async function sendThrough(url: string, bytes: number): Promise<number> {
  const outgoing = request(url, { method: "POST", headers: { "Content-Length": bytes } });
  const sending = (async () => {
    for (let sent = 0; sent < bytes; sent += PIECE.length) if (!outgoing.write(PIECE)) await once(outgoing, "drain");
    outgoing.end();
  })();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let received = 0;
  for await (const chunk of response) received += (chunk as Buffer).length;
  await sending;
  return received;
}
