import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { PlatformError } from "../core/errors.ts";
import { readBody } from "./body.ts";

const LIMIT_BYTES = 10;

let server: Server;
let read: Promise<string>;
let reading: () => void;

before(async () => {
  server = createServer((message, response) => {
    read = readBody(message, LIMIT_BYTES);
    reading();
    read.then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(error instanceof PlatformError ? error.code : "?"),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
});
after(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends `chunks` one by one, of `announced` bytes or, where that is undefined, of unknown length. */
async function post(chunks: readonly Uint8Array[], announced?: number): Promise<string> {
  const sent = request({
    port: (server.address() as AddressInfo).port,
    method: "POST",
    headers: announced === undefined ? {} : { "Content-Length": announced },
    agent: false,
  });
  sent.on("error", () => {});
  const began = new Promise<void>((resolve) => (reading = resolve));
  sent.flushHeaders();
  for (const chunk of chunks) sent.write(chunk);
  sent.end();
  await began;
  return await read;
}

test("a body is read whole, also where a character is cut in two", async () => {
  const [euro] = [Buffer.from("€€")];

  assert.equal(await post([euro.subarray(0, 2), euro.subarray(2)]), "€€");
  assert.equal(await post([Buffer.from("0123456789")], 10), "0123456789");
  assert.equal(await post([]), "");
});

test("a body that announces too much is refused", async () => {
  await assert.rejects(post([Buffer.alloc(11)], 11), {
    code: "BODY_TOO_LARGE",
    message: "request body too large (max 10 bytes, setting BODY_MAX_SIZE)",
  });
});

test("a body that announces nothing is refused when it is too large", async () => {
  await assert.rejects(post([Buffer.alloc(6), Buffer.alloc(6)]), { code: "BODY_TOO_LARGE" });
});

test("a body that ends half way is refused", async () => {
  const sent = request({
    port: (server.address() as AddressInfo).port,
    method: "POST",
    headers: { "Content-Length": 8 },
    agent: false,
  });
  sent.on("error", () => {});
  const began = new Promise<void>((resolve) => (reading = resolve));
  sent.write("abc");
  await began;
  sent.destroy();

  await assert.rejects(read, { code: "INVALID_REQUEST", message: "the request ended before its body did" });
});
