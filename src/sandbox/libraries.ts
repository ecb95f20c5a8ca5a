import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Loaded by name at run time (`pthread_exit` unwinds with it), so that no ELF header mentions it. */
const LOADED_BY_NAME = "libgcc_s.so.1";
const EXTENSION = /\.so(?:\.|$)/;

/**
 * The shared libraries that `files` need, the dynamic loader included, as absolute paths on the host.
 * Runs the loader on each file: give it the platform's own files only, never a user's.
 *
 * @param files programs, and extensions (`*.so`) that the first of them loads
 */
export function sharedLibrariesOf(files: readonly string[]): string[] {
  const programs = files.filter((file) => !EXTENSION.test(file));
  const extensions = files.filter((file) => EXTENSION.test(file));
  const listed = run("ldd", programs);
  const libraries = new Set(pathsIn(listed));
  for (const library of ofExtensions(extensions, programs[0] ?? "", listed)) libraries.add(library);
  for (const library of [...libraries]) {
    const beside = join(dirname(library), LOADED_BY_NAME);
    if (library.endsWith("/libc.so.6") && existsSync(beside)) libraries.add(beside);
  }
  return [...libraries];
}

/**
 * `ldd` starts two processes for each file, a quarter of a second for Python's. The loader itself lists those of all in one, where they
 * are to be loaded before a program: glibc's does; where it fails or leaves one out, `ldd` is asked after all.
 */
function ofExtensions(extensions: readonly string[], program: string, listed: string): string[] {
  if (extensions.length === 0) return [];
  const loader = /(\/\S*\/ld-[^/\s]+) \(0x/.exec(listed)?.[1] ?? "";
  try {
    const paths = pathsIn(run(loader, ["--list", program], { LD_PRELOAD: extensions.join(":") }));
    if (extensions.every((file) => paths.includes(file))) return paths.filter((path) => !extensions.includes(path));
  } catch {
    // a loader that cannot do that
  }
  return pathsIn(run("ldd", extensions));
}

function pathsIn(listed: string): string[] {
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync(command, [...args], { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] });
}
