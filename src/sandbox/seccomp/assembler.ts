// Classic BPF as seccomp runs it. Source: linux/filter.h, Documentation/networking/filter.rst, seccomp(2).

/** The place of an instruction that others can jump to. */
export type Label = number;

interface Instruction {
  readonly code: number;
  /** Instructions to skip when the comparison holds; one byte. */
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly operand: number;
}

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP_IF_AT_LEAST = 0x35; // BPF_JMP | BPF_JGE | BPF_K, unsigned
const JUMP = 0x05; // BPF_JMP | BPF_JA
const RETURN = 0x06; // BPF_RET | BPF_K

const INSTRUCTION_BYTES = 8; // struct sock_filter
const MAX_INSTRUCTIONS = 4096; // BPF_MAXINSNS
const FARTHEST_BRANCH = 255;

/**
 * Writes a program from its end to its start. BPF only jumps forward, so every target is there before the jumps to it.
 * Uses only instructions that the kernel can evaluate ahead of time: it then lets calls whose number alone is allowed
 * pass without running the program (seccomp's action cache, Linux 5.11).
 */
export class Assembler {
  readonly #lastFirst: Instruction[] = [];
  readonly #returns = new Map<number, Label>();

  /** Ends the program with `value`. */
  return(value: number): Label {
    const known = this.#returns.get(value);
    if (known !== undefined) return known;
    const label = this.#put(RETURN, value);
    this.#returns.set(value, label);
    return label;
  }

  /** Loads the 32-bit word at `offset` of struct seccomp_data, then goes on at `next`. */
  load(offset: number, next: Label): Label {
    this.#moveBehind(next);
    return this.#put(LOAD, offset);
  }

  /** Keeps the bits of `mask` of what was loaded, then goes on at `next`. */
  and(mask: number, next: Label): Label {
    this.#moveBehind(next);
    return this.#put(AND, mask);
  }

  /** Compares what was loaded, as an unsigned number. */
  branch(atLeast: number, ifSo: Label, ifLess: Label): Label {
    const near = this.#near(ifSo);
    const alsoNear = this.#near(ifLess);
    const here = this.#lastFirst.length;
    return this.#put(JUMP_IF_AT_LEAST, atLeast, here - near - 1, here - alsoNear - 1);
  }

  /**
   * The program as an array of struct sock_filter, little endian. The last instruction written is the first to run.
   *
   * @throws Error when it is longer than the kernel takes
   */
  toBuffer(): Buffer {
    const count = this.#lastFirst.length;
    if (count > MAX_INSTRUCTIONS) {
      throw new Error(`the seccomp filter has ${count} instructions, the kernel takes ${MAX_INSTRUCTIONS}`);
    }
    const bytes = Buffer.alloc(count * INSTRUCTION_BYTES);
    for (const [index, { code, ifTrue, ifFalse, operand }] of this.#lastFirst.toReversed().entries()) {
      const at = index * INSTRUCTION_BYTES;
      bytes.writeUInt16LE(code, at);
      bytes.writeUInt8(ifTrue, at + 2);
      bytes.writeUInt8(ifFalse, at + 3);
      bytes.writeUInt32LE(operand, at + 4);
    }
    return bytes;
  }

  /** `label`, or a jump to it that a branch can reach: even when the branch's other target puts one more between. */
  #near(label: Label): Label {
    return this.#lastFirst.length - label <= FARTHEST_BRANCH ? label : this.#jump(label);
  }

  /** Makes the next instruction written run on into `label`. */
  #moveBehind(label: Label): void {
    if (label !== this.#lastFirst.length - 1) this.#jump(label);
  }

  #jump(label: Label): Label {
    return this.#put(JUMP, this.#lastFirst.length - label - 1);
  }

  #put(code: number, operand: number, ifTrue = 0, ifFalse = 0): Label {
    return this.#lastFirst.push({ code, ifTrue, ifFalse, operand }) - 1;
  }
}
