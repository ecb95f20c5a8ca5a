// Finds the LuaJIT of the host by looking at files only: starting it would block the server.
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";

export interface Interpreter {
  /** The binary itself, no link. */
  readonly binary: string;
  /** `2.1.0-beta3` */
  readonly version: string;
}

const FOLDERS = ["/usr/bin", "/usr/local/bin"];

export function findInterpreter(folders: readonly string[] = FOLDERS): Interpreter | undefined {
  for (const folder of folders.filter((path) => existsSync(path))) {
    const names = readdirSync(folder).filter((name) => /^luajit(?:-2\.1.*)?$/.test(name));
    for (const path of names.sort().map((name) => join(folder, name))) {
      const binary = existsSync(path) ? realpathSync(path) : path; // a link may lead nowhere
      const version = existsSync(binary) ? versionIn(binary) : undefined;
      if (version !== undefined) return { binary, version };
    }
  }
  return undefined;
}

/** From the text that `luajit -v` would print: not every distribution has the version in the file's name. */
function versionIn(binary: string): string | undefined {
  return /LuaJIT (2\.1[\w.-]*)/.exec(readFileSync(binary, "latin1"))?.[1];
}
