// The base "node": JavaScript and TypeScript, run by the same Node.js that runs the server.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeSearch } from "../runtime.ts";
import { prepare } from "./prepare.ts";
import { prepareWasm } from "./wasm.ts";

const MIB = 1_048_576;
/** What a worker needs beside the heap of the code: code space, buffers, thread stacks. */
const BESIDE_HEAP_BYTES = 16 * MIB;
/** V8 does not start usefully with less. */
const LEAST_HEAP_BYTES = 16 * MIB;
/** V8 has up to three of them beside the old generation, and without a word each may grow to 64 MiB: a busy worker was killed for its garbage. */
const MOST_SEMI_SPACE_BYTES = 16 * MIB;
const SEMI_SPACE_SHARE = 1 / 16;

const SHIM = join(import.meta.dirname, "shim");

/** Node's own number of them. */
const MOST_V8_THREADS = 4;

/**
 * @param limits of a worker's box: the heap stays below its memory, so that V8 collects before the kernel kills; V8's own threads are no
 *   more than the CPUs that it may use, as each takes 60 KiB, needed or not
 */
export function findNodeRuntime({ memoryBytes, cpus }: { memoryBytes: number; cpus: number }): RuntimeSearch {
  const heapBytes = Math.max(LEAST_HEAP_BYTES, memoryBytes * 0.75 - BESIDE_HEAP_BYTES);
  const semiSpaceBytes = Math.max(MIB, Math.min(MOST_SEMI_SPACE_BYTES, memoryBytes * SEMI_SPACE_SHARE));
  return {
    found: true,
    runtime: {
      base: "node",
      languages: ["javascript", "typescript", "wasm"],
      title: `Node.js ${process.version}`,
      image: {
        base: "node",
        command: [
          "/rt/node",
          `--max-old-space-size=${Math.floor(heapBytes / MIB)}`,
          `--max-semi-space-size=${Math.floor(semiSpaceBytes / MIB)}`,
          `--v8-pool-size=${Math.min(MOST_V8_THREADS, Math.ceil(cpus))}`,
          "--disable-warning=ExperimentalWarning", // of vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER, which we need
          "/shim/main.cjs",
        ],
        copies: readdirSync(SHIM).map((name) => ({ from: join(SHIM, name), to: `/shim/${name}` })),
        binds: [{ from: process.execPath, to: "/rt/node" }],
        devices: [],
        librariesOf: [process.execPath],
        env: { PATH: "/rt", HOME: "/tmp", TMPDIR: "/tmp", LANG: "C.UTF-8" },
      },
      selfTest: (facts) => ({
        source: { text: readFileSync(join(import.meta.dirname, "self-test.mjs"), "utf8") },
        input: facts,
      }),
      prepare: async (language, source) =>
        source.mode === "wasm" || language === "wasm"
          ? prepareWasm(language, source, memoryBytes)
          : await prepare(language, source),
    },
  };
}
