// Whether an uploaded executable can run here, from its headers alone: nothing of it is run or loaded.
// Source: elf(5), and the System V ABI for the tags of the dynamic section.
import { arch } from "node:process";
import { PlatformError } from "../core/errors.ts";

const MAGIC = Buffer.from("\x7fELF", "latin1");
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const MAX_PROGRAM_HEADERS = 128; // linkers make some ten
const DYNAMIC_ENTRY_BYTES = 16;
const MAX_DYNAMIC_ENTRIES = 1024;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const TYPES: Readonly<Record<number, string>> = { 1: "an object file", 4: "a core dump" };
const EXECUTABLE = 2;
const SHARED = 3; // a library, or a program that may lie anywhere
const LOAD = 1;
const DYNAMIC = 2;
const INTERPRETER = 3;
const TAG = { end: 0n, flags1: 0x6ffffffbn } as const;
const FLAG_PROGRAM = 0x08000000n; // DF_1_PIE
const MACHINES: Readonly<Record<number, string>> = {
  3: "x86 (32 bit)",
  8: "MIPS",
  21: "PowerPC 64",
  22: "S/390",
  40: "ARM (32 bit)",
  62: "x86-64",
  183: "AArch64",
  243: "RISC-V",
  247: "BPF",
  258: "LoongArch",
};
const HOST_MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183, riscv64: 243, ppc64: 21, loong64: 258 };

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly fileBytes: number;
}

export function isElf(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * What it needs beside itself, its worker knows: it looks before the program is stored.
 *
 * @throws PlatformError UNSUPPORTED_FILE with what it is instead of a whole program for this machine
 */
export function inspectElf(bytes: Buffer): void {
  if (bytes.length < HEADER_BYTES) throw truncated();
  if (bytes[4] !== CLASS_64) throw refused("is for 32-bit machines; programs of 64 bits are taken");
  if (bytes[5] !== LITTLE_ENDIAN) throw refused("is for big-endian machines");
  const type = bytes.readUInt16LE(16);
  const machine = bytes.readUInt16LE(18);
  if (machine !== HOST_MACHINES[arch]) {
    throw refused(`is for ${MACHINES[machine] ?? `machine ${machine}`}, and this server runs on ${arch}`);
  }
  if (type !== EXECUTABLE && type !== SHARED) throw refused(`is ${TYPES[type] ?? `of type ${type}`}, not a program`);
  const segments = segmentsOf(bytes);
  if (!segments.some((segment) => segment.type === LOAD)) throw refused("has nothing that could be loaded");
  const hasLoader = segments.some((segment) => segment.type === INTERPRETER);
  if (type === SHARED && !hasLoader && !isMarkedProgram(bytes, segments)) {
    throw refused("is a shared library, not a program");
  }
  if (bytes.readBigUInt64LE(24) === 0n) throw refused("has no entry point");
}

function segmentsOf(bytes: Buffer): Segment[] {
  const start = offsetOf(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  if (count === 0) throw refused("has nothing that could be loaded");
  if (size !== PROGRAM_HEADER_BYTES || count > MAX_PROGRAM_HEADERS) throw refused("has damaged program headers");
  if (start + count * size > bytes.length) throw truncated();
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    const segment = {
      type: bytes.readUInt32LE(at),
      offset: offsetOf(bytes.readBigUInt64LE(at + 8)),
      fileBytes: offsetOf(bytes.readBigUInt64LE(at + 32)),
    };
    if (segment.offset + segment.fileBytes > bytes.length) throw truncated();
    return segment;
  });
}

/** Whether the linker said that what may lie anywhere is a program all the same. */
function isMarkedProgram(bytes: Buffer, segments: readonly Segment[]): boolean {
  const section = segments.find((segment) => segment.type === DYNAMIC);
  if (section === undefined) return false;
  const end = Math.min(section.offset + section.fileBytes, section.offset + MAX_DYNAMIC_ENTRIES * DYNAMIC_ENTRY_BYTES);
  for (let at = section.offset; at + DYNAMIC_ENTRY_BYTES <= end; at += DYNAMIC_ENTRY_BYTES) {
    const tag = bytes.readBigUInt64LE(at);
    if (tag === TAG.end) break;
    if (tag === TAG.flags1) return (bytes.readBigUInt64LE(at + 8) & FLAG_PROGRAM) !== 0n;
  }
  return false;
}

/** What is no place in any file is the end of none. */
function offsetOf(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw truncated();
  return Number(value);
}

function truncated(): PlatformError {
  return refused("is truncated: its headers speak of bytes that it does not have");
}

function refused(why: string): PlatformError {
  return new PlatformError("UNSUPPORTED_FILE", `the executable ${why}`);
}
