// The box that compiles Go: what it holds. The shim inside it does the work; here nothing is run.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BaseImage, BoxLimits, Mount } from "../../core/base-image.ts";
import type { BuilderSearch } from "../runtime.ts";
import type { TinyGo, TinyGoSearch } from "./tinygo.ts";
import { mountsOf, type Toolchain, type ToolchainSearch } from "./toolchain.ts";

const BASE = "go-build";
const SHIM = join(import.meta.dirname, "shim");
/** Serves HTTP for a handler; compiled into its program. */
const HANDLER_PACKAGE = join(import.meta.dirname, "../native/go");
const SHIM_HEAP_MIB = 256; // the sources and what is built pass through it, and lie outside of this heap

export interface BuilderOptions {
  /** Folder on the host with what was compiled of the standard library; shown read-only. Undefined: none. */
  readonly cacheDir: string | undefined;
  /** Folder on the host with modules that have been fetched; shown read-only. Undefined: none. */
  readonly modulesDir?: string | undefined;
  /** Undefined: it was not looked for. */
  readonly tinyGo?: TinyGoSearch;
  readonly limits: Partial<BoxLimits>;
  /** True where modules may be fetched: the go command then reaches the gate through a port on the box's own loopback. */
  readonly fetches: boolean;
}

/** Everything that decides what the compiled standard library is: a cache that was made with another of these is of no use. */
export function cacheKeyOf({ version }: Toolchain): readonly string[] {
  return [
    version,
    process.arch,
    createHash("sha256")
      .update(readFileSync(join(SHIM, "go.cjs")))
      .digest("hex"),
  ];
}

export function goBuilder(search: ToolchainSearch, options: BuilderOptions): BuilderSearch {
  if (!search.found) return { found: false, language: "go", reason: search.reason };
  const { toolchain } = search;
  const { tinyGo } = options;
  return {
    found: true,
    language: "go",
    base: BASE,
    title: `Go ${toolchain.version}${tinyGo?.found === true ? ", TinyGo" : ""}`,
    version: toolchain.version,
    path: toolchain.root,
    tinyGo: tellOf(tinyGo),
    image: imageOf(toolchain, options),
  };
}

function tellOf(search: TinyGoSearch | undefined): { readonly path: string } | { readonly reason: string } | undefined {
  if (search?.found === true) return { path: search.tinyGo.root };
  return search?.reason === undefined ? undefined : { reason: search.reason };
}

function imageOf(toolchain: Toolchain, options: BuilderOptions): BaseImage {
  const { cacheDir, modulesDir, limits, fetches } = options;
  const tinyGo: TinyGo | undefined = options.tinyGo?.found === true ? options.tinyGo.tinyGo : undefined;
  return {
    base: BASE,
    command: ["/rt/node", `--max-old-space-size=${SHIM_HEAP_MIB}`, "/shim/main.cjs"],
    copies: [...filesIn(SHIM, ".cjs", "/shim"), ...filesIn(HANDLER_PACKAGE, ".go", "/shim/handler")],
    binds: [
      { from: process.execPath, to: "/rt/node" },
      ...mountsOf(toolchain, "/rt/go"),
      ...(tinyGo === undefined ? [] : [{ from: tinyGo.root, to: "/rt/tinygo" }]),
      ...(cacheDir === undefined ? [] : [{ from: cacheDir, to: "/go-cache" }]),
      ...(modulesDir === undefined ? [] : [{ from: modulesDir, to: "/go-modules" }]),
    ],
    devices: [],
    librariesOf: [process.execPath, ...(tinyGo?.dynamicPrograms ?? [])], // Go's own programs are static
    env: { PATH: "/rt/go/bin", HOME: "/tmp", TMPDIR: "/tmp", LANG: "C.UTF-8" },
    limits,
    // The go command locks go.mod and its caches, and stops where it cannot.
    extraCalls: { fileLocks: true, loopback: fetches },
  };
}

function filesIn(folder: string, ending: string, to: string): Mount[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending) && !name.endsWith(`_test${ending}`))
    .map((name) => ({ from: join(folder, name), to: join(to, name) }));
}
