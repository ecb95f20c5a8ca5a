import assert from "node:assert/strict";
import { suite, test } from "node:test";
import wabt from "wabt";
import { inspectWasm, isWasm } from "./inspect-wasm.ts";

const MIB = 1024 * 1024;
const LIMIT_BYTES = 256 * MIB;
const PROGRAM = '(memory (export "memory") 1) (func (export "_start"))';
const tools = await wabt();

function moduleOf(text: string): Buffer {
  const features = { threads: true, memory64: true, multi_memory: true };
  const parsed = tools.parseWat("test.wat", `(module ${text})`, features);
  try {
    return Buffer.from(parsed.toBinary({}).buffer);
  } finally {
    parsed.destroy();
  }
}

const fdWrite = '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))';

suite("a module", () => {
  test("for WASI preview 1 is taken", () => {
    const program = moduleOf(`${fdWrite} ${PROGRAM}`);

    assert.equal(isWasm(program), true);
    inspectWasm(program, LIMIT_BYTES);
    inspectWasm(moduleOf(PROGRAM.replace(" 1)", " 4096 65536)")), LIMIT_BYTES); // exactly the limit, and a large maximum
    inspectWasm(Buffer.concat([moduleOf(PROGRAM), Buffer.from([0, 3, 1, 0x78, 0])]), LIMIT_BYTES); // a custom section
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["imports an unknown function of WASI", `${fdWrite.replace("fd_write", "fd_evil")} ${PROGRAM}`, /fd_evil/],
    ["imports from the host", `(import "env" "system" (func)) ${PROGRAM}`, /imports "env\.system", which is not there/],
    [
      "imports a memory",
      '(import "env" "memory" (memory 1)) (func (export "_start"))',
      /imports the memory env\.memory/,
    ],
    ["imports a global", `(import "env" "g" (global i32)) ${PROGRAM}`, /imports the global env\.g/],
    ["imports a table", `(import "env" "t" (table 1 funcref)) ${PROGRAM}`, /imports the table env\.t/],
    ["has no _start", '(memory (export "memory") 1)', /exports no function "_start"/],
    [
      "exports a global as _start",
      '(memory (export "memory") 1) (global (export "_start") i32 (i32.const 0))',
      /_start/,
    ],
    ["exports no memory", '(memory 1) (func (export "_start"))', /exports no memory "memory"/],
    [
      "begins with 4 GiB",
      PROGRAM.replace(" 1)", " 65536)"),
      /begins with 4096 MiB of memory \(max 256 MiB, setting MAX_MEMORY\)/,
    ],
    ["begins with a page too many", PROGRAM.replace(" 1)", " 4097)"), /begins with 257 MiB/],
    ["shares its memory", PROGRAM.replace(" 1)", " 1 1 shared)"), /shared memory/],
    ["has a memory of 64 bits", PROGRAM.replace(" 1)", " i64 1)"), /64-bit memory/],
    ["has two memories", `(memory 1) ${PROGRAM}`, /2 memories/],
  ];
  for (const [what, text, message] of refused) {
    test(`that ${what} is refused`, () => {
      assert.throws(() => inspectWasm(moduleOf(text), LIMIT_BYTES), { code: "UNSUPPORTED_FILE", message });
    });
  }

  test("that is cut off anywhere is refused, and never makes us fail", () => {
    const whole = moduleOf(`${fdWrite} ${PROGRAM}`);
    for (let end = 4; end < whole.length; end++) {
      assert.throws(() => inspectWasm(whole.subarray(0, end), LIMIT_BYTES), { code: "UNSUPPORTED_FILE" }, `at ${end}`);
    }
  });

  test("with any byte changed is taken or refused, and never makes us fail", () => {
    const whole = moduleOf(`${fdWrite} ${PROGRAM}`);
    for (let at = 4; at < whole.length; at++) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = byte;
        try {
          inspectWasm(changed, LIMIT_BYTES);
        } catch (error) {
          assert.equal(
            (error as { code?: unknown }).code,
            "UNSUPPORTED_FILE",
            `byte ${at} as ${byte}: ${String(error)}`,
          );
        }
      }
    }
  });

  test("that is a component says so", () => {
    const component = Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
    assert.throws(() => inspectWasm(component, LIMIT_BYTES), { message: /is a component/ });
  });
});
