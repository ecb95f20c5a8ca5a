import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that Linux gives to connections and to whoever asks for any: what is free here stays so until it is taken. */
const FROM = 10_000;
const TO = 32_000;

/** Ports of loopback, for programs that cannot tell which one they took; each different, free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
