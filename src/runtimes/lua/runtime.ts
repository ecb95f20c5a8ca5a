// Lua: what its box holds, and how a script becomes a program. The shim compiles, in the box; here nothing is run.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Program, Source } from "../../core/program.ts";
import type { BaseImage, RuntimeSearch } from "../runtime.ts";
import { alwaysReturns } from "./always-returns.ts";
import { compileFiles, LUAJIT_FLAGS } from "./compile-files.ts";
import { findInterpreter } from "./interpreter.ts";
import type { Interpreter } from "./interpreter.ts";

const BASE = "lua";
const LANGUAGES = ["lua"];

const SHIM_FOLDER = fileURLToPath(new URL("shim/", import.meta.url));

const HOW_TO_INSTALL =
  "no LuaJIT 2.1 at /usr/bin/luajit or /usr/local/bin/luajit; install it with " +
  "`apt install luajit` (Debian, Ubuntu), `dnf install luajit` (Fedora), " +
  "`pacman -S luajit` (Arch) or `apk add luajit` (Alpine)";

/** Starts no process: it only looks at files. */
export function findLuaRuntime(interpreter: Interpreter | undefined = findInterpreter()): RuntimeSearch {
  if (interpreter === undefined) return { found: false, base: BASE, languages: LANGUAGES, reason: HOW_TO_INSTALL };
  return {
    found: true,
    runtime: {
      base: BASE,
      languages: LANGUAGES,
      title: `LuaJIT ${interpreter.version}`,
      image: imageOf(interpreter),
      selfTest: (facts) => ({
        source: { text: readFileSync(new URL("self_test.lua", import.meta.url), "utf8") },
        input: facts,
      }),
      prepare: (language, source) => Promise.resolve(programOf(language, source)),
    },
  };
}

/** Of the further files it has only those that `require` can find. */
function programOf(language: string, { text, entry = "script.lua", files = {} }: Source): Program {
  const modules = Object.entries(files).filter(([path]) => path.endsWith(".lua") && path !== entry);
  const isAlone = modules.length === 0;
  return {
    language,
    base: BASE,
    code: text,
    options: isAlone ? { file: entry } : { file: entry, files: Object.fromEntries(modules) },
    alwaysReturns: isAlone && alwaysReturns(text), // another file may define the handler
  };
}

function imageOf({ binary }: Interpreter): BaseImage {
  const files = readdirSync(SHIM_FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".lua"));
  return {
    base: BASE,
    command: [binary, ...LUAJIT_FLAGS, "/shim/shim.lua"],
    copies: files.map((name) => ({ from: SHIM_FOLDER + name, to: `/shim/${name}` })),
    compile: compileFiles(binary, files),
    binds: [{ from: binary, to: binary }],
    devices: [],
    librariesOf: [binary],
    env: { TZ: "UTC0" }, // os.date need not look for a file of time zones that is not there
  };
}
