// The programs that bench/programs.ts uploads.
import { programOf } from "../src/runtimes/node/wasm.fixture.ts";

export const MODULE_BYTES = 500_000;
const FILLER_FUNCTIONS = 1200;
const FILLER_STEPS = 30;
const CALLED_FUNCTIONS = 50;

let count = 0;

/** The smallest program in Go that reads and answers; never the same code twice. */
export function goHello(): string {
  return `package main

import (
	"fmt"
	"io"
	"os"
)

const number = ${++count}

func main() {
	name, _ := io.ReadAll(os.Stdin)
	fmt.Printf("Hello, %s!", name)
}
`;
}

/** Answers what it gets. Of its functions it calls some, as programs do; text makes up the rest of its size. */
export function moduleOfSize(): Buffer {
  const steps = Array.from(
    { length: FILLER_STEPS },
    (_, step) => `(local.set $x (i32.xor (i32.mul (local.get $x) (i32.const ${step * 977 + 3})) (i32.const ${step})))`,
  ).join(" ");
  const functions = Array.from(
    { length: FILLER_FUNCTIONS },
    (_, number) =>
      `(func $f${number} (param $x i32) (result i32) ${steps} (i32.add (local.get $x) (i32.const ${number})))`,
  );
  const calls = Array.from({ length: CALLED_FUNCTIONS }, (_, number) => `(drop (call $f${number} (i32.const 1)))`);
  const make = (textBytes: number): Buffer =>
    programOf(
      `${calls.join(" ")}
       (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 32768))
       (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
       (i32.store (i32.const 4) (i32.load (i32.const 8)))
       (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`,
      ["fd_read", "fd_write"],
      `(memory (export "memory") 8) (data (i32.const 65536) "${"text".repeat(textBytes / 4)}") ${functions.join("\n")}`,
    );
  return make(Math.max(0, MODULE_BYTES - make(0).length));
}
