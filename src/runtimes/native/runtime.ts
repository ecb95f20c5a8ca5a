// The base "native": Linux executables, and Go, which has been compiled to one. Its launcher is a script of LuaJIT: an idle worker
// takes a megabyte, and boots in a few milliseconds.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compileFiles } from "../lua/compile-files.ts";
import { findInterpreter, type Interpreter } from "../lua/interpreter.ts";
import type { BaseImage, RuntimeSearch, SelfTest, SelfTestFacts } from "../runtime.ts";
import { prepareNative } from "./prepare.ts";

const BASE = "native";
const LANGUAGES = ["native", "go"];

const LAUNCHER = join(import.meta.dirname, "shim");
/** Files of Lua's shim that the launcher needs, too. */
const SHARED = ["json_decode.lua", "empty_lists.lua", "unicode.lua"];
/** What programs can write to, and what is emptied after each run. */
const WRITABLE_FOLDERS = ["/tmp", "/dev/shm"] as const;

const HOW_TO_INSTALL =
  "programs are started by LuaJIT 2.1, which is not at /usr/bin/luajit or /usr/local/bin/luajit; install it with " +
  "`apt install luajit` (Debian, Ubuntu), `dnf install luajit` (Fedora), " +
  "`pacman -S luajit` (Arch) or `apk add luajit` (Alpine)";

/** Starts no process: it only looks at files. `folders`: where an interpreter may be, if not in the usual places. */
export function findNativeRuntime(folders?: readonly string[]): RuntimeSearch {
  const interpreter = findInterpreter(folders);
  if (interpreter === undefined) return { found: false, base: BASE, languages: LANGUAGES, reason: HOW_TO_INSTALL };
  return {
    found: true,
    runtime: {
      base: BASE,
      languages: LANGUAGES,
      title: "Linux executables",
      image: imageOf(interpreter),
      selfTest: (facts) => selfTestOf(interpreter, facts),
      prepare: (language, source) => Promise.resolve(prepareNative(language, source)),
    },
  };
}

function imageOf({ binary }: Interpreter): BaseImage {
  const own = readdirSync(LAUNCHER).map((name) => ({ from: join(LAUNCHER, name), to: `/shim/${name}` }));
  const shared = SHARED.map((name) => ({
    from: join(import.meta.dirname, "..", "lua", "shim", name),
    to: `/shim/${name}`,
  }));
  return {
    base: BASE,
    command: [binary, "-E", "/shim/main.lua", ...WRITABLE_FOLDERS],
    copies: [...own, ...shared],
    compile: compileFiles(
      binary,
      [...own, ...shared].map(({ to }) => to.slice("/shim/".length)),
    ),
    binds: [{ from: binary, to: binary }],
    devices: [],
    librariesOf: [binary], // with the C library, so that programs that are not linked statically find one
    env: {},
  };
}

/**
 * The interpreter itself, uploaded as if it were a user's program: it runs what comes on its stdin, so that the attempts are made by a
 * process like any other of this base.
 */
function selfTestOf({ binary }: Interpreter, facts: SelfTestFacts): SelfTest {
  const script = readFileSync(join(import.meta.dirname, "self_test.lua"), "utf8");
  const given = `local facts_json = ${luaText(JSON.stringify(facts))}\n`;
  return { source: { text: "", artifacts: { native: readFileSync(binary) }, mode: "native" }, input: given + script };
}

/** A text as a literal of Lua. */
function luaText(text: string): string {
  return `"${text.replaceAll(/[\\"\n\r\0]/g, (character) => `\\${character.charCodeAt(0).toString().padStart(3, "0")}`)}"`;
}
