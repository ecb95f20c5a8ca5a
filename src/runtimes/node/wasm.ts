// WebAssembly programs, for the same workers as JavaScript: V8 runs both.
import type { Program, Source } from "../../core/program.ts";

/** @param memoryBytes the most that its memory may have */
export function prepareWasm(language: string, { artifacts = {} }: Source, memoryBytes: number): Program {
  return {
    language,
    base: "node",
    code: artifacts.wasm ?? Buffer.alloc(0),
    options: { format: "wasm", style: "program", memoryBytes },
    alwaysReturns: true, // what it prints is what it prints
  };
}
