import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { afterEach, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FastPath } from "./fast-path.ts";
import { WholeMessage } from "./whole-message.ts";

const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const REST_MS = 300;
const MAX_HEADER_BYTES = 16 * 1024;

suite("the fast path", () => {
  let server: Server;
  let fastPath: FastPath;
  let clients: Socket[] = [];
  /** True for each request that came on the fast path. */
  let wasFast: boolean[] = [];

  async function serve(answer: RequestListener): Promise<void> {
    server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (message, response) => {
      wasFast.push(message instanceof WholeMessage);
      answer(message, response);
    });
    const limits = { keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS, restMs: REST_MS, maxHeaderBytes: MAX_HEADER_BYTES };
    fastPath = new FastPath(server, limits);
    await once(server.listen(0, "127.0.0.1"), "listening");
  }

  afterEach(async () => {
    for (const socket of clients) socket.destroy();
    clients = [];
    wasFast = [];
    const closed = once(server, "close");
    server.close();
    fastPath.closeIdleConnections();
    await closed;
  });

  async function connected(): Promise<Client> {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    clients.push(socket);
    await once(socket, "connect");
    return new Client(socket);
  }

  /** Answers with what was asked. */
  const echo: RequestListener = (message, response) => {
    void textOf(message).then((body) => response.end(`${message.method} ${message.url} ${body}`));
  };

  test("answers one request of a connection after the other", async () => {
    await serve(echo);
    const client = await connected();
    for (const [path, body] of Object.entries({ "/a": "x", "/b": "", "/a?q=1": "äöü", "/c": "y".repeat(20_000) })) {
      client.send(post(path, body));
      assert.equal(await client.body(), `POST ${path} ${body}`);
    }
    assert.deepEqual(wasFast, [true, true, true, true]);
  });

  test("tells clients how long a connection may rest, as Node's server does", async () => {
    await serve(echo);
    const client = await connected();
    client.send(post("/a", "x"));
    const head = await client.head();
    assert.match(head, /^Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 9$/m);
    assert.match(head, /^Date: /m);
  });

  for (const at of [1, 30, 50, -1]) {
    test(`hands a request over that comes in pieces, cut at ${at}, and all that follow`, async () => {
      await serve(echo);
      const client = await connected();
      client.send(post("/a", "whole"));
      assert.equal(await client.body(), "POST /a whole");
      const request = post("/b", "in pieces");
      client.send(request.slice(0, at));
      await delay(20);
      client.send(request.slice(at));
      assert.equal(await client.body(), "POST /b in pieces");
      client.send(post("/c", "whole"));
      assert.equal(await client.body(), "POST /c whole");
      assert.deepEqual(wasFast, [true, false, false]);
    });
  }

  test("hands a large body over, none of which is lost", async () => {
    await serve(echo);
    const client = await connected();
    const body = Array.from({ length: 100_000 }, (_, at) => `${at}\n`).join("");
    client.send(post("/a", body));
    assert.equal(await client.body(), `POST /a ${body}`);
    assert.deepEqual(wasFast, [false]);
  });

  test("hands several requests over that come at once; they are answered in their order", async () => {
    await serve(echo);
    const client = await connected();
    client.send(post("/a", "1") + post("/b", "2") + post("/c", "3"));
    for (const body of ["POST /a 1", "POST /b 2", "POST /c 3"]) assert.equal(await client.body(), body);
    assert.deepEqual(wasFast, [false, false, false]);
  });

  for (const whole of [true, false]) {
    test(`lets a request wait that comes before the last answer, ${whole ? "whole" : "in pieces"}`, async () => {
      let running = 0;
      await serve((message, response) => {
        assert.equal(++running, 1);
        setTimeout(() => {
          running--;
          echo(message, response);
        }, 100);
      });
      const client = await connected();
      client.send(post("/a", "1"));
      await delay(30);
      const second = post("/b", "2");
      client.send(whole ? second : second.slice(0, -1));
      await delay(30);
      if (!whole) client.send(second.slice(-1));
      assert.equal(await client.body(), "POST /a 1");
      assert.equal(await client.body(), "POST /b 2");
      assert.deepEqual(wasFast, [true, whole]);
    });
  }

  test("leaves what is unusual to Node's server, which answers it", async () => {
    await serve(echo);
    for (const [request, expected] of [
      ["GET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(MAX_HEADER_BYTES)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
      ["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 200 [^]*Connection: close/],
      ["GET / HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 200 /],
      [
        "POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        /POST \/a x$/,
      ],
    ] as const) {
      const client = await connected();
      client.send(request);
      assert.match(await textOf(client.socket), expected);
    }
  });

  test("sends no body where there can be none", async () => {
    await serve(({ url }, response) => {
      response.statusCode = url === "/none" ? 204 : 200;
      response.end("body");
    });
    const client = await connected();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(await client.head(), /^HTTP\/1\.1 200 /);
    client.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(await client.head(), /^HTTP\/1\.1 204 /);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.equal(await client.body(), "body");
  });

  test("streams an answer as fast as the client reads it", async () => {
    const piece = "x".repeat(64 * 1024);
    const pieces = 100;
    let drains = 0;
    await serve((_message, response) => {
      response.setHeader("Content-Length", piece.length * pieces);
      let sent = 0;
      const send = (): void => {
        while (sent < pieces) {
          sent++;
          if (!response.write(piece)) {
            response.once("drain", send);
            drains++;
            return;
          }
        }
        response.end();
      };
      send();
    });
    const client = await connected();
    for (let round = 0; round < 2; round++) {
      client.send(post("/a", "x"));
      assert.equal((await client.body()).length, piece.length * pieces);
    }
    assert.ok(drains > 0);
    assert.deepEqual(wasFast, [true, true]);
  });

  test("lets request and response hear that the client has gone", async () => {
    const [messageClosed, responseClosed] = [Promise.withResolvers<undefined>(), Promise.withResolvers<boolean>()];
    await serve((message, response) => {
      message.on("close", () => messageClosed.resolve(undefined));
      response.on("close", () => responseClosed.resolve(response.writableFinished));
    });
    const client = await connected();
    client.send(post("/a", "x"));
    await delay(30);
    client.socket.destroy();
    await messageClosed.promise;
    assert.equal(await responseClosed.promise, false);
  });

  test("closes a connection that rests too long, and none that waits for its answer", async () => {
    await serve((message, response) => {
      if (message.url === "/slow") void delay(3 * REST_MS).then(() => response.end("slow"));
      else response.end("quick");
    });
    const client = await connected();
    client.send(post("/slow", ""));
    assert.equal(await client.body(), "slow");
    client.send(post("/quick", ""));
    assert.equal(await client.body(), "quick");
    const since = performance.now();
    await once(client.socket, "close");
    assert.ok(performance.now() - since > REST_MS / 2);
  });

  test("closes idle connections, not one that is being answered, nor one that has just come", async () => {
    const go = Promise.withResolvers<undefined>();
    await serve((message, response) => {
      if (message.url === "/wait") void go.promise.then(() => response.end("waited"));
      else response.end();
    });
    const [idle, busy, fresh] = [await connected(), await connected(), await connected()];
    idle.send(post("/", ""));
    await idle.head();
    busy.send(post("/wait", ""));
    await delay(30);
    const idleIsClosed = once(idle.socket, "close");
    fastPath.closeIdleConnections();
    await idleIsClosed;
    go.resolve(undefined);
    assert.equal(await busy.body(), "waited");
    fresh.send(post("/", ""));
    assert.match(await fresh.head(), /^HTTP\/1\.1 200 /);
  });

  test("ends the connection after an answer that says so", async () => {
    await serve((_message, response) => {
      response.shouldKeepAlive = false;
      response.end("last");
    });
    const client = await connected();
    client.send(post("/a", "x"));
    assert.match(await textOf(client.socket), /Connection: close[^]*last$/);
  });
});

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** A bare connection, whose answers are read one by one. */
class Client {
  readonly socket: Socket;
  #received = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => (this.#received = Buffer.concat([this.#received, bytes])));
  }

  send(text: string): void {
    this.socket.write(text);
  }

  async head(): Promise<string> {
    return (await this.#take(async () => (await this.#until(() => this.#received.indexOf("\r\n\r\n"))) + 4)).toString();
  }

  async body(): Promise<string> {
    const lengthBytes = Number(/^Content-Length: (\d+)/m.exec(await this.head())?.[1]);
    return (
      await this.#take(() => this.#until(() => (this.#received.length < lengthBytes ? -1 : lengthBytes)))
    ).toString();
  }

  async #until(find: () => number): Promise<number> {
    while (find() < 0) await once(this.socket, "data");
    return find();
  }

  async #take(find: () => Promise<number>): Promise<Buffer> {
    const bytes = await find();
    const taken = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return taken;
  }
}
