import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type CgiHead, CgiHeadReader } from "./cgi-head.ts";

const PLAIN = ["content-type", "text/plain; charset=utf-8"];

/** What `pieces` begin with, and after how many of them that was clear. */
function read(...pieces: readonly (string | Buffer)[]): { head: CgiHead | undefined; after: number } {
  const reader = new CgiHeadReader();
  for (const [index, piece] of pieces.entries()) {
    const head = reader.push(Buffer.from(piece), index === pieces.length - 1);
    if (head !== undefined) return { head, after: index + 1 };
  }
  return { head: undefined, after: pieces.length };
}

function told(...pieces: readonly (string | Buffer)[]): unknown[] {
  const { head } = read(...pieces);
  return [head?.status, head?.headers, head?.body.toString()];
}

test("a header block ends with an empty line, and the rest is the body", () => {
  assert.deepEqual(told("Status: 404 Not Found\r\nX-A:  b \r\nContent-Type: a/b\r\n\r\nbody\n\nmore"), [
    404,
    [
      ["X-A", "b"],
      ["Content-Type", "a/b"],
    ],
    "body\n\nmore",
  ]);
  assert.deepEqual(told("Content-Type: a/b\n\n"), [200, [["Content-Type", "a/b"]], ""]);
  assert.deepEqual(told("Status: 201\n\nmade"), [201, [PLAIN], "made"]);
  assert.deepEqual(told("Status: 204\n\n"), [204, [], ""]);
});

test("a location without a status is a redirect", () => {
  assert.deepEqual(told("Location: /there\n\n"), [302, [["Location", "/there"]], ""]);
  assert.deepEqual(told("location: /x\nstatus: 201\n\n"), [201, [["location", "/x"]], ""]);
});

for (const [what, output] of [
  ["plain text", "hello\n\nworld"],
  ["text that looks like a header", "Note: this is text\n\nmore"],
  ["a status that is none", "Status: fine\n\nx"],
  ["a line in the block that is no header", "Content-Type: a/b\nnot a header\n\nx"],
  ["a name with a space", "Content Type: a/b\n\nx"],
  ["a line that goes on", "Content-Type: a/b\n charset=x\n\nx"],
  ["a block without an end", "Content-Type: a/b\nX: y\n"],
  ["a block that is too long", `Content-Type: a/b\n${"X: y\n".repeat(8_000)}\nx`],
  ["an empty line first", "\nContent-Type: a/b\n\nx"],
  ["JSON", '{"Status": 200}\n\n'],
  ["nothing but a word", "Status"],
] as const) {
  test(`${what} is a body`, () => {
    assert.deepEqual(told(output), [200, [PLAIN], output]);
  });
}

test("a body that is no text, or has a zero, is bytes; a character that is cut off is no harm", () => {
  assert.deepEqual(read(Buffer.from([0xff, 0xfe])).head?.headers, [["content-type", "application/octet-stream"]]);
  assert.deepEqual(read("a\0b").head?.headers, [["content-type", "application/octet-stream"]]);
  assert.deepEqual(read(Buffer.from([0x61, 0x20, 0xe2, 0x82])).head?.headers, [PLAIN]);
  assert.deepEqual(told(""), [200, [], ""]);
});

test("it is clear as soon as it can be", () => {
  assert.equal(read("hello world", "", "").after, 1, "a space stands in no name");
  assert.equal(read("{", "", "").after, 1);
  assert.equal(read("hello", " world", "").after, 2);
  assert.equal(read("Content-Type: a", "/b\n", "\n", "x").after, 3);
});

test("where the output is cut changes nothing but what has come of the body", () => {
  const lines = fc.array(fc.constantFrom("Status: 200", "X: y", "Content-Type: a/b", "text", "", "\r", "Location: z"));
  fc.assert(
    fc.property(lines, fc.array(fc.nat(80)), (given, cuts) => {
      const output = Buffer.from(given.map((line) => `${line}\n`).join(""));
      const whole = read(output).head;
      const at = [0, ...cuts.map((cut) => Math.min(cut, output.length)).toSorted((a, b) => a - b), output.length];
      const pieces = at.slice(1).map((end, index) => output.subarray(at[index], end));
      const reader = new CgiHeadReader();
      const rest: Buffer[] = [];
      let head: CgiHead | undefined;
      for (const [index, piece] of pieces.entries()) {
        if (head !== undefined) rest.push(piece);
        else head = reader.push(piece, index === pieces.length - 1);
      }
      assert.equal(head?.status, whole?.status);
      assert.deepEqual(Buffer.concat([head?.body ?? Buffer.alloc(0), ...rest]), whole?.body);
      const named = (one: CgiHead | undefined): unknown => one?.headers.filter(([name]) => name !== "content-type");
      assert.deepEqual(named(head), named(whole));
    }),
  );
});
