// What is read here must be what Node's parser reads, for every head that is taken.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, suite, test } from "node:test";
import { type PlainHead, plainHead } from "./plain-head.ts";

const POST = "POST /run/hello?version=2 HTTP/1.1";
const HEAD = [POST, "Host: localhost:8080", "Content-Type: application/json", "X-Empty:", "Content-Length: 5"];
const BODY = "01234";

const TAKEN: Readonly<Record<string, readonly string[]>> = {
  "a POST with a body": HEAD,
  "a GET without one": ["GET /fn/a/b%20c;d?x=%7B%7D&y=(1)*!' HTTP/1.1", "Host: a"],
  "a body of no bytes": ["PUT / HTTP/1.1", "Host: a", "Content-Length: 0"],
  "spaces around a value": [POST, "Host:   a  ", "X-Odd:\u0020 b: c ,  d  "],
  "keep-alive, in any case": [POST, "Host: a", "CONNECTION: Keep-Alive", "content-length: 5"],
  "names that objects have": [POST, "Host: a", "constructor: x", "toString: y", "valueOf: z"],
  "what functions get": [POST, "Host: a", "Cookie: a=b; c=d", "Authorization: Bearer k", "Accept: */*", "Origin: null"],
};

const NOT_TAKEN: Readonly<Record<string, readonly string[]>> = {
  "no host": [POST],
  "two hosts": [POST, "Host: a", "Host: a"],
  "a header twice": [POST, "Host: a", "X-A: 1", "x-a: 2"],
  "two lengths": [POST, "Host: a", "Content-Length: 5", "Content-Length: 5"],
  "a list of lengths": [POST, "Host: a", "Content-Length: 5, 5"],
  "a length with a sign": [POST, "Host: a", "Content-Length: +5"],
  "a length in hex": [POST, "Host: a", "Content-Length: 0x5"],
  "no length": [POST, "Host: a", "Content-Length:"],
  "a chunked body": [POST, "Host: a", "Transfer-Encoding: chunked"],
  "a length and a coding": [POST, "Host: a", "Content-Length: 5", "Transfer-Encoding: chunked"],
  "a coding in the name of another": [POST, "Host: a", "Transfer_Encoding: chunked"],
  "a coding with a space in its name": [POST, "Host: a", "Transfer-Encoding : chunked"],
  "the end of the connection": [POST, "Host: a", "Connection: close"],
  "several words for the connection": [POST, "Host: a", "Connection: keep-alive, x-a"],
  "another word for the connection": [POST, "Host: a", "Proxy-Connection: close"],
  "another protocol": [POST, "Host: a", "Connection: Upgrade", "Upgrade: websocket"],
  "a client that waits": [POST, "Host: a", "Expect: 100-continue"],
  trailers: [POST, "Host: a", "Trailer: X-A"],
  "a cookie that servers set": [POST, "Host: a", "Set-Cookie: a=b"],
  "a folded line": [POST, "Host: a", "X-A: 1", " 2"],
  "a line without a name": [POST, "Host: a", ": 1"],
  "a line without a colon": [POST, "Host: a", "X-A"],
  "an empty line": [POST, "", "Host: a"],
  "a bare line feed": [POST, "Host: a\nX-A: 1"],
  "a bare carriage return": [POST, "Host: a\rX-A: 1"],
  NUL: [POST, "Host: a", "X-A: 1\u00002"],
  "a tab": [POST, "Host: a", "X-A:\t1"],
  "a space that is none": [POST, "Host: a", "Content-Length: 5\u00a0"],
  "Latin-1": [POST, "Host: a", "X-A: \u00e9"],
  "the name __proto__": [POST, "Host: a", "__proto__: x"],
  "HTTP/1.0": ["GET / HTTP/1.0", "Host: a"],
  "another version": ["GET / HTTP/1.2", "Host: a"],
  "a method in lower case": ["get / HTTP/1.1", "Host: a"],
  "a method that is rare": ["CONNECT a:443 HTTP/1.1", "Host: a"],
  "the address of a proxy": ["GET http://b/ HTTP/1.1", "Host: a"],
  "a path without its slash": ["GET fn HTTP/1.1", "Host: a"],
  "the star": ["OPTIONS * HTTP/1.1", "Host: a"],
  "a fragment": ["GET /#a HTTP/1.1", "Host: a"],
  "two spaces": ["GET  / HTTP/1.1", "Host: a"],
  "a path with a space": ["GET /a b HTTP/1.1", "Host: a"],
  "a path that is not ASCII": ["GET /\u00e9 HTTP/1.1", "Host: a"],
  nothing: [""],
};

suite("the head of a plain request", () => {
  let server: Server;
  let seen: Omit<PlainHead, "bodyBytes"> | undefined;
  before(async () => {
    server = createServer(({ method = "", url = "", headers, rawHeaders }, response) => {
      seen = { method, url, headers, rawHeaders };
      response.end();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  after(() => server.close());

  /** What Node's parser makes of it; undefined where it refuses. */
  async function readByNode(head: string, body: string): Promise<typeof seen> {
    seen = undefined;
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(Buffer.from(`${head}\r\n\r\n${body}`, "latin1"));
    await once(socket.resume(), "close");
    return seen;
  }

  async function checkAgainstNode(head: string, { bodyBytes, ...taken }: PlainHead): Promise<void> {
    const read = await readByNode(head, "x".repeat(bodyBytes));
    assert.deepEqual({ ...taken, headers: { ...taken.headers } }, read && { ...read, headers: { ...read.headers } });
  }

  for (const [what, lines] of Object.entries(TAKEN)) {
    test(`is taken, as Node's parser reads it: ${what}`, async () => {
      const head = plainHead(lines.join("\r\n"));
      assert.ok(head);
      await checkAgainstNode(lines.join("\r\n"), head);
    });
  }

  test("says how long the body is", () => {
    assert.equal(plainHead(HEAD.join("\r\n"))?.bodyBytes, BODY.length);
    assert.equal(plainHead("GET / HTTP/1.1\r\nHost: a")?.bodyBytes, 0);
  });

  for (const [what, lines] of Object.entries(NOT_TAKEN)) {
    test(`is left to Node's parser: ${what}`, () => assert.equal(plainHead(lines.join("\r\n")), undefined));
  }

  test("is what Node's parser reads, whatever happens to it on its way", async () => {
    const random = seeded(20_261_122);
    const pieces = ["\r", "\n", "\t", "\0", " ", ":", ";", ",", '"', "'", "\\", "#", "%", "?", "_", "\u007f", "\u00e9"];
    pieces.push("\r\n", "\r\n\r\n", "Host: b", "chunked", "Connection", "Content-Length: 5");
    let taken = 0;
    for (let round = 0; round < 3_000; round++) {
      const text = HEAD.join("\r\n");
      const at = Math.floor(random() * text.length);
      const piece = pieces[Math.floor(random() * pieces.length)] ?? "";
      const changed = text.slice(0, at) + piece + text.slice(at + Math.floor(random() * 4));
      const [first = ""] = changed.split("\r\n\r\n");
      const head = plainHead(first);
      if (head === undefined) continue;
      taken++;
      await checkAgainstNode(first, head);
    }
    assert.ok(taken > 100, `${taken} were taken`);
  });
});

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
