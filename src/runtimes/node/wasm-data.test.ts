// Data segments are merged, and instances made ahead: what a program sees is the same.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { boundTo, print, programOf } from "./wasm.fixture.ts";
import type { ShimProcess } from "./worker-under-test.ts";

const require = createRequire(import.meta.url);
const { mergeSegments } = require("./shim/wasm-data.cjs") as { mergeSegments: (content: Buffer) => Buffer };
const { changeSections } = require("./shim/wasm-binary.cjs") as {
  changeSections: (bytes: Buffer, changes: Record<number, (content: Buffer) => Buffer>) => { bytes: Buffer };
};
const DATA_SECTION = 11;
const PAGE_BYTES = 65_536;
const FIRST = 1024;

interface Segment {
  readonly at: number;
  readonly text: string;
}

/** Prints a page of its memory from `FIRST` on. */
function programWith(segments: readonly Segment[], more = ""): Buffer {
  const data = segments.map(({ at, text }) => `(data (i32.const ${at}) "${text}")`).join(" ");
  return programOf(print(FIRST, PAGE_BYTES), ["fd_write"], `(memory (export "memory") 2) ${data} ${more}`);
}

function expected(segments: readonly Segment[]): Buffer {
  const memory = Buffer.alloc(2 * PAGE_BYTES);
  for (const { at, text } of segments) memory.write(text, at, "latin1");
  return memory.subarray(FIRST, FIRST + PAGE_BYTES);
}

async function printed(shim: ShimProcess): Promise<Buffer> {
  const { logs, end } = await shim.run();
  assert.equal(end.t, "result", end.body);
  return Buffer.concat(logs.map(({ data }) => data));
}

/** Its data section, as it comes and as the worker has it. */
function dataOf(program: Buffer): [Buffer, Buffer] {
  let found: [Buffer, Buffer] | undefined;
  changeSections(program, {
    [DATA_SECTION]: (content) => {
      const merged = mergeSegments(content);
      found = [content, merged];
      return merged;
    },
  });
  return found ?? assert.fail("the module has no data section");
}

/** Of segments. */
function counts(program: Buffer): { before: number; after: number } {
  const [before, after] = dataOf(program).map(([low = 0, high = 0]) => (low > 0x7f ? (low & 0x7f) + high * 128 : low));
  return { before: before ?? 0, after: after ?? 0 };
}

const near = Array.from({ length: 300 }, (_, n): Segment => ({ at: FIRST + n * 40, text: `segment ${n}` }));

for (const [what, segments, after] of [
  ["neighbours", near.map(({ at, text }, n) => ({ at: at + Math.floor(n / 100) * 5000, text })), 3],
  ["those of two rows, the second before the first,", [...near.slice(150), ...near.slice(0, 150)], 2],
  ["those of a row in a hole of another", [...near.slice(0, 100), ...near.slice(200), ...near.slice(100, 200)], 3],
] as const) {
  test(`of many data segments ${what} become one, and the memory is as the module says`, async (t) => {
    const program = programWith(segments);

    assert.deepEqual(counts(program), { before: 300, after });
    const shim = boundTo(t, program);
    for (let run = 0; run < 3; run += 1) assert.ok((await printed(shim)).equals(expected(segments)));
  });
}

const close = near.map(({ text }, n) => ({ at: FIRST + n * 25, text }));
for (const [what, segments] of [
  ["overlap", near.map(({ text }, n) => ({ at: FIRST + n * 5, text }))],
  ["lie in each other's gaps", [...close.filter((_, n) => n % 2 === 0), ...close.filter((_, n) => n % 2 === 1)]],
  ["are written over later", [...near, { at: FIRST + 100, text: "x".repeat(300) }]],
  ["are few", near.slice(0, 63)],
  ["lie far apart", near.map(({ text }, n) => ({ at: FIRST + n * 200, text }))],
] as const) {
  test(`data segments that ${what} stay as they are`, async (t) => {
    const program = programWith(segments);

    assert.deepEqual(counts(program), { before: segments.length, after: segments.length });
    assert.ok((await printed(boundTo(t, program))).equals(expected(segments)));
  });
}

test("addresses beyond two gigabytes are read and written as such", () => {
  const data = Array.from({ length: 100 }, (_, n) => `(data (i32.const ${2 ** 31 + 5000 + n * 20}) "x")`).join(" ");
  const program = programOf("", [], `(memory (export "memory") 40000) ${data}`);
  const [before, after] = dataOf(program);

  assert.equal(after[0], 1);
  const headBytes = 8; // kind, i32.const, the address in five, end
  assert.deepEqual(after.subarray(1, 1 + headBytes), before.subarray(1, 1 + headBytes));
  assert.equal(after.length, 1 + headBytes + 2 + 99 * 20 + 1);
});

test("segments that the code names by their numbers stay as they are", async (t) => {
  const named = programOf(
    `(memory.init 300 (i32.const ${FIRST}) (i32.const 0) (i32.const 5)) ${print(FIRST, 5)}`,
    ["fd_write"],
    `(memory (export "memory") 2) ${near.map(({ at, text }) => `(data (i32.const ${at}) "${text}")`).join(" ")} (data "named")`,
  );

  assert.equal((await printed(boundTo(t, named))).toString(), "named");
});

test("a segment outside of the memory is an error of every run", async (t) => {
  const shim = boundTo(t, programWith([...near, { at: 2 * PAGE_BYTES - 3, text: "four" }]));

  for (let run = 0; run < 3; run += 1) {
    const { end } = await shim.run();
    const { message } = JSON.parse(end.body) as { message: string };
    assert.deepEqual([end.t, message], ["error", "a data segment does not fit into the memory"]);
  }
});

test("a module that runs code when an instance is made does so once in each run, and never between", async (t) => {
  const memory = '(memory (export "memory") 1)';
  const counts = programOf(
    "(call $proc_exit (i32.load (i32.const 100)))",
    ["proc_exit"],
    `${memory} (start $first) (func $first (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 7))))`,
  );
  const ends = programOf(
    "(unreachable)",
    ["proc_exit"],
    `${memory} (start $first) (func $first (call $proc_exit (i32.const 9)))`,
  );
  // Stdin is open at the start of each run, and not between.
  const loopsBetween = programOf(
    "",
    ["fd_close"],
    `${memory} (start $first) (func $first (if (call $fd_close (i32.const 0)) (then (loop $again (br $again)))))`,
  );

  const shim = boundTo(t, counts);
  for (let run = 0; run < 3; run += 1) assert.equal((await shim.run()).end.code, 7);
  assert.equal((await boundTo(t, ends).run()).end.code, 9);
  const other = boundTo(t, loopsBetween);
  for (let run = 0; run < 3; run += 1) assert.equal((await other.run()).end.t, "result");
});
