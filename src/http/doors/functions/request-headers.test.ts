import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { suite, test } from "node:test";
import { headersFor } from "./request-headers.ts";

function requestOn(socket: Socket, ...rawHeaders: string[]): IncomingMessage {
  return { socket, rawHeaders } as IncomingMessage;
}

suite("the headers that a function gets", () => {
  test("have names in lower case, and nothing of the connection or of the dashboard's session", () => {
    const request = requestOn(new Socket(), "Host", "h", "TE", "x", "X-A", "1", "Cookie", "cloche_session=s; a=b");
    const { list, json } = headersFor(request, false);

    const expected = [
      ["host", "h"],
      ["x-a", "1"],
      ["cookie", "a=b"],
    ];
    assert.deepEqual([list, JSON.parse(json)], [expected, expected]);
  });

  test("are kept masked", () => {
    const { kept } = headersFor(requestOn(new Socket(), "Content-Type", "Text/Plain", "X-Api-Key", "k"), false);

    assert.equal(kept.contentType, "text/plain");
    assert.deepEqual(JSON.parse(kept.json), { "content-type": "Text/Plain", "x-api-key": "***" });
  });

  test("are read once for a connection that sends the same ones again", () => {
    const socket = new Socket();
    const first = headersFor(requestOn(socket, "Host", "h", "X-A", "1"), false);

    assert.equal(headersFor(requestOn(socket, "Host", "h", "X-A", "1"), false), first);
    assert.notEqual(headersFor(requestOn(new Socket(), "Host", "h", "X-A", "1"), false), first);
  });

  test("are those of the request, whatever came on the connection before", () => {
    const socket = new Socket();
    const sent = [
      ["Host", "h", "X-A", "1"],
      ["Host", "h", "X-A", "2"],
      ["Host", "h", "X-A", "2", "X-B", "3"],
      ["Host", "h"],
      ["Host", "h", "x-a", "2"],
    ];
    const got = sent.map((raw) => headersFor(requestOn(socket, ...raw), false).list.flat());

    assert.deepEqual(
      got,
      sent.map((raw) => raw.map((text) => text.toLowerCase())),
    );
  });

  test("hide a key from the moment on at which it is one of ours", () => {
    const socket = new Socket();
    const of = (hideKey: boolean): string => headersFor(requestOn(socket, "Authorization", "Bearer k"), hideKey).json;

    assert.deepEqual(
      [of(false), of(true), of(false)],
      ['[["authorization","Bearer k"]]', "[]", '[["authorization","Bearer k"]]'],
    );
  });

  test("are not remembered where they are long", () => {
    const socket = new Socket();
    const of = () => headersFor(requestOn(socket, "X-A", "x".repeat(3_000)), false);

    assert.notEqual(of(), of());
  });
});
