// Python: what its box holds, and how a script becomes a program. The shim compiles, in the box; here nothing is run.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { ROOT } from "../../core/base-image.ts";
import type { Program, Source } from "../../core/program.ts";
import type { BaseImage, RuntimeSearch } from "../runtime.ts";
import { alwaysReturns } from "./always-returns.ts";
import { findInterpreter } from "./interpreter.ts";
import type { Interpreter } from "./interpreter.ts";

const BASE = "python";
const LANGUAGES = ["python"];

const SHIM_FOLDER = fileURLToPath(new URL("shim/", import.meta.url));

export const PYTHON_FLAGS = [
  "-I", // no PYTHON* variables, no folder of the script in sys.path
  "-S", // no site-packages, and some 2 ms less
  "-B", // the library is read-only: do not try to write .pyc files
  "-X",
  "utf8", // whatever the locale says
] as const;

const HOW_TO_INSTALL =
  "no Python 3.9 or newer at /usr/bin/python3 or /usr/local/bin/python3; install it with " +
  "`apt install python3` (Debian, Ubuntu), `dnf install python3` (Fedora), " +
  "`pacman -S python` (Arch) or `apk add python3` (Alpine)";

/** Starts no process: it only looks at files. */
export function findPythonRuntime(interpreter: Interpreter | undefined = findInterpreter()): RuntimeSearch {
  if (interpreter === undefined) return { found: false, base: BASE, languages: LANGUAGES, reason: HOW_TO_INSTALL };
  return {
    found: true,
    runtime: {
      base: BASE,
      languages: LANGUAGES,
      title: `Python ${interpreter.version}`,
      image: imageOf(interpreter),
      selfTest: (facts) => ({
        source: { text: readFileSync(new URL("self_test.py", import.meta.url), "utf8") },
        input: facts,
      }),
      prepare: (language, source) =>
        Promise.resolve({
          language,
          base: BASE,
          code: source.text,
          options: optionsOf(source),
          alwaysReturns: alwaysReturns(source.text),
        }),
    },
  };
}

function optionsOf({ entry, files }: Source): Program["options"] {
  const file = entry ?? "script.py";
  if (files === undefined || Object.keys(files).length === 0) return { file };
  return { file, files };
}

function imageOf(interpreter: Interpreter): BaseImage {
  const { binary, standardLibrary, extensions } = interpreter;
  return {
    base: BASE,
    command: [binary, ...PYTHON_FLAGS, "/shim/shim.py"],
    copies: readdirSync(SHIM_FOLDER)
      .filter((name) => name.endsWith(".py"))
      .map((name) => ({ from: SHIM_FOLDER + name, to: `/shim/${name}` })),
    // A third of what a worker needs to boot. By hash, not by time: nothing changes these files.
    compile: [
      binary,
      ...["-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"],
      ...["-s", ROOT, "-p", "/", `${ROOT}/shim`],
    ],
    // At the paths of the host, from which Python works out where its library is.
    binds: [binary, standardLibrary].map((path) => ({ from: path, to: path })),
    devices: [],
    librariesOf: [binary, ...extensions],
    env: { HOME: "/tmp", TMPDIR: "/tmp", LANG: "C.UTF-8" },
  };
}
