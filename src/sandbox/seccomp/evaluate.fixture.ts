/** What the kernel shows to a filter. */
export interface SyscallData {
  readonly nr: number;
  readonly arch: number;
  /** 64 bits each; missing ones are 0. */
  readonly args?: readonly bigint[];
}

const DATA_BYTES = 64; // struct seccomp_data
const INSTRUCTION_BYTES = 8;

/**
 * Runs a filter for one call, as the kernel does.
 *
 * @returns the program's return value and how many instructions it took
 * @throws Error on another instruction than ours, RangeError on a jump or load out of bounds
 */
export function evaluate(program: Buffer, call: SyscallData): { readonly value: number; readonly steps: number } {
  const data = Buffer.alloc(DATA_BYTES);
  data.writeUInt32LE(call.nr >>> 0, 0);
  data.writeUInt32LE(call.arch, 4);
  for (const [index, value] of (call.args ?? []).entries()) data.writeBigUInt64LE(value, 16 + index * 8);

  let accumulator = 0;
  let at = 0;
  for (let steps = 1; ; steps++) {
    const code = program.readUInt16LE(at);
    const operand = program.readUInt32LE(at + 4);
    at += INSTRUCTION_BYTES;
    switch (code) {
      case 0x20: // load
        accumulator = data.readUInt32LE(operand);
        break;
      case 0x54: // and
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x35: // jump if greater or equal; the two distances are bytes 2 and 3
        at += program.readUInt8(accumulator >= operand ? at - 6 : at - 5) * INSTRUCTION_BYTES;
        break;
      case 0x05: // jump
        at += operand * INSTRUCTION_BYTES;
        break;
      case 0x06: // return
        return { value: operand, steps };
      default:
        throw new Error(`no such instruction: ${code} at ${at / INSTRUCTION_BYTES - 1}`);
    }
  }
}
