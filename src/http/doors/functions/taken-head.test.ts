import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { suite, test } from "node:test";
import type { HttpRequest } from "../../router.ts";
import { type TakenHead, takeHead } from "./taken-head.ts";

function requestOn(socket: Socket, rawHeaders: string[], url = "/fn/f/x?q=1", method = "POST"): HttpRequest {
  const headers = { "x-request-id": rawHeaders[rawHeaders.indexOf("X-Request-Id") + 1] };
  const message = { socket, rawHeaders, headers, url, method } as object as IncomingMessage;
  const [path = "", query = ""] = url.split("?");
  return { message, path, query };
}

function taken(socket: Socket, rawHeaders: string[]): TakenHead {
  return takeHead(requestOn(socket, rawHeaders), "/x", false);
}

suite("the head that a function gets", () => {
  test("has names in lower case, and nothing of the connection or of the dashboard's session", () => {
    const { headers } = taken(new Socket(), ["Host", "h", "TE", "x", "X-A", "1", "Cookie", "cloche_session=s; a=b"]);

    assert.deepEqual(headers, [
      ["host", "h"],
      ["x-a", "1"],
      ["cookie", "a=b"],
    ]);
  });

  test("is there as JSON text, too", () => {
    const { json, kept, ...head } = taken(new Socket(), ["X-Request-Id", "r", "X-A", 'grüße "1"']);

    assert.deepEqual(JSON.parse(`{${json}}`), JSON.parse(JSON.stringify(head)));
    assert.equal(head.requestId, "r");
    assert.deepEqual(JSON.parse(`${kept.begin}}`), {
      method: "POST",
      path: "/fn/f/x",
      relativePath: "/x",
      query: "q=1",
    });
  });

  test("is kept masked", () => {
    const request = requestOn(new Socket(), ["Content-Type", "Text/Plain", "X-Api-Key", "k"], "/fn/f?token=t&a=1");
    const { kept } = takeHead(request, "/", false);

    assert.equal(kept.contentType, "text/plain");
    assert.deepEqual(JSON.parse(kept.headersJson), { "content-type": "Text/Plain", "x-api-key": "***" });
    assert.equal((JSON.parse(`${kept.begin}}`) as { query: string }).query, "token=***&a=1");
  });

  test("is read once for a connection that sends the same one again", () => {
    const socket = new Socket();
    const first = taken(socket, ["Host", "h", "X-A", "1"]);

    assert.equal(taken(socket, ["Host", "h", "X-A", "1"]), first);
    assert.notEqual(taken(new Socket(), ["Host", "h", "X-A", "1"]), first);
  });

  test("is that of the request, whatever came on the connection before", () => {
    const socket = new Socket();
    const sent = [
      ["Host", "h", "X-A", "1"],
      ["Host", "h", "X-A", "2"],
      ["Host", "h", "X-A", "2", "X-B", "3"],
      ["Host", "h"],
      ["Host", "h", "x-a", "2"],
    ];
    const got = sent.map((raw) => taken(socket, raw).headers.flat());

    assert.deepEqual(
      got,
      sent.map((raw) => raw.map((text) => text.toLowerCase())),
    );
  });

  test("is another one for another path, query, method, or function of a longer name", () => {
    const socket = new Socket();
    const asked = [
      ["/fn/f/x?q=1", "POST", "/x"],
      ["/fn/f/x?q=2", "POST", "/x"],
      ["/fn/f/y?q=2", "POST", "/y"],
      ["/fn/f/y?q=2", "PUT", "/y"],
      ["/fn/f/y?q=2", "PUT", "/"],
    ] as const;
    const got = asked.map(([url, method, relativePath]) => {
      const head = takeHead(requestOn(socket, ["Host", "h"], url, method), relativePath, false);
      return [`${head.path}?${head.query}`, head.method, head.relativePath];
    });

    assert.deepEqual(got, asked);
  });

  test("hides a key from the moment on at which it is one of ours", () => {
    const request = requestOn(new Socket(), ["Authorization", "Bearer k"]);
    const of = (hideKey: boolean): number => takeHead(request, "/", hideKey).headers.length;

    assert.deepEqual([of(false), of(true), of(false)], [1, 0, 1]);
  });

  test("is not remembered where it is long", () => {
    const socket = new Socket();
    const of = () => taken(socket, ["X-A", "x".repeat(3_000)]);

    assert.notEqual(of(), of());
  });
});
