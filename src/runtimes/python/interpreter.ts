// Finds the Python of the host by looking at files only: starting it would cost the server some 14 ms at its own start.
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface Interpreter {
  /** The binary itself, no link. */
  readonly binary: string;
  /** `3.11` */
  readonly version: string;
  readonly standardLibrary: string;
  /** The extension modules of the standard library. */
  readonly extensions: readonly string[];
}

const COMMANDS = ["/usr/bin/python3", "/usr/local/bin/python3"];
const OLDEST_MINOR = 9; // the oldest that the shim is written for

export function findInterpreter(commands: readonly string[] = COMMANDS): Interpreter | undefined {
  for (const command of commands) {
    const interpreter = existsSync(command) ? inspect(realpathSync(command)) : undefined;
    if (interpreter !== undefined) return interpreter;
  }
  return undefined;
}

function inspect(binary: string): Interpreter | undefined {
  const prefix = dirname(dirname(binary));
  const named = /^python(3\.\d+)/.exec(basename(binary))?.[1];
  for (const library of [join(prefix, "lib"), join(prefix, "lib64")]) {
    const version = named ?? newestVersionIn(library);
    if (version === undefined || minor(version) < OLDEST_MINOR) continue;
    const standardLibrary = join(library, `python${version}`);
    const extensions = join(standardLibrary, "lib-dynload"); // Fedora has a `lib` without it beside its `lib64`
    if (!existsSync(join(standardLibrary, "os.py")) || !existsSync(extensions)) continue;
    const files = readdirSync(extensions).filter((name) => name.endsWith(".so"));
    return { binary, version, standardLibrary, extensions: files.map((name) => join(extensions, name)) };
  }
  return undefined;
}

function newestVersionIn(library: string): string | undefined {
  if (!existsSync(library)) return undefined;
  const versions = readdirSync(library).flatMap((name) => /^python(3\.\d+)$/.exec(name)?.[1] ?? []);
  return versions.sort((a, b) => minor(b) - minor(a))[0];
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
