import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";

/** Ports of loopback, for programs that cannot tell which one they took; each different, free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  return await Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      server.close();
      await once(server, "close");
      assert.ok(address !== null && typeof address !== "string");
      return address.port;
    }),
  );
}
