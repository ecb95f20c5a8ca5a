import { fileURLToPath } from "node:url";
import { ROOT } from "../../core/base-image.ts";

const COMPILER = fileURLToPath(new URL("compile.lua", import.meta.url));

export const LUAJIT_FLAGS = ["-E"] as const; // no LUA_* variables

/**
 * For `BaseImage.compile`: makes bytecode of files of ours, of the interpreter that will load it.
 *
 * @param files by their names in `/shim`
 */
export function compileFiles(interpreter: string, files: readonly string[]): readonly string[] {
  return [interpreter, ...LUAJIT_FLAGS, COMPILER, `${ROOT}/shim`, ...files];
}
