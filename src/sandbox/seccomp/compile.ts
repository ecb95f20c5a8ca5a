import { Assembler, type Label } from "./assembler.ts";
import {
  type ArgumentRule,
  ERRNO,
  type Policy,
  policyFor,
  type PolicyOptions,
  type Rule,
  UNNAMED,
  type Verdict,
} from "./policy.ts";
import { SYSCALL_NUMBERS, type SyscallNumbers } from "./syscalls.ts";

/** What the filter must know of a processor. */
interface Target {
  /** AUDIT_ARCH_* of linux/audit.h: which table a call's number belongs to. */
  readonly auditArch: number;
  readonly numbers: SyscallNumbers;
  /** Numbers from here on belong to another table, although the architecture is the same, and kill. */
  readonly foreignFrom: number | undefined;
}

/** x32 is x86-64 with 32-bit pointers: its calls take other arguments than those that the policy knows. */
const X32_BIT = 0x4000_0000;

const TARGETS: { readonly [arch: string]: () => Target } = {
  x64: () => ({ auditArch: 0xc000_003e, numbers: SYSCALL_NUMBERS.x64(), foreignFrom: X32_BIT }),
  arm64: () => ({ auditArch: 0xc000_00b7, numbers: SYSCALL_NUMBERS.arm64(), foreignFrom: undefined }),
};

/** Values from `from` up to the next range. */
interface Range {
  readonly from: number;
  readonly label: Label;
}

const MAX_VALUE = 0xffff_ffff;

// struct seccomp_data of linux/seccomp.h
const NUMBER_AT = 0;
const ARCH_AT = 4;
const ARGUMENTS_AT = 16;
const ARGUMENT_BYTES = 8; // little endian: the low word comes first

// SECCOMP_RET_* of linux/seccomp.h
const RETURN_KILL_PROCESS = 0x8000_0000;
const RETURN_ERRNO = 0x0005_0000;
const RETURN_ALLOW = 0x7fff_0000;

/**
 * The system calls that a box may make, as the bytes that `bwrap --seccomp FD` reads.
 *
 * @param arch as in `process.arch`
 * @throws Error for an architecture other than x64 and arm64
 */
export function seccompFilter(arch: string, options: PolicyOptions): Buffer {
  const target = TARGETS[arch];
  if (target === undefined) {
    const known = Object.keys(TARGETS).join(" and ");
    throw new Error(`there is no seccomp filter for the architecture "${arch}", only for ${known}`);
  }
  return compile(policyFor(options), target());
}

/** A binary search for the call's number, then one for its argument where an argument counts. */
function compile(policy: Policy, target: Target): Buffer {
  const program = new Assembler();
  const labels = new Map<number, Label>();
  for (const [name, rule] of policy) {
    const number = target.numbers.get(name);
    if (number === undefined) continue; // the architecture never had this call
    labels.set(number, check(program, rule));
  }
  const kill = answer(program, "kill");
  const ranges = rangesOf(labels, answer(program, UNNAMED));
  if (target.foreignFrom !== undefined) ranges.push({ from: target.foreignFrom, label: kill });
  const numberCheck = program.load(NUMBER_AT, search(program, ranges));
  // First of all, whose number it is: any process on x86-64 can make the calls of 32-bit x86 with `int 0x80`.
  program.load(ARCH_AT, search(program, rangesOf(new Map([[target.auditArch, numberCheck]]), kill)));
  return program.toBuffer();
}

function check(program: Assembler, rule: Rule): Label {
  return typeof rule === "string" ? answer(program, rule) : argumentCheck(program, rule);
}

function answer(program: Assembler, verdict: Verdict): Label {
  if (verdict === "allow") return program.return(RETURN_ALLOW);
  if (verdict === "kill") return program.return(RETURN_KILL_PROCESS);
  return program.return(RETURN_ERRNO | ERRNO[verdict]);
}

function argumentCheck(program: Assembler, rule: ArgumentRule): Label {
  const listed = check(program, rule.listed);
  const ranges = rangesOf(new Map(rule.values.map((value) => [value, listed])), check(program, rule.otherwise));
  const compare = search(program, ranges);
  const masked = rule.mask === MAX_VALUE ? compare : program.and(rule.mask, compare);
  return program.load(ARGUMENTS_AT + rule.argument * ARGUMENT_BYTES, masked);
}

/** The values between those of `labels` go to `otherwise`; neighbours with the same label are one range. */
function rangesOf(labels: ReadonlyMap<number, Label>, otherwise: Label): Range[] {
  const starts = new Map([[0, otherwise]]);
  for (const [value, label] of [...labels].sort(([a], [b]) => a - b)) {
    starts.set(value, label);
    if (value < MAX_VALUE) starts.set(value + 1, otherwise); // the next value, if it has a label, replaces it
  }
  return [...starts]
    .map(([from, label]) => ({ from, label }))
    .filter(({ label }, index, all) => label !== all[index - 1]?.label);
}

/** A balanced tree of comparisons: no value takes more steps than the logarithm of the number of ranges. */
function search(program: Assembler, ranges: readonly Range[]): Label {
  const half = Math.ceil(ranges.length / 2);
  const middle = ranges[half];
  if (middle === undefined) return ranges[0]?.label ?? answer(program, "kill"); // never empty; if it were: fail closed
  const upper = search(program, ranges.slice(half));
  const lower = search(program, ranges.slice(0, half));
  return program.branch(middle.from, upper, lower);
}
