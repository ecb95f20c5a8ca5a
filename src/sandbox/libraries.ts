import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Loaded by name at run time (`pthread_exit` unwinds with it), so that no ELF header mentions it. */
const LOADED_BY_NAME = "libgcc_s.so.1";

/**
 * The shared libraries that `files` need, the dynamic loader included, as absolute paths on the host.
 * Asks `ldd`, which runs the loader on each file: give it the platform's own files only, never a user's.
 */
export function sharedLibrariesOf(files: readonly string[]): string[] {
  const output = execFileSync("ldd", [...files], { encoding: "utf8", env: {}, stdio: ["ignore", "pipe", "ignore"] });
  const libraries = new Set([...output.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? ""));
  for (const library of [...libraries]) {
    const beside = join(dirname(library), LOADED_BY_NAME);
    if (library.endsWith("/libc.so.6") && existsSync(beside)) libraries.add(beside);
  }
  return [...libraries];
}
