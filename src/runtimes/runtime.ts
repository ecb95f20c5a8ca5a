import type { Program } from "../core/program.ts";

/** A file or folder of the host that the box must show, read-only. */
export interface Mount {
  /** Absolute path on the host. Must come from the platform, never from user input. */
  readonly from: string;
  /** Absolute path inside the box. */
  readonly to: string;
}

/** What the box of a base's workers holds and which command it starts. */
export interface BaseImage {
  /** `node`, `python`. */
  readonly base: string;
  /** The first word is an absolute path inside the box. The command speaks the wire protocol on fd 3. */
  readonly command: readonly string[];
  /** Files that are copied into the box's root when the server starts: our own small shim files. */
  readonly copies: readonly Mount[];
  /** Large files and folders that are bound where they lie. */
  readonly binds: readonly Mount[];
  /** ELF files on the host whose shared libraries the box needs, too. */
  readonly librariesOf: readonly string[];
  /** The whole environment of the process. */
  readonly env: { readonly [name: string]: string };
}

/** How the programs of some languages are prepared and run. Describes only: it starts no process and knows no sandbox. */
export interface Runtime {
  readonly base: string;
  /** The names under which callers ask for it, e.g. `javascript`, `typescript`. */
  readonly languages: readonly string[];
  /** The interpreter and its version as found on the host, for people: `Node.js v24.21.0`. */
  readonly title: string;
  readonly image: BaseImage;
  /**
   * Makes `source` ready for a worker. Never throws for a mistake in the source: such a program reports the mistake
   * as its failed run, so that a caller sees every error at one place.
   */
  prepare(language: string, source: string): Promise<Program>;
}

/** A runtime, or why it is not there and how to get it. */
export type RuntimeSearch =
  | { readonly found: true; readonly runtime: Runtime }
  | { readonly found: false; readonly base: string; readonly languages: readonly string[]; readonly reason: string };
