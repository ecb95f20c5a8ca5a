import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { encodeFrame, FrameReader, FrameTooLarge, ProtocolError } from "./protocol.ts";

const MAX_BODY_BYTES = 1000;
const MAX_HEADER_BYTES = 65_536;

interface Seen {
  readonly [name: string]: unknown;
  readonly body?: string;
}

/** Reads `chunks` and returns the frames, bodies as base64. */
function read(chunks: readonly Uint8Array[]): Seen[] {
  const frames: Seen[] = [];
  const reader = new FrameReader(MAX_BODY_BYTES, (frame) => {
    const { used, ...members } = { used: undefined, ...frame };
    const body = "body" in frame ? { body: frame.body.toString("base64") } : {};
    frames.push({ ...(members as object), ...(used as object | undefined), ...body });
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return frames;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const id = fc.nat();
const usage = fc.oneof(fc.constant({}), fc.record({ cpuUs: fc.nat(), peakKib: fc.nat() }));

function withUsage<T extends object>(members: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.tuple(members, usage).map(([own, used]) => ({ ...own, ...used }));
}

const header = fc.oneof(
  withUsage(fc.record({ t: fc.constant("ready") })),
  fc.record({
    t: fc.constant("log"),
    level: fc.constantFrom("debug", "info", "warn", "error"),
    stream: fc.constantFrom("stdout", "stderr"),
    run: fc.option(id, { nil: undefined }),
  }),
  fc.record({
    t: fc.constant("response"),
    id,
    status: fc.nat(),
    headers: fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })), { maxLength: 3 }),
    cgi: fc.boolean(),
    end: fc.boolean(),
    raw: fc.boolean(),
  }),
  withUsage(fc.record({ t: fc.constant("body"), id, end: fc.boolean(), raw: fc.boolean() })),
  fc.record({ t: fc.constant("credit"), id, bytes: fc.nat() }),
  fc.record({ t: fc.constant("call"), id, run: fc.nat(), name: fc.string({ maxLength: 40, unit: "grapheme-ascii" }) }),
  withUsage(fc.record({ t: fc.constantFrom("result", "error"), id, raw: fc.boolean() })),
  withUsage(fc.record({ t: fc.constant("exit"), id, code: fc.integer(), stays: fc.boolean() })),
  fc.record({ t: fc.constant("retire"), why: fc.string({ maxLength: 200, unit: "grapheme" }) }),
  fc.record({ t: fc.constant("pong"), id }),
);
const HAS_BODY = new Set(["log", "result", "error", "response", "body", "call"]);

suite("a frame reader", () => {
  test("gives back what was encoded, wherever the stream is cut", () => {
    const frame = fc.record({ header, body: fc.string({ unit: "grapheme", maxLength: 100 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (frames, places) => {
        const bytes = Buffer.concat(frames.map(({ header, body }) => encodeFrame(header, body)));

        const seen = read(cut(bytes, places));

        const expected = frames.map(({ header, body }) =>
          HAS_BODY.has(header.t) ? { ...header, body: Buffer.from(body).toString("base64") } : { ...header },
        );
        assert.deepEqual(seen, expected);
      }),
    );
  });

  test("ignores members that it does not know, and cuts a long reason", () => {
    const frames = read([encodeFrame({ t: "retire", why: "x".repeat(500), more: 1 }), encodeFrame({ t: "retire" })]);

    assert.deepEqual(frames, [
      { t: "retire", why: "x".repeat(200) },
      { t: "retire", why: "no reason given" },
    ]);
  });

  const nested = "[".repeat(30_000) + "]".repeat(30_000);
  const malformed: { readonly [what: string]: string } = {
    "no JSON": "{",
    "an empty header": "",
    "an array": "[]",
    null: "null",
    "a number": "1",
    "no type": "{}",
    "an unknown type": '{"t":"bind"}',
    "a type that is an inherited name": '{"t":"constructor"}',
    "a type that is nested too deeply to be shown": `{"t":${nested}}`,
    "a log without a level": '{"t":"log","stream":"stdout"}',
    "a log of an unknown level": '{"t":"log","level":"fatal","stream":"stdout"}',
    "a log of no stream": '{"t":"log","level":"info"}',
    "a result without an id": '{"t":"result"}',
    "a result with a negative id": '{"t":"result","id":-1}',
    "a result with a fraction for an id": '{"t":"result","id":1.5}',
    "a result with a text for an id": '{"t":"result","id":"1"}',
    "an error without an id": '{"t":"error"}',
    "an exit without a code": '{"t":"exit","id":1}',
    "an exit with a fraction for a code": '{"t":"exit","id":1,"code":0.5}',
    "a pong without an id": '{"t":"pong"}',
  };
  for (const [what, json] of Object.entries(malformed)) {
    test(`refuses ${what}`, () => {
      const frame = Buffer.alloc(8 + json.length);
      frame.writeUInt32BE(json.length, 0);
      frame.write(json, 8);

      assert.throws(() => read([frame]), ProtocolError);
    });
  }

  test("refuses bytes that are no UTF-8 text of JSON", () => {
    assert.throws(() => read([Buffer.from([0, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xfe])]), ProtocolError);
  });

  test("refuses a length that is too large by its first eight bytes, before anything of it is kept", () => {
    const prefix = (headerBytes: number, bodyBytes: number): Buffer => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(headerBytes, 0);
      bytes.writeUInt32BE(bodyBytes, 4);
      return bytes;
    };

    assert.throws(() => read([prefix(2, MAX_BODY_BYTES + 1)]), FrameTooLarge);
    assert.throws(() => read([prefix(2, 0xffffffff)]), FrameTooLarge);
    assert.throws(() => read([prefix(MAX_HEADER_BYTES + 1, 0)]), ProtocolError);
    assert.deepEqual(read([prefix(MAX_HEADER_BYTES, MAX_BODY_BYTES)]), []);
  });

  test("never throws anything but a ProtocolError, whatever comes", () => {
    const noise = fc.uint8Array({ maxLength: 60 });
    const json = fc.json().map((text) => encodeFrame(JSON.parse(text) as object));
    fc.assert(
      fc.property(fc.array(fc.oneof(noise, json), { maxLength: 6 }), (chunks) => {
        try {
          read(chunks);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });

  test("never waits for more bytes than one frame may have", () => {
    const length = fc.oneof(fc.nat(40), fc.nat(0xffffffff));
    fc.assert(
      fc.property(length, length, (headerBytes, bodyBytes) => {
        let frames = 0;
        const reader = new FrameReader(MAX_BODY_BYTES, () => frames++);
        const prefix = Buffer.alloc(8);
        prefix.writeUInt32BE(headerBytes, 0);
        prefix.writeUInt32BE(bodyBytes, 4);
        let kept = 0;

        try {
          for (const chunk of [prefix, Buffer.alloc(MAX_HEADER_BYTES + MAX_BODY_BYTES, " ")]) {
            reader.push(chunk);
            kept += chunk.length;
          }
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }

        assert.equal(frames, 0);
        assert.ok(kept <= 8, "nothing behind the lengths was swallowed without a word");
      }),
    );
  });
});
