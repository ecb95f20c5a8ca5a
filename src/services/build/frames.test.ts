import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FrameReader } from "./frames.ts";
import { parseReply } from "./reply.ts";

function frame(header: unknown, body = ""): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(text.length, 0);
  head.writeUInt32BE(Buffer.byteLength(body), 4);
  return Buffer.concat([head, text, Buffer.from(body)]);
}

suite("what a build box sends", () => {
  test("is put together from any pieces", () => {
    const bytes = Buffer.concat([frame({ t: "a" }, "one"), frame({ t: "b" }), frame({ t: "c" }, "three")]);
    for (const size of [1, 3, 10, bytes.length]) {
      const reader = new FrameReader(100);
      const frames = [];
      for (let at = 0; at < bytes.length; at += size) frames.push(...reader.read(bytes.subarray(at, at + size)));
      assert.deepEqual(
        frames.map(({ header, body }) => [header, body.toString()]),
        [
          [{ t: "a" }, "one"],
          [{ t: "b" }, ""],
          [{ t: "c" }, "three"],
        ],
      );
    }
  });

  test("is refused at its head where it says that it is too large, and where it is no JSON", () => {
    const large = frame({}, "x".repeat(101)).subarray(0, 8);
    assert.throws(() => new FrameReader(100).read(large), /too large/);
    assert.throws(() => new FrameReader(100).read(Buffer.from("ffffffff00000000", "hex")), /too large/);
    assert.throws(() => new FrameReader(100).read(Buffer.from("00000001000000007b", "hex")), SyntaxError);
  });

  test("counts only where it answers what was asked", () => {
    const built = { t: "built", style: "program", warnings: [], artifacts: [{ mode: "native", bytes: 3 }] };
    const answer = (header: unknown, body: string): unknown =>
      parseReply({ header, body: Buffer.from(body) }, ["native"]);
    assert.deepEqual(answer(built, "ELF"), {
      t: "built",
      built: { style: "program", warnings: [], artifacts: { native: Buffer.from("ELF") } },
    });
    for (const [header, body] of [
      [built, "EL"],
      [built, "ELF and more"],
      [{ ...built, artifacts: [{ mode: "wasm", bytes: 3 }] }, "ELF"],
      [{ ...built, artifacts: [{ mode: "native", bytes: -1 }] }, ""],
      [{ ...built, artifacts: [...built.artifacts, ...built.artifacts] }, "ELFELF"],
      [{ ...built, artifacts: [] }, ""],
      [{ ...built, style: "script" }, "ELF"],
      [{ t: "failed", message: 1 }, ""],
      [null, ""],
    ] as const) {
      assert.equal(answer(header, body), undefined, JSON.stringify(header));
    }
    assert.equal(parseReply(undefined, ["native"]), undefined);
  });
});
