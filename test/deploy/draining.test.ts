// How a server with DRAIN_SECONDS stops: what load balancers build on.
import assert from "node:assert/strict";
import { Agent, type IncomingMessage, request } from "node:http";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startServer } from "../server-under-test.ts";

const DRAIN_MS = 3_000;
const LIMIT_MS = 30_000;

test("a server that is told to stop takes requests for DRAIN_SECONDS, and says at /readyz that it goes", async (t) => {
  const server = await startServer({ DRAIN_SECONDS: String(DRAIN_MS / 1000) });
  t.after(() => server.dispose());
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const get = async (path: string): Promise<{ status: number; connection: string }> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request(server.url + path, { agent }, resolve)
      .on("error", reject)
      .end();
    const response = await promise;
    response.resume();
    return { status: response.statusCode ?? 0, connection: response.headers.connection ?? "" };
  };
  assert.deepEqual(await get("/readyz"), { status: 200, connection: "keep-alive" });

  const toldAtMs = performance.now();
  server.process.kill("SIGTERM");
  const giveUpAtMs = Date.now() + LIMIT_MS;
  while ((await get("/readyz")).status !== 503) {
    assert.ok(Date.now() < giveUpAtMs);
    await delay(10);
  }
  assert.deepEqual(await get("/healthz"), { status: 200, connection: "close" }, "it lives, and ends its connections");
  assert.deepEqual((await server.runNow({ language: "javascript", code: "return 'still'" })).json, {
    ...{ data: "still", type: "string" },
  });
  assert.equal((await server.exited).code, 0);
  assert.ok(performance.now() - toldAtMs >= DRAIN_MS);
});
