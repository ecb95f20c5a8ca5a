import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { inspectElf, isElf } from "./inspect-elf.ts";

const folder = mkdtempSync(join(tmpdir(), "cloche-elf-"));
after(() => rmSync(folder, { recursive: true }));
const { arch } = process;
const MACHINE = arch === "arm64" ? 183 : 62;

/** A program of one segment that holds all of it, by hand: what a linker makes is larger and depends on the machine. */
function program(changes: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(256);
  bytes.write("\x7fELF\x02\x01\x01", "latin1");
  bytes.writeUInt16LE(2, 16); // ET_EXEC
  bytes.writeUInt16LE(MACHINE, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(0x400078n, 24); // entry
  bytes.writeBigUInt64LE(64n, 32); // program headers
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64); // PT_LOAD
  bytes.writeBigUInt64LE(0x400000n, 64 + 16);
  bytes.writeBigUInt64LE(256n, 64 + 32);
  changes(bytes);
  return bytes;
}

suite("an executable", () => {
  test("for this machine that needs nothing is taken", () => {
    assert.equal(isElf(program()), true);
    inspectElf(program());
  });

  test("that needs a loader and libraries is taken", () => {
    inspectElf(readFileSync(process.execPath));
  });

  const wicked: readonly (readonly [string, (bytes: Buffer) => void, RegExp])[] = [
    ["is of 32 bits", (bytes) => bytes.writeUInt8(1, 4), /32-bit/],
    ["is big-endian", (bytes) => bytes.writeUInt8(2, 5), /big-endian/],
    ["is for another machine", (bytes) => bytes.writeUInt16LE(8, 18), /is for MIPS, and this server runs on/],
    ["is for a machine that nobody knows", (bytes) => bytes.writeUInt16LE(4711, 18), /machine 4711/],
    ["is an object file", (bytes) => bytes.writeUInt16LE(1, 16), /an object file, not a program/],
    ["is a core dump", (bytes) => bytes.writeUInt16LE(4, 16), /a core dump, not a program/],
    ["is a library by its headers", (bytes) => bytes.writeUInt16LE(3, 16), /a shared library, not a program/],
    ["has no program headers", (bytes) => bytes.writeUInt16LE(0, 56), /nothing that could be loaded/],
    ["has no segment to load", (bytes) => bytes.writeUInt32LE(4, 64), /nothing that could be loaded/],
    ["has headers of another size", (bytes) => bytes.writeUInt16LE(32, 54), /damaged program headers/],
    ["has more headers than any linker makes", (bytes) => bytes.writeUInt16LE(60_000, 56), /damaged program headers/],
    ["has its headers behind its end", (bytes) => bytes.writeBigUInt64LE(1000n, 32), /truncated/],
    ["has its headers nowhere", (bytes) => bytes.writeBigUInt64LE(0xffffffffffffffffn, 32), /truncated/],
    ["has a segment that is longer than it", (bytes) => bytes.writeBigUInt64LE(257n, 96), /truncated/],
    ["has no entry point", (bytes) => bytes.writeBigUInt64LE(0n, 24), /no entry point/],
  ];
  for (const [what, change, message] of wicked) {
    test(`that ${what} is refused`, () => {
      assert.throws(() => inspectElf(program(change)), { code: "UNSUPPORTED_FILE", message });
    });
  }

  test("that is cut off anywhere is refused", () => {
    for (let end = 4; end < 256; end++) {
      assert.throws(() => inspectElf(program().subarray(0, end)), { message: /truncated/ }, `at ${end}`);
    }
  });

  test("with any byte of its headers changed is taken or refused, and never makes us fail", () => {
    const node = readFileSync(process.execPath);
    const originals = [program(), node.subarray(0, node.length)];
    for (const bytes of originals) {
      for (let at = 4; at < 64 + 56 * 4; at++) {
        for (const value of [0, 1, 3, 0x7f, 0xff]) {
          const before = bytes[at] ?? 0;
          bytes[at] = value;
          try {
            inspectElf(bytes);
          } catch (error) {
            assert.equal((error as { code?: unknown }).code, "UNSUPPORTED_FILE", `byte ${at}: ${String(error)}`);
          }
          bytes[at] = before;
        }
      }
    }
  });

  const compiler = "/usr/bin/cc";
  test(
    "of a C compiler is taken, also one that may lie anywhere, and a library is refused",
    {
      skip: existsSync(compiler) ? false : "there is no C compiler here",
    },
    () => {
      const source = join(folder, "a.c");
      writeFileSync(source, "int main(void) { return 3; }");
      const built = (...flags: string[]): Buffer => {
        const file = join(folder, "out");
        execFileSync(compiler, [...flags, "-o", file, source]);
        return readFileSync(file);
      };

      inspectElf(built());
      inspectElf(built("-static"));
      inspectElf(built("-static-pie"));
      assert.throws(() => inspectElf(built("-shared", "-fPIC")), { message: /a shared library/ });
      assert.throws(() => inspectElf(built("-c")), { message: /an object file/ });
    },
  );
});
