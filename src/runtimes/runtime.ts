import type { BaseImage } from "../core/base-image.ts";
import type { Json, Program, Source } from "../core/program.ts";

export type { BaseImage } from "../core/base-image.ts";

/** How the programs of some languages are prepared and run. Describes only: it starts no process and knows no sandbox. */
export interface Runtime {
  readonly base: string;
  /** The names under which callers ask for it, e.g. `javascript`, `typescript`. */
  readonly languages: readonly string[];
  /** The interpreter and its version as found on the host, for people: `Node.js v24.21.0`. */
  readonly title: string;
  readonly image: BaseImage;
  /** A program in the first of `languages` that tries to leave its box. */
  selfTest(facts: SelfTestFacts): SelfTest;
  /**
   * Makes `source` ready for a worker. Never throws for a mistake in the source: such a program reports the mistake
   * as its failed run, so that a caller sees every error at one place.
   */
  prepare(language: string, source: Source): Promise<Program>;
}

/** What a program in a box must not reach. */
export type SelfTestFacts = { readonly hostPaths: readonly string[]; readonly serverPid: number };

/** Its value, or all that it prints to stdout where it has none, is a JSON list of what it could do: texts such as "see /root". */
export interface SelfTest {
  readonly source: Source;
  readonly input: Json;
}

/** A runtime, or why it is not there and how to get it. */
export type RuntimeSearch =
  | { readonly found: true; readonly runtime: Runtime }
  | { readonly found: false; readonly base: string; readonly languages: readonly string[]; readonly reason: string };

/** What compiles the programs of a language, or why it is not there and how to get it. */
export type BuilderSearch =
  | {
      readonly found: true;
      readonly language: string;
      /** Of its boxes. */
      readonly base: string;
      /** For people: `Go 1.26.8`. */
      readonly title: string;
      readonly version: string;
      /** On the host. */
      readonly path: string;
      /** Of Go alone: where TinyGo is, which then compiles its WebAssembly, or why the one that is there cannot be used. */
      readonly tinyGo?: { readonly path: string } | { readonly reason: string } | undefined;
      readonly image: BaseImage;
    }
  | { readonly found: false; readonly language: string; readonly reason: string };
