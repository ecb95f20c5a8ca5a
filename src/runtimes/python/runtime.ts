// Python: what its box holds, and how a script becomes a program. The shim compiles, in the box; here nothing is run.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { ROOT } from "../../core/base-image.ts";
import type { BaseImage, RuntimeSearch } from "../runtime.ts";
import { alwaysReturns } from "./always-returns.ts";
import { findInterpreter } from "./interpreter.ts";
import type { Interpreter } from "./interpreter.ts";

const BASE = "python";
const LANGUAGES = ["python"];

export const SHIM_FILES = [
  "shim.py",
  "channel.py",
  "egress.py",
  "egress_socket.py",
  "failure.py",
  "innocent.py",
  "json_text.py",
  "library_state.py",
  "output.py",
  "program.py",
  "quiet.py",
  "worker.py",
] as const;

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
      selfTestSource: readFileSync(new URL("self_test.py", import.meta.url), "utf8"),
      prepare: (language, source) =>
        Promise.resolve({
          language,
          base: BASE,
          code: source,
          options: { file: "script.py" },
          alwaysReturns: alwaysReturns(source),
        }),
    },
  };
}

function imageOf(interpreter: Interpreter): BaseImage {
  const { binary, standardLibrary, extensions } = interpreter;
  return {
    base: BASE,
    command: [binary, ...PYTHON_FLAGS, "/shim/shim.py"],
    copies: SHIM_FILES.map((name) => ({
      from: fileURLToPath(new URL(`shim/${name}`, import.meta.url)),
      to: `/shim/${name}`,
    })),
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
