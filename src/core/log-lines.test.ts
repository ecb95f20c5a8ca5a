import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { LogChunk, LogLine } from "./log-line.ts";
import { LineSplitter } from "./log-lines.ts";

function linesOf(chunks: readonly LogChunk[]): LogLine[] {
  const lines: LogLine[] = [];
  let nowMs = 0;
  const splitter = new LineSplitter(
    (line) => lines.push(line),
    () => nowMs,
  );
  for (const chunk of chunks) {
    nowMs++;
    splitter.push(chunk);
  }
  splitter.end();
  return lines;
}

const out = (text: string): LogChunk => ({ stream: "stdout", level: "info", text });
const err = (text: string): LogChunk => ({ stream: "stderr", level: "error", text });

test("lines are the same wherever the text is cut", () => {
  const piece = fc.stringMatching(/^[ab\n]{0,6}$/);
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");

      const lines = linesOf(pieces.map(out)).map((line) => line.text);

      assert.deepEqual(lines, whole(text));
    }),
  );
});

function whole(text: string): string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

test("a line is given out when it is complete, with the time of that moment", () => {
  assert.deepEqual(linesOf([out("a"), out("b\nc\n"), out("d")]), [
    { stream: "stdout", level: "info", atMs: 2, text: "ab" },
    { stream: "stdout", level: "info", atMs: 2, text: "c" },
    { stream: "stdout", level: "info", atMs: 3, text: "d" },
  ]);
});

test("the two streams do not run into each other", () => {
  const lines = linesOf([out("a"), err("x"), out("b\n"), err("y\n")]);

  assert.deepEqual(
    lines.map(({ stream, text }) => `${stream} ${text}`),
    ["stdout ab", "stderr xy"],
  );
});

test("a carriage return before a line break is part of the break, also across chunks", () => {
  const lines = linesOf([out("a\r\nb\r"), out("\nc\rd\n")]);

  assert.deepEqual(
    lines.map(({ text }) => text),
    ["a", "b", "c\rd"],
  );
});
