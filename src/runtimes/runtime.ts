import type { BaseImage } from "../core/base-image.ts";
import type { Program, Source } from "../core/program.ts";

export type { BaseImage } from "../core/base-image.ts";

/** How the programs of some languages are prepared and run. Describes only: it starts no process and knows no sandbox. */
export interface Runtime {
  readonly base: string;
  /** The names under which callers ask for it, e.g. `javascript`, `typescript`. */
  readonly languages: readonly string[];
  /** The interpreter and its version as found on the host, for people: `Node.js v24.21.0`. */
  readonly title: string;
  readonly image: BaseImage;
  /** A script in the first of `languages` that tries to leave its box and results in a list of what it could do. */
  readonly selfTestSource: string;
  /**
   * Makes `source` ready for a worker. Never throws for a mistake in the source: such a program reports the mistake
   * as its failed run, so that a caller sees every error at one place.
   */
  prepare(language: string, source: Source): Promise<Program>;
}

/** A runtime, or why it is not there and how to get it. */
export type RuntimeSearch =
  | { readonly found: true; readonly runtime: Runtime }
  | { readonly found: false; readonly base: string; readonly languages: readonly string[]; readonly reason: string };
