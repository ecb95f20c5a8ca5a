// Finds TinyGo by looking at files only, as for Go. A release is one folder with all that TinyGo needs but Go, and no file of it says
// which version it is.
import { closeSync, existsSync, openSync, readSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { barredOn, rootOfProgramIn } from "./toolchain.ts";

export interface TinyGo {
  /** Without links. */
  readonly root: string;
  /** Those of its programs that need shared libraries: none in its releases for amd64, which are static. */
  readonly dynamicPrograms: readonly string[];
}

export type TinyGoSearch =
  | { readonly found: true; readonly tinyGo: TinyGo }
  /** `reason`: why what is there cannot be used; undefined where there is nothing, or nothing is wanted. */
  | { readonly found: false; readonly reason: string | undefined };

/** Where it is looked for. */
export interface TinyGoPlaces {
  /** The operator's word for it, which then is the only place, or `off`. */
  readonly tinyGoRoot: string | undefined;
  /** Folders of programs, as in `PATH`. */
  readonly path: readonly string[];
}

/** Where its tarball is unpacked to by the instructions, where its Debian package puts it, and distributions do. */
const FIXED_ROOTS = ["/usr/local/tinygo", "/usr/local/lib/tinygo", "/usr/lib/tinygo"];
const PROGRAM = "bin/tinygo";
const WASM_OPT = "bin/wasm-opt";
const NEEDED_PARTS = [PROGRAM, "lib", "src", "targets"];
const HEAD_BYTES = 4096; // linkers put the loader's name right behind the program headers

/** @param asOthers true where boxes run as users of their own, who must be able to read it */
export function findTinyGo({ tinyGoRoot, path }: TinyGoPlaces, asOthers: boolean): TinyGoSearch {
  if (tinyGoRoot === "off") return { found: false, reason: undefined };
  const named = tinyGoRoot !== undefined;
  const roots = named ? [tinyGoRoot] : [...path.flatMap((folder) => rootOfProgramIn(folder, "tinygo")), ...FIXED_ROOTS];
  const refused: string[] = [];
  for (const root of new Set(roots.filter((place) => existsSync(join(place, PROGRAM))).map((it) => realpathSync(it)))) {
    const why = whyUnfit(root, asOthers);
    if (why === undefined) return { found: true, tinyGo: { root, dynamicPrograms: dynamicPrograms(root) } };
    refused.push(`TinyGo at ${root} ${why}`);
  }
  if (named && refused.length === 0) refused.push(`no TinyGo at TINYGOROOT=${tinyGoRoot}`);
  return { found: false, reason: refused.length === 0 ? undefined : refused.join("; ") };
}

function whyUnfit(root: string, asOthers: boolean): string | undefined {
  const missing = NEEDED_PARTS.find((part) => !existsSync(join(root, part)));
  if (missing !== undefined) return `lacks ${missing}`;
  const loader = loaderOf(join(root, PROGRAM));
  if (loader !== undefined && !existsSync(loader)) return `needs ${loader}, which is not here`;
  const barred = asOthers ? barredOn(root)[0] : undefined;
  return barred === undefined ? undefined : `is behind ${barred}, which the users of sandboxes cannot pass`;
}

function dynamicPrograms(root: string): string[] {
  return [PROGRAM, WASM_OPT]
    .map((name) => join(root, name))
    .filter((program) => existsSync(program) && existsSync(loaderOf(program) ?? ""));
}

/** The dynamic loader that an executable asks for; undefined for static ones and scripts, and for what cannot be read. */
function loaderOf(program: string): string | undefined {
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const fd = openSync(program, "r");
    try {
      readSync(fd, head);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // a build will then say what is wrong with it, and Go does its work
  }
  return /^\x7fELF.*?(\/[\w./-]*\/ld-[\w.-]+)\0/s.exec(head.toString("latin1"))?.[1];
}
