// The edge: bodies too large, clients too slow, callers from elsewhere, bytes that are not HTTP.
import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

suite("the HTTP server", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer({ BODY_MAX_SIZE: "100000" });
  });
  after(() => server.dispose());

  /** Sends `text` on a bare connection; resolves with everything that comes back until the server closes it. */
  function exchange(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let answer = "";
      socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
      socket.on("close", () => resolve(answer));
      socket.on("error", (error: NodeJS.ErrnoException) =>
        error.code === "ECONNRESET" ? resolve(answer) : reject(error),
      );
    });
  }

  test("refuses a body that announces more than the limit without reading it", async () => {
    const answer = await exchange("POST /run-now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\n\r\n");

    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /connection: close/i);
    assert.match(answer, /request body too large \(max 100000 bytes, setting BODY_MAX_SIZE\)$/);
  });

  test("cuts a chunked body off at the limit and holds none of it", async () => {
    const before = (await server.system()).memoryBytes;
    const status = await new Promise<number | undefined>((resolve) => {
      const { hostname, port } = new URL(server.url);
      const sending = request({ hostname, port, path: "/run-now", method: "POST" }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sending.on("error", () => {}); // the server cuts the connection while we still send
      const piece = Buffer.alloc(64 * 1024, "x");
      let sentBytes = 0;
      const send = (): void => {
        while (sentBytes < 256 * 1024 * 1024 && !sending.destroyed) {
          sentBytes += piece.length;
          if (!sending.write(piece)) {
            sending.once("drain", send);
            return;
          }
        }
      };
      send();
      sending.on("close", () => resolve(undefined));
    });

    assert.equal(status, 413);
    assert.ok((await server.system()).memoryBytes - before < 64 * 1024 * 1024);
  });

  test("lets a client end what it sends, though it is refused, so that it can read why", async () => {
    const pieces = 6;
    const piece = "x".repeat(50_000);
    let sent = 0;
    for (let tries = 0; tries < 3 && sent < pieces; tries++) {
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      let answer = "";
      socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
      const closed = new Promise<void>((resolve) => {
        socket.on("error", () => {}).on("close", () => resolve());
      });
      socket.write(`POST /run-now HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${pieces * piece.length}\r\n\r\n`);
      // Longer in all than a client is waited for that sends nothing.
      for (sent = 0; sent < pieces && socket.writable; sent++) {
        await delay(250);
        socket.write(piece);
      }
      await closed;
      assert.match(answer, /^HTTP\/1\.1 413 /);
    }
    assert.equal(sent, pieces);
  });

  test("serves the next request after each refusal", async () => {
    assert.equal((await server.runNow({ language: "python", code: "return 1" })).status, 200);
  });

  test("refuses headers that are too large, and bytes that are not HTTP", async () => {
    assert.match(
      await exchange(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    );
    assert.match(await exchange("\u0016\u0003\u0001 rubbish\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.match(
      await exchange("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
      /^HTTP\/1\.1 400 /,
    );
  });

  test("times out a client that does not finish its headers", { timeout: 20_000 }, async () => {
    assert.match(await exchange("POST /run-now HTTP/1.1\r\nHost: loc"), /^HTTP\/1\.1 408 /);
  });

  test("refuses web pages: foreign origins and names that point at this machine", async () => {
    const { host } = new URL(server.url);
    const body = '{"language":"python","code":"return 1"}';
    const headers = `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
    assert.match(
      await exchange(`POST /run-now HTTP/1.1\r\nHost: evil.example\r\n${headers}`),
      /^HTTP\/1\.1 403 [^]*"evil\.example"/,
    );
    assert.match(
      await exchange(`POST /run-now HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://evil.example\r\n${headers}`),
      /^HTTP\/1\.1 403 /,
    );
    assert.match(
      await exchange(`POST /run-now HTTP/1.1\r\nHost: ${host}\r\nOrigin: null\r\n${headers}`),
      /^HTTP\/1\.1 403 /,
    );
    assert.match(
      await exchange(`POST /run-now HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\n${headers}`),
      /^HTTP\/1\.1 200 /,
    );
  });

  test("tells operators and machines how it is", async () => {
    assert.equal(await (await fetch(`${server.url}/healthz`)).text(), "ok");
    assert.equal(await (await fetch(`${server.url}/readyz`)).text(), "ok");
    assert.match(await (await fetch(`${server.url}/`)).text(), /^Cloche \d+\.\d+\.\d+ is running\./);
    const { name } = (await (await fetch(`${server.url}/version`)).json()) as { name: string };
    assert.equal(name, "cloche");
    const unknown = await fetch(`${server.url}/api/nope`);
    assert.equal(unknown.status, 404);
    assert.equal(((await unknown.json()) as { error: { code: string } }).error.code, "ROUTE_NOT_FOUND");
  });
});
