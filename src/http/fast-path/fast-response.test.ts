import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FastPath } from "./fast-path.ts";
import { FastResponse } from "./fast-response.ts";

const DATED = ["date", "Thu, 01 Jan 1970 00:00:00 GMT"]; // two answers could be made in two seconds

suite("a whole answer", () => {
  let server: Server;
  let fastPath: FastPath;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  async function serve(answer: RequestListener): Promise<void> {
    server = createServer(answer);
    fastPath = new FastPath(server, { keepAliveTimeoutMs: 5_000, restMs: 10_000, maxHeaderBytes: 16 * 1024 });
    await once(server.listen(0, "127.0.0.1"), "listening");
  }

  afterEach(async () => {
    agent.destroy();
    const closed = once(server, "close");
    server.close();
    fastPath.closeIdleConnections();
    await closed;
  });

  async function ask(path: string, method = "GET"): Promise<{ message: IncomingMessage; body: Buffer }> {
    const { port } = server.address() as AddressInfo;
    const request = get({ host: "127.0.0.1", port, path, method, agent });
    const [message] = (await once(request, "response")) as [IncomingMessage];
    return { message, body: await buffer(message) };
  }

  for (const [what, fields, body] of [
    ["text", [...DATED, "Content-Type", "text/plain", "X-A", "b: c"], "é€ and more"],
    ["bytes, and a header in Latin-1", [...DATED, "X-A", "é"], Buffer.from([0, 255, 233, 13, 10, 13, 10])],
    ["many bytes", DATED, Buffer.alloc(3_000_000, "xyz")],
    ["much text", DATED, "é".repeat(1_000_000)],
    ["nothing", DATED, ""],
  ] as const) {
    test(`is what Node would send: ${what}`, async () => {
      await serve(({ url }, response) => {
        if (url === "/node") response.writeHead(418, [...fields, "Content-Length", Buffer.byteLength(body)]).end(body);
        else assert.ok(response instanceof FastResponse && response.sendWhole(418, fields, body));
      });
      const [ours, nodes] = [await ask("/"), await ask("/node")];
      assert.equal(ours.message.statusCode, nodes.message.statusCode);
      assert.equal(ours.message.statusMessage, nodes.message.statusMessage);
      assert.deepEqual(ours.message.headers, nodes.message.headers);
      assert.deepEqual(ours.body, nodes.body);
    });
  }

  test("has a date of its own", async () => {
    await serve((_message, response) => void (response as FastResponse).sendWhole(200, [], "x"));
    const { message } = await ask("/");
    assert.ok(Math.abs(Date.parse(message.headers.date ?? "") - Date.now()) < 3_000);
  });

  test("is left to Node where it has no body, ends the connection, or has been begun", async () => {
    const refused: boolean[] = [];
    await serve((message, response) => {
      if (message.url === "/last") response.shouldKeepAlive = false;
      if (message.url === "/begun") response.setHeader("X-A", "b");
      const status = message.url === "/none" ? 204 : 200;
      refused.push(!(response as FastResponse).sendWhole(status, ["X-C", "d"], "body"));
      response.writeHead(status, ["X-C", "d"]).end("body");
    });
    for (const [path, method] of [
      ["/", "HEAD"],
      ["/none", "GET"],
      ["/begun", "GET"],
      ["/last", "GET"],
    ] as const) {
      const { message } = await ask(path, method);
      assert.equal(message.headers["x-c"], "d");
    }
    assert.deepEqual(refused, [true, true, true, true]);
  });

  test("is not followed by another one", async () => {
    await serve((_message, response) => {
      assert.ok((response as FastResponse).sendWhole(200, [], "first"));
      assert.ok(response.destroyed);
    });
    assert.equal((await ask("/")).body.toString(), "first");
    assert.equal((await ask("/")).body.toString(), "first");
  });

  test("waits for a client that reads slowly: its next request is not read before", async () => {
    let answered = 0;
    await serve((_message, response) => {
      answered++;
      assert.ok((response as FastResponse).sendWhole(200, [], Buffer.alloc(64_000_000)));
    });
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    socket.pause().write(request);
    await once(server, "request");
    socket.write(request);
    await delay(100);
    assert.equal(answered, 1);
    socket.destroy();
  });
});
