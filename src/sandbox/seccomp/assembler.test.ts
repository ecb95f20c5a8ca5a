import assert from "node:assert/strict";
import { test } from "node:test";
import { Assembler } from "./assembler.ts";
import { evaluate } from "./evaluate.fixture.ts";

const NR_AT = 0;
const ANY_ARCH = 0;

/** Returns 1000 + nr for every nr below `count`, else 999: all the returns, and behind them one comparison after the other. */
function ladder(count: number): Assembler {
  const program = new Assembler();
  for (let nr = 0; nr < count; nr++) program.return(1000 + nr);
  let rest = program.return(999);
  for (let nr = count - 1; nr >= 0; nr--) rest = program.branch(nr + 1, rest, program.return(1000 + nr));
  program.load(NR_AT, rest);
  return program;
}

test("a program is an array of struct sock_filter in little endian, first instruction first", () => {
  const program = new Assembler();
  const yes = program.return(0x7fff_0000);
  const no = program.return(0x0005_0001);
  program.load(16, program.and(0xff, program.branch(0x1234_5678, yes, no)));

  assert.equal(
    program
      .toBuffer()
      .toString("hex")
      .replaceAll(/(.{16})(?!$)/g, "$1 "),
    "2000000010000000 54000000ff000000 3500010078563412 0600000001000500 060000000000ff7f",
  );
});

test("equal returns are one instruction", () => {
  const program = new Assembler();

  assert.equal(program.return(7), program.return(7));
  assert.equal(program.toBuffer().length, 8);
});

for (const count of [1, 100, 200, 254, 255, 256, 257, 600]) {
  test(`branches reach targets that are ${count} returns and comparisons away`, () => {
    const program = ladder(count).toBuffer();

    for (let nr = 0; nr < count; nr++) assert.equal(evaluate(program, { nr, arch: ANY_ARCH }).value, 1000 + nr);
    assert.equal(evaluate(program, { nr: count, arch: ANY_ARCH }).value, 999);
  });
}

test("a branch reaches both targets wherever the first, the second or both become too far", () => {
  for (let between = 240; between < 520; between++) {
    const program = new Assembler();
    const one = program.return(1);
    const two = program.return(2);
    for (let filler = 0; filler < between; filler++) program.return(100 + filler);
    program.load(NR_AT, program.branch(5, one, program.branch(3, two, one)));

    const values = [5, 4, 3, 2].map((nr) => evaluate(program.toBuffer(), { nr, arch: ANY_ARCH }).value);
    assert.deepEqual(values, [1, 2, 2, 1]);
  }
});

test("a load goes on at its target when other code lies between", () => {
  const program = new Assembler();
  const wanted = program.return(1);
  program.return(2);
  program.load(NR_AT, wanted);

  assert.equal(evaluate(program.toBuffer(), { nr: 0, arch: ANY_ARCH }).value, 1);
});

test("a program that the kernel would refuse for its length is an error", () => {
  const program = new Assembler();
  for (let value = 0; value < 4096; value++) program.return(value);
  assert.equal(program.toBuffer().length, 4096 * 8);

  program.return(4096);

  assert.throws(() => program.toBuffer(), /has 4097 instructions, the kernel takes 4096/);
});
